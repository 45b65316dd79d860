//! `wasi:keyvalue/batch`: several keys in one transaction. How many is limited,
//! since an event loop reads them, and the store's only thread writes them,
//! without a pause.

use wasmtime::component::{Linker, LinkerInstance, Resource};

use super::{Bucket, Context, Error, change, database, done, scope};
use crate::guest::Guest;
use crate::store::{Kind, Scope};

const BATCH: &str = "wasi:keyvalue/batch@0.2.0-draft2";

/// Keys of one call.
const KEYS_MAX: usize = 1000;

/// Bytes of all values that one call returns. A short question could otherwise
/// have an answer of any length: the same key may be named many times.
const VALUES_BYTES_MAX: usize = 16 << 20;

pub(super) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    let mut interface = linker.instance(BATCH)?;
    interface.func_wrap(
        "get-many",
        |mut store: Context<'_>, (bucket, keys): (Resource<Bucket>, Vec<String>)| {
            let scope = scope(&mut store, &bucket)?;
            Ok((get_many(&store, &scope, keys),))
        },
    )?;
    add_changes(&mut interface)
}

/// What both versions have in common.
pub(super) fn add_changes(interface: &mut LinkerInstance<'_, Guest>) -> wasmtime::Result<()> {
    interface.func_wrap_async(
        "set-many",
        |mut store: Context<'_>, (bucket, entries): (Resource<Bucket>, Vec<(String, Vec<u8>)>)| {
            Box::new(async move {
                let scope = scope(&mut store, &bucket)?;
                if let Err(error) = check_len(entries.len()) {
                    return Ok((Err(error),));
                }
                let entries = entries
                    .into_iter()
                    .map(|(key, value)| Ok((scope.key(&key)?, value)));
                let kind = entries.collect::<Result<Vec<_>, _>>().map(Kind::Set);
                Ok((done(change(&store, kind).await),))
            })
        },
    )?;
    interface.func_wrap_async(
        "delete-many",
        |mut store: Context<'_>, (bucket, keys): (Resource<Bucket>, Vec<String>)| {
            Box::new(async move {
                let scope = scope(&mut store, &bucket)?;
                if let Err(error) = check_len(keys.len()) {
                    return Ok((Err(error),));
                }
                let keys = keys.iter().map(|key| scope.key(key));
                let kind = keys.collect::<Result<Vec<_>, _>>().map(Kind::Delete);
                Ok((done(change(&store, kind).await),))
            })
        },
    )
}

fn check_len(len: usize) -> Result<(), Error> {
    match len <= KEYS_MAX {
        true => Ok(()),
        false => Err(Error::Other(format!(
            "one call takes at most {KEYS_MAX} keys"
        ))),
    }
}

pub(super) fn get_many(
    store: &Context<'_>,
    scope: &Scope,
    keys: Vec<String>,
) -> Result<Values, Error> {
    check_len(keys.len())?;
    let mut bytes_left = VALUES_BYTES_MAX;
    let mut values = Vec::with_capacity(keys.len());
    for key in keys {
        let value = scope.key(&key).and_then(|key| database(store).get(&key))?;
        let len = value.as_ref().map_or(0, Vec::len);
        let Some(left) = bytes_left.checked_sub(len) else {
            let text = format!("one call returns at most {VALUES_BYTES_MAX} bytes");
            return Err(Error::Other(text));
        };
        bytes_left = left;
        values.push((key, value));
    }
    Ok(values)
}

type Values = Vec<(String, Option<Vec<u8>>)>;
