//! `wasi:keyvalue/atomics`.

use wasmtime::Result;
use wasmtime::component::{ComponentType, Linker, Lower, Resource, ResourceType};

use super::{Bucket, Context, Error, change, database, scope};
use crate::guest::Guest;
use crate::store::{Changed, Kind, Scope, Seen, StoreError};

const ATOMICS: &str = "wasi:keyvalue/atomics@0.2.0-draft2";

/// `cas`: a key, and which value it had when it was last looked at, by `new` or
/// by `current`, so that `swap` replaces what its caller has read.
pub(super) struct Cas {
    scope: Scope,
    key: String,
    seen: Seen,
}

/// `cas-error`.
#[derive(ComponentType, Lower)]
#[component(variant)]
pub(super) enum CasError {
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
            Ok((new(&mut store, &bucket, key)?,))
        },
    )?;
    interface.func_wrap(
        "[method]cas.current",
        |mut store: Context<'_>, (cas,): (Resource<Cas>,)| Ok((current(&mut store, &cas)?,)),
    )?;
    interface.func_wrap_async(
        "increment",
        |mut store: Context<'_>, (bucket, key, delta): (Resource<Bucket>, String, i64)| {
            Box::new(async move {
                let sum = increment(&mut store, &bucket, &key, delta)?;
                Ok((sum.await,))
            })
        },
    )?;
    interface.func_wrap_async(
        "swap",
        |mut store: Context<'_>, (cas, value): (Resource<Cas>, Vec<u8>)| {
            Box::new(async move {
                let (cas, change) = swap(&mut store, cas, value)?;
                let changed = change.await;
                Ok((swapped(&mut store, cas, changed)?,))
            })
        },
    )
}

pub(super) fn new(
    store: &mut Context<'_>,
    bucket: &Resource<Bucket>,
    key: String,
) -> Result<Result<Resource<Cas>, Error>> {
    let scope = scope(store, bucket)?;
    let value = scope.key(&key).and_then(|key| database(store).get(&key));
    Ok(match value {
        Ok(value) => {
            let seen = Seen::of(value.as_deref());
            Ok(store.data_mut().table().push(Cas { scope, key, seen })?)
        }
        Err(error) => Err(Error::from(error)),
    })
}

pub(super) fn current(
    store: &mut Context<'_>,
    cas: &Resource<Cas>,
) -> Result<Result<Option<Vec<u8>>, Error>> {
    let Cas { scope, key, .. } = store.data_mut().table().get(cas)?;
    let key = scope.key(key);
    let value = key.and_then(|key| database(store).get(&key));
    if let Ok(value) = &value {
        store.data_mut().table().get_mut(cas)?.seen = Seen::of(value.as_deref());
    }
    Ok(value.map_err(Error::from))
}

/// Begins to add to a number.
pub(super) fn increment(
    store: &mut Context<'_>,
    bucket: &Resource<Bucket>,
    key: &str,
    delta: i64,
) -> Result<impl Future<Output = Result<i64, Error>> + Send + use<>> {
    let scope = scope(store, bucket)?;
    let kind = scope.key(key).map(|key| Kind::Increment(key, delta));
    let change = change(store, kind);
    Ok(async {
        match change.await {
            Ok(Changed::Number(sum)) => Ok(sum),
            Ok(_) => Err(Error::Other("no number came of it".into())),
            Err(error) => Err(error.into()),
        }
    })
}

/// Begins to replace a value.
pub(super) fn swap(
    store: &mut Context<'_>,
    cas: Resource<Cas>,
    value: Vec<u8>,
) -> Result<(
    Cas,
    impl Future<Output = Result<Changed, StoreError>> + Send + use<>,
)> {
    let cas = store.data_mut().table().delete(cas)?;
    let kind = cas.scope.key(&cas.key).map(|key| Kind::Swap {
        key,
        seen: cas.seen,
        value,
    });
    let change = change(store, kind);
    Ok((cas, change))
}

/// What has come of that.
pub(super) fn swapped(
    store: &mut Context<'_>,
    cas: Cas,
    changed: Result<Changed, StoreError>,
) -> Result<Result<(), CasError>> {
    Ok(match changed {
        Ok(Changed::Conflict(seen)) => {
            let cas = store.data_mut().table().push(Cas { seen, ..cas })?;
            Err(CasError::CasFailed(cas))
        }
        Ok(_) => Ok(()),
        Err(error) => Err(CasError::StoreError(error.into())),
    })
}
