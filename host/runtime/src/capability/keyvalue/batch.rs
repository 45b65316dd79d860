//! `wasi:keyvalue/batch`: several keys in one transaction.

use wasmtime::Result;
use wasmtime::component::{Linker, Resource};

use super::{Bucket, Context, Error, change, database, done, scope};
use crate::guest::Guest;
use crate::store::Kind;

const BATCH: &str = "wasi:keyvalue/batch@0.2.0-draft2";

pub(super) fn add_to_linker(linker: &mut Linker<Guest>) -> Result<()> {
    let mut interface = linker.instance(BATCH)?;
    interface.func_wrap(
        "get-many",
        |mut store: Context<'_>, (bucket, keys): (Resource<Bucket>, Vec<String>)| {
            let scope = scope(&mut store, &bucket)?;
            let get = |key: String| {
                let value = scope.key(&key).and_then(|key| database(&store).get(&key));
                Ok((key, value?))
            };
            let values: Result<Vec<_>, Error> = keys.into_iter().map(get).collect();
            Ok((values,))
        },
    )?;
    interface.func_wrap_async(
        "set-many",
        |mut store: Context<'_>, (bucket, entries): (Resource<Bucket>, Vec<(String, Vec<u8>)>)| {
            Box::new(async move {
                let scope = scope(&mut store, &bucket)?;
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
                let keys = keys.iter().map(|key| scope.key(key));
                let kind = keys.collect::<Result<Vec<_>, _>>().map(Kind::Delete);
                Ok((done(change(&store, kind).await),))
            })
        },
    )
}
