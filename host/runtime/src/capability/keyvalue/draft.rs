//! `wasi:keyvalue` 0.2.0-draft, as components for wasmCloud import it: buckets
//! and keys are those of the later version. A place in a list of keys is a number
//! here, which a bucket remembers for as long as it is open; numbers that are
//! incremented have no sign.

use std::collections::VecDeque;

use wasmtime::Result;
use wasmtime::component::{ComponentType, Linker, Lower, Resource};

use super::batch::{add_changes, get_many};
use super::{Bucket, Context, Error, add_bucket, change, database, scope};
use crate::guest::Guest;
use crate::store::{Changed, Kind};

const STORE: &str = "wasi:keyvalue/store@0.2.0-draft";
const ATOMICS: &str = "wasi:keyvalue/atomics@0.2.0-draft";
const BATCH: &str = "wasi:keyvalue/batch@0.2.0-draft";

/// Places in lists of keys that a bucket remembers.
const PLACES_MAX: usize = 16;

/// Where lists of keys go on: each place is a number, and the last key before it.
#[derive(Default)]
pub(super) struct Places {
    last: u64,
    keys: VecDeque<(u64, String)>,
}

impl Places {
    fn enter(&mut self, key: String) -> u64 {
        self.last += 1;
        self.keys.push_back((self.last, key));
        if self.keys.len() > PLACES_MAX {
            self.keys.pop_front();
        }
        self.last
    }

    fn find(&self, place: u64) -> Result<String, Error> {
        let mut keys = self.keys.iter();
        let found = keys.find(|(number, _)| *number == place);
        let found = found.map(|(_, key)| key.clone());
        found.ok_or_else(|| Error::Other(format!("this bucket knows no cursor {place} any more")))
    }
}

/// `key-response`.
#[derive(ComponentType, Lower)]
#[component(record)]
struct KeyResponse {
    keys: Vec<String>,
    cursor: Option<u64>,
}

pub(super) fn add_to_linker(linker: &mut Linker<Guest>) -> Result<()> {
    add_store(linker)?;
    add_atomics(linker)?;
    add_batch(linker)
}

fn add_store(linker: &mut Linker<Guest>) -> Result<()> {
    let mut interface = linker.instance(STORE)?;
    add_bucket(&mut interface)?;
    interface.func_wrap(
        "[method]bucket.list-keys",
        |mut store: Context<'_>, (bucket, cursor): (Resource<Bucket>, Option<u64>)| {
            Ok((list_keys(&mut store, &bucket, cursor)?,))
        },
    )
}

fn add_atomics(linker: &mut Linker<Guest>) -> Result<()> {
    linker.instance(ATOMICS)?.func_wrap_async(
        "increment",
        |mut store: Context<'_>, (bucket, key, delta): (Resource<Bucket>, String, u64)| {
            Box::new(async move {
                let scope = scope(&mut store, &bucket)?;
                let Ok(delta) = i64::try_from(delta) else {
                    let text = "the number is too large".to_owned();
                    return Ok((Err(Error::Other(text)),));
                };
                let kind = scope.key(&key).map(|key| Kind::Increment(key, delta));
                let sum = change(&store, kind).await;
                Ok((sum.map_err(Error::from).and_then(without_sign),))
            })
        },
    )
}

fn without_sign(sum: Changed) -> Result<u64, Error> {
    let number = match sum {
        Changed::Number(sum) => u64::try_from(sum).ok(),
        _ => None,
    };
    number.ok_or_else(|| Error::Other("the value is a number below 0".into()))
}

fn add_batch(linker: &mut Linker<Guest>) -> Result<()> {
    let mut interface = linker.instance(BATCH)?;
    interface.func_wrap(
        "get-many",
        |mut store: Context<'_>, (bucket, keys): (Resource<Bucket>, Vec<String>)| {
            let scope = scope(&mut store, &bucket)?;
            let values = get_many(&store, &scope, keys).map(|values| {
                let found = |(key, value): (String, Option<Vec<u8>>)| Some((key, value?));
                values.into_iter().map(found).collect::<Vec<_>>()
            });
            Ok((values,))
        },
    )?;
    add_changes(&mut interface)
}

fn list_keys(
    store: &mut Context<'_>,
    bucket: &Resource<Bucket>,
    cursor: Option<u64>,
) -> Result<Result<KeyResponse, Error>> {
    let Bucket { scope, places } = store.data_mut().table().get(bucket)?;
    let scope = scope.clone();
    let after = match cursor.map(|place| places.find(place)).transpose() {
        Ok(after) => after,
        Err(error) => return Ok(Err(error)),
    };
    let (keys, has_more) = match database(store).keys(&scope, after.as_deref()) {
        Ok(keys) => keys,
        Err(error) => return Ok(Err(error.into())),
    };
    let last = keys.last().filter(|_| has_more).cloned();
    let places = &mut store.data_mut().table().get_mut(bucket)?.places;
    let cursor = last.map(|key| places.enter(key));
    Ok(Ok(KeyResponse { keys, cursor }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_remembers_the_last_places() {
        let mut places = Places::default();
        assert!(places.find(0).is_err());
        let first = places.enter("a".into());
        assert_eq!(places.find(first).unwrap(), "a");
        for _ in 0..PLACES_MAX {
            places.enter("b".into());
        }
        assert!(places.find(first).is_err());
    }
}
