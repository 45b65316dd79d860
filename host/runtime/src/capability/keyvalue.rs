//! `wasi:keyvalue`: buckets of the tenant, shared by its plugins. Any bucket
//! can be opened; one that was never written to is empty. The values of
//! `increment` are decimal numbers. What is here is 0.2.0-draft2; the draft
//! before it is converted to that in [`draft`].

mod atomics;
mod batch;
pub(crate) mod direct;
mod draft;

use std::sync::Arc;

use holdfast_core::metrics::LimitHit;
use wasmtime::component::{
    ComponentType, Lift, Linker, LinkerInstance, Lower, Resource, ResourceType, WasmStr,
};
use wasmtime::{Result, StoreContextMut};

use crate::guest::Guest;
use crate::store::{Change, Changed, Kind, Scope, Store, StoreError};

const STORE: &str = "wasi:keyvalue/store@0.2.0-draft2";

type Context<'a> = StoreContextMut<'a, Guest>;

/// `bucket`, of both versions.
struct Bucket {
    scope: Scope,
    /// Of the draft, where a place in a list of keys is a number.
    places: draft::Places,
}

/// `error`.
#[derive(ComponentType, Lift, Lower, Debug)]
#[component(variant)]
#[allow(dead_code, reason = "the interface has them all")]
enum Error {
    #[component(name = "no-such-store")]
    NoSuchStore,
    #[component(name = "access-denied")]
    AccessDenied,
    #[component(name = "other")]
    Other(String),
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Other(error.to_string())
    }
}

/// `key-response`.
#[derive(ComponentType, Lower)]
#[component(record)]
struct KeyResponse {
    keys: Vec<String>,
    cursor: Option<String>,
}

/// Adds the three interfaces in both versions.
pub(crate) fn add_to_linker(linker: &mut Linker<Guest>) -> Result<()> {
    add_store(linker)?;
    atomics::add_to_linker(linker)?;
    batch::add_to_linker(linker)?;
    draft::add_to_linker(linker)
}

fn add_store(linker: &mut Linker<Guest>) -> Result<()> {
    let mut interface = linker.instance(STORE)?;
    add_bucket(&mut interface)?;
    interface.func_wrap(
        "[method]bucket.list-keys",
        |mut store: Context<'_>, (bucket, cursor): (Resource<Bucket>, Option<String>)| {
            let scope = scope(&mut store, &bucket)?;
            Ok((keys(database(&store), &scope, cursor.as_deref()),))
        },
    )
}

/// Some keys behind the cursor.
fn keys(database: &Store, scope: &Scope, cursor: Option<&str>) -> Result<KeyResponse, Error> {
    let (keys, has_more) = database.keys(scope, cursor)?;
    Ok(KeyResponse {
        cursor: keys.last().filter(|_| has_more).cloned(),
        keys,
    })
}

/// What both versions of `store` have in common.
fn add_bucket(interface: &mut LinkerInstance<'_, Guest>) -> Result<()> {
    interface.resource("bucket", ResourceType::host::<Bucket>(), |mut store, id| {
        let bucket = Resource::<Bucket>::new_own(id);
        store.data_mut().table().delete(bucket)?;
        Ok(())
    })?;
    interface.func_wrap("open", |mut store: Context<'_>, (name,): (WasmStr,)| {
        let tenant = Arc::clone(&store.data().plugin().settings.tenant_name);
        let opened = match Scope::new(&tenant, &name.to_str(&store)?) {
            Ok(scope) => {
                let places = draft::Places::default();
                let bucket = Bucket { scope, places };
                Ok(store.data_mut().table().push(bucket)?)
            }
            Err(error) => Err(Error::from(error)),
        };
        Ok((opened,))
    })?;
    interface.func_wrap(
        "[method]bucket.get",
        |mut store: Context<'_>, (bucket, key): (Resource<Bucket>, WasmStr)| {
            let key = key.to_str(&store)?.into_owned();
            Ok((get(&mut store, &bucket, &key)?,))
        },
    )?;
    interface.func_wrap(
        "[method]bucket.exists",
        |mut store: Context<'_>, (bucket, key): (Resource<Bucket>, WasmStr)| {
            let key = key.to_str(&store)?.into_owned();
            let value = get(&mut store, &bucket, &key)?;
            Ok((value.map(|value| value.is_some()),))
        },
    )?;
    interface.func_wrap_async(
        "[method]bucket.set",
        |mut store: Context<'_>, (bucket, key, value): (Resource<Bucket>, String, Vec<u8>)| {
            Box::new(async move {
                let scope = scope(&mut store, &bucket)?;
                let kind = scope.key(&key).map(|key| Kind::Set(vec![(key, value)]));
                Ok((done(change(&store, kind).await),))
            })
        },
    )?;
    interface.func_wrap_async(
        "[method]bucket.delete",
        |mut store: Context<'_>, (bucket, key): (Resource<Bucket>, String)| {
            Box::new(async move {
                let scope = scope(&mut store, &bucket)?;
                let kind = scope.key(&key).map(|key| Kind::Delete(vec![key]));
                Ok((done(change(&store, kind).await),))
            })
        },
    )
}

fn database<'a>(store: &'a Context<'_>) -> &'a Store {
    &store.data().plugin().store
}

fn scope(store: &mut Context<'_>, bucket: &Resource<Bucket>) -> Result<Scope> {
    Ok(store.data_mut().table().get(bucket)?.scope.clone())
}

fn get(
    store: &mut Context<'_>,
    bucket: &Resource<Bucket>,
    key: &str,
) -> Result<Result<Option<Vec<u8>>, Error>> {
    let scope = scope(store, bucket)?;
    let value = scope.key(key).and_then(|key| database(store).get(&key));
    Ok(value.map_err(Error::from))
}

/// Begins a change. The future borrows nothing of the store, which is not
/// `Sync`.
fn change(
    store: &Context<'_>,
    kind: Result<Kind, StoreError>,
) -> impl Future<Output = Result<Changed, StoreError>> + Send + use<> {
    let plugin = store.data().plugin();
    let limits = plugin.keyvalue.clone();
    let changes = Arc::clone(&plugin.tenant.changes);
    let database = database(store).clone();
    let metrics = Arc::clone(&plugin.settings.metrics);
    async move {
        let changed = async {
            let kind = kind?;
            kind.check(limits.value_bytes_max)?;
            let bytes_max = limits.bytes_max;
            // So that those of other tenants wait for no more.
            let _one_of_some = changes.acquire().await.map_err(StoreError::failed)?;
            database.change(Change { bytes_max, kind }).await
        };
        let changed = changed.await;
        if matches!(
            changed,
            Err(StoreError::Full(_) | StoreError::ValueTooLong(_))
        ) {
            metrics.note_limit(LimitHit::Keyvalue);
        }
        changed
    }
}

fn done(changed: Result<Changed, StoreError>) -> Result<(), Error> {
    changed.map(drop).map_err(Error::from)
}
