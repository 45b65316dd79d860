//! `wasi:keyvalue/atomics`.

use wasmtime::Result;
use wasmtime::component::{ComponentType, Linker, Lower, Resource, ResourceType};

use super::{Bucket, Context, Error, change, database, scope};
use crate::guest::Guest;
use crate::store::{Changed, Kind, Scope, Seen};

const ATOMICS: &str = "wasi:keyvalue/atomics@0.2.0-draft2";

/// `cas`: a key, and which value it had when it was last looked at, by `new` or
/// by `current`, so that `swap` replaces what its caller has read.
struct Cas {
    scope: Scope,
    key: String,
    seen: Seen,
}

/// `cas-error`.
#[derive(ComponentType, Lower)]
#[component(variant)]
enum CasError {
    #[component(name = "store-error")]
    StoreError(Error),
    #[component(name = "cas-failed")]
    CasFailed(Resource<Cas>),
}

pub(super) fn add_to_linker(linker: &mut Linker<Guest>) -> Result<()> {
    let mut interface = linker.instance(ATOMICS)?;
    interface.resource("cas", ResourceType::host::<Cas>(), |mut store, id| {
        store
            .data_mut()
            .table()
            .delete(Resource::<Cas>::new_own(id))?;
        Ok(())
    })?;
    interface.func_wrap(
        "[static]cas.new",
        |mut store: Context<'_>, (bucket, key): (Resource<Bucket>, String)| {
            let scope = scope(&mut store, &bucket)?;
            let value = scope.key(&key).and_then(|key| database(&store).get(&key));
            let cas = match value {
                Ok(value) => {
                    let seen = Seen::of(value.as_deref());
                    Ok(store.data_mut().table().push(Cas { scope, key, seen })?)
                }
                Err(error) => Err(Error::from(error)),
            };
            Ok((cas,))
        },
    )?;
    interface.func_wrap(
        "[method]cas.current",
        |mut store: Context<'_>, (cas,): (Resource<Cas>,)| {
            let Cas { scope, key, .. } = store.data_mut().table().get(&cas)?;
            let key = scope.key(key);
            let value = key.and_then(|key| database(&store).get(&key));
            if let Ok(value) = &value {
                store.data_mut().table().get_mut(&cas)?.seen = Seen::of(value.as_deref());
            }
            Ok((value.map_err(Error::from),))
        },
    )?;
    interface.func_wrap_async(
        "increment",
        |mut store: Context<'_>, (bucket, key, delta): (Resource<Bucket>, String, i64)| {
            Box::new(async move {
                let scope = scope(&mut store, &bucket)?;
                let kind = scope.key(&key).map(|key| Kind::Increment(key, delta));
                let sum = match change(&store, kind).await {
                    Ok(Changed::Number(sum)) => Ok(sum),
                    Ok(_) => Err(Error::Other("no number came of it".into())),
                    Err(error) => Err(error.into()),
                };
                Ok((sum,))
            })
        },
    )?;
    interface.func_wrap_async(
        "swap",
        |mut store: Context<'_>, (cas, value): (Resource<Cas>, Vec<u8>)| {
            Box::new(async move {
                let cas = store.data_mut().table().delete(cas)?;
                let kind = cas.scope.key(&cas.key).map(|key| Kind::Swap {
                    key,
                    seen: cas.seen,
                    value,
                });
                let swapped = match change(&store, kind).await {
                    Ok(Changed::Conflict(seen)) => {
                        let cas = store.data_mut().table().push(Cas { seen, ..cas })?;
                        Err(CasError::CasFailed(cas))
                    }
                    Ok(_) => Ok(()),
                    Err(error) => Err(CasError::StoreError(error.into())),
                };
                Ok((swapped,))
            })
        },
    )
}
