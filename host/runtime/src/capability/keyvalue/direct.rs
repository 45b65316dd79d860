//! The same for modules that are linked directly: how the values lie in a guest's
//! memory.

use std::sync::Arc;

use wasmtime::component::Resource;
use wasmtime::{AsContextMut, Result};

use super::atomics::{self, Cas, CasError};
use super::{Bucket, Error, KeyResponse, change, database, done, draft, get, keys, scope};
use crate::direct::{
    Context, Definitions, Kind, aligned, give, no_case, offset, places, room, view,
};
use crate::store::{Kind as Change, Scope};

const STORE: &str = "wasi:keyvalue/store@0.2.0-draft2";
const ATOMICS: &str = "wasi:keyvalue/atomics@0.2.0-draft2";

/// The functions of each interface.
pub(crate) const IMPORTS: &[(&str, &[&str])] = &[
    (
        STORE,
        &[
            "open",
            "[method]bucket.get",
            "[method]bucket.exists",
            "[method]bucket.set",
            "[method]bucket.delete",
            "[method]bucket.list-keys",
            "[resource-drop]bucket",
        ],
    ),
    (
        ATOMICS,
        &[
            "increment",
            "swap",
            "[static]cas.new",
            "[method]cas.current",
            "[resource-drop]cas",
        ],
    ),
];

/// Adds both interfaces.
pub(crate) fn define(linker: &mut Definitions) -> Result<()> {
    define_store(linker)?;
    define_changes(linker)?;
    define_atomics(linker)
}

fn bucket(caller: &Context<'_>, handle: u32) -> Result<Resource<Bucket>> {
    caller.data().direct.handles.borrow(Kind::Bucket, handle)
}

fn define_store(linker: &mut Definitions) -> Result<()> {
    linker.func_wrap_async(
        STORE,
        "open",
        |mut caller: Context<'_>, (name, len, result): (u32, u32, u32)| {
            Box::new(async move {
                let (memory, guest) = view(&mut caller)?;
                let tenant = Arc::clone(&guest.plugin().settings.tenant_name);
                let opened = match Scope::new(&tenant, memory.text(name, len)?) {
                    Ok(scope) => {
                        let places = draft::Places::default();
                        let bucket = guest.table().push(Bucket { scope, places })?;
                        Ok(guest.direct.handles.give(Kind::Bucket, &bucket)?)
                    }
                    Err(error) => Err(Error::from(error)),
                };
                put_handle(&mut caller, aligned(result, 4)?, opened).await
            })
        },
    )?;
    linker.func_wrap(
        STORE,
        "[resource-drop]bucket",
        |mut caller: Context<'_>, handle: u32| {
            let guest = caller.data_mut();
            let bucket: Resource<Bucket> = guest.direct.handles.take(Kind::Bucket, handle)?;
            guest.table().delete(bucket)?;
            Ok(())
        },
    )?;
    linker.func_wrap_async(
        STORE,
        "[method]bucket.get",
        |mut caller: Context<'_>, (handle, key, len, result): (u32, u32, u32, u32)| {
            Box::new(async move {
                let bucket = bucket(&caller, handle)?;
                let key = text(&mut caller, key, len)?;
                let value = get(&mut caller.as_context_mut(), &bucket, &key)?;
                put_value(&mut caller, aligned(result, 4)?, value).await
            })
        },
    )?;
    linker.func_wrap_async(
        STORE,
        "[method]bucket.exists",
        |mut caller: Context<'_>, (handle, key, len, result): (u32, u32, u32, u32)| {
            Box::new(async move {
                let bucket = bucket(&caller, handle)?;
                let key = text(&mut caller, key, len)?;
                let result = aligned(result, 4)?;
                match get(&mut caller.as_context_mut(), &bucket, &key)? {
                    Ok(value) => {
                        let (mut memory, _) = view(&mut caller)?;
                        memory.put(result, &[0, 0, 0, 0, u8::from(value.is_some())])
                    }
                    Err(error) => put_failed(&mut caller, result, 4, error).await,
                }
            })
        },
    )?;
    linker.func_wrap_async(
        STORE,
        "[method]bucket.list-keys",
        |mut caller: Context<'_>, params: (u32, u32, u32, u32, u32)| {
            Box::new(async move { list_keys(&mut caller, params).await })
        },
    )?;
    Ok(())
}

async fn list_keys(
    caller: &mut Context<'_>,
    (handle, has_cursor, cursor, len, result): (u32, u32, u32, u32, u32),
) -> Result<()> {
    /// Bytes of a string.
    const EACH: usize = 8;
    let result = aligned(result, 4)?;
    let bucket = bucket(caller, handle)?;
    let cursor = match has_cursor {
        0 => None,
        1 => Some(text(caller, cursor, len)?),
        other => return no_case(other),
    };
    let scope = scope(&mut caller.as_context_mut(), &bucket)?;
    let KeyResponse { keys, cursor } = match keys(
        database(&caller.as_context_mut()),
        &scope,
        cursor.as_deref(),
    ) {
        Ok(response) => response,
        Err(error) => return put_failed(caller, result, 4, error).await,
    };
    let list = room(&mut *caller, 4, keys.len() * EACH).await?;
    for (place, key) in places(list, EACH as u32).zip(&keys) {
        let at = give(caller, key.as_bytes()).await?;
        view(caller)?.0.put_span(place, at, key.len())?;
    }
    let cursor_at = match &cursor {
        Some(cursor) => give(caller, cursor.as_bytes()).await?,
        None => 0,
    };
    let (mut memory, _) = view(caller)?;
    memory.put(result, &[0])?;
    memory.put_span(offset(result, 4)?, list, keys.len())?;
    memory.put(offset(result, 12)?, &[u8::from(cursor.is_some())])?;
    let cursor_len = cursor.map_or(0, |cursor| cursor.len());
    memory.put_span(offset(result, 16)?, cursor_at, cursor_len)
}

fn define_changes(linker: &mut Definitions) -> Result<()> {
    linker.func_wrap_async(
        STORE,
        "[method]bucket.set",
        |mut caller: Context<'_>,
         (handle, key, key_len, at, len, result): (u32, u32, u32, u32, u32, u32)| {
            Box::new(async move {
                let bucket = bucket(&caller, handle)?;
                let key = text(&mut caller, key, key_len)?;
                let value = bytes(&mut caller, at, len)?;
                let mut store = caller.as_context_mut();
                let scope = scope(&mut store, &bucket)?;
                let kind = scope.key(&key).map(|key| Change::Set(vec![(key, value)]));
                let change = change(&store, kind);
                let set = done(change.await);
                put_done(&mut caller, aligned(result, 4)?, set).await
            })
        },
    )?;
    linker.func_wrap_async(
        STORE,
        "[method]bucket.delete",
        |mut caller: Context<'_>, (handle, key, len, result): (u32, u32, u32, u32)| {
            Box::new(async move {
                let bucket = bucket(&caller, handle)?;
                let key = text(&mut caller, key, len)?;
                let mut store = caller.as_context_mut();
                let scope = scope(&mut store, &bucket)?;
                let kind = scope.key(&key).map(|key| Change::Delete(vec![key]));
                let change = change(&store, kind);
                let deleted = done(change.await);
                put_done(&mut caller, aligned(result, 4)?, deleted).await
            })
        },
    )?;
    linker.func_wrap_async(
        ATOMICS,
        "increment",
        |mut caller: Context<'_>, (handle, key, len, delta, result): (u32, u32, u32, i64, u32)| {
            Box::new(async move {
                let bucket = bucket(&caller, handle)?;
                let key = text(&mut caller, key, len)?;
                let result = aligned(result, 8)?;
                let sum = atomics::increment(&mut caller.as_context_mut(), &bucket, &key, delta)?;
                match sum.await {
                    Ok(sum) => {
                        let (mut memory, _) = view(&mut caller)?;
                        memory.put(result, &[0])?;
                        memory.put(offset(result, 8)?, &sum.to_le_bytes())
                    }
                    Err(error) => put_failed(&mut caller, result, 8, error).await,
                }
            })
        },
    )?;
    Ok(())
}

fn define_atomics(linker: &mut Definitions) -> Result<()> {
    linker.func_wrap_async(
        ATOMICS,
        "[static]cas.new",
        |mut caller: Context<'_>, (handle, key, len, result): (u32, u32, u32, u32)| {
            Box::new(async move {
                let bucket = bucket(&caller, handle)?;
                let key = text(&mut caller, key, len)?;
                let cas = match atomics::new(&mut caller.as_context_mut(), &bucket, key)? {
                    Ok(cas) => Ok(caller.data_mut().direct.handles.give(Kind::Cas, &cas)?),
                    Err(error) => Err(error),
                };
                put_handle(&mut caller, aligned(result, 4)?, cas).await
            })
        },
    )?;
    linker.func_wrap_async(
        ATOMICS,
        "[method]cas.current",
        |mut caller: Context<'_>, (handle, result): (u32, u32)| {
            Box::new(async move {
                let cas = caller.data().direct.handles.borrow(Kind::Cas, handle)?;
                let value = atomics::current(&mut caller.as_context_mut(), &cas)?;
                put_value(&mut caller, aligned(result, 4)?, value).await
            })
        },
    )?;
    linker.func_wrap_async(
        ATOMICS,
        "swap",
        |mut caller: Context<'_>, (handle, at, len, result): (u32, u32, u32, u32)| {
            Box::new(async move {
                let result = aligned(result, 4)?;
                let value = bytes(&mut caller, at, len)?;
                let cas = caller.data_mut().direct.handles.take(Kind::Cas, handle)?;
                let (cas, change) = atomics::swap(&mut caller.as_context_mut(), cas, value)?;
                let changed = change.await;
                match atomics::swapped(&mut caller.as_context_mut(), cas, changed)? {
                    Ok(()) => view(&mut caller)?.0.put(result, &[0]),
                    Err(CasError::CasFailed(cas)) => {
                        let cas = caller.data_mut().direct.handles.give(Kind::Cas, &cas)?;
                        let (mut memory, _) = view(&mut caller)?;
                        memory.put(result, &[1, 0, 0, 0, 1])?;
                        memory.put(offset(result, 8)?, &cas.to_le_bytes())
                    }
                    Err(CasError::StoreError(error)) => {
                        view(&mut caller)?.0.put(offset(result, 4)?, &[0])?;
                        put_failed(&mut caller, result, 8, error).await
                    }
                }
            })
        },
    )?;
    linker.func_wrap(
        ATOMICS,
        "[resource-drop]cas",
        |mut caller: Context<'_>, handle: u32| {
            let guest = caller.data_mut();
            let cas: Resource<Cas> = guest.direct.handles.take(Kind::Cas, handle)?;
            guest.table().delete(cas)?;
            Ok(())
        },
    )?;
    Ok(())
}

fn text(caller: &mut Context<'_>, at: u32, len: u32) -> Result<String> {
    let (memory, guest) = view(caller)?;
    check(len, guest.plugin().instance.call_bytes_max)?;
    Ok(memory.text(at, len)?.to_owned())
}

fn bytes(caller: &mut Context<'_>, at: u32, len: u32) -> Result<Vec<u8>> {
    let (memory, guest) = view(caller)?;
    check(len, guest.plugin().instance.call_bytes_max)?;
    Ok(memory.bytes(at, len)?.to_vec())
}

fn check(len: u32, bytes_max: usize) -> Result<()> {
    match len as usize > bytes_max {
        true => wasmtime::bail!("a call has more than {bytes_max} bytes"),
        false => Ok(()),
    }
}

/// Writes a `result<option<list<u8>>, error>`.
async fn put_value(
    caller: &mut Context<'_>,
    result: u32,
    value: Result<Option<Vec<u8>>, Error>,
) -> Result<()> {
    match value {
        Ok(None) => view(caller)?.0.put(result, &[0, 0, 0, 0, 0]),
        Ok(Some(value)) => {
            let at = give(caller, &value).await?;
            let (mut memory, _) = view(caller)?;
            memory.put(result, &[0, 0, 0, 0, 1])?;
            memory.put_span(offset(result, 8)?, at, value.len())
        }
        Err(error) => put_failed(caller, result, 4, error).await,
    }
}

/// Writes a `result<own<…>, error>`.
async fn put_handle(
    caller: &mut Context<'_>,
    result: u32,
    handle: Result<u32, Error>,
) -> Result<()> {
    match handle {
        Ok(handle) => {
            let (mut memory, _) = view(caller)?;
            memory.put(result, &[0])?;
            memory.put(offset(result, 4)?, &handle.to_le_bytes())
        }
        Err(error) => put_failed(caller, result, 4, error).await,
    }
}

/// Writes a `result<_, error>`.
async fn put_done(caller: &mut Context<'_>, result: u32, done: Result<(), Error>) -> Result<()> {
    match done {
        Ok(()) => view(caller)?.0.put(result, &[0]),
        Err(error) => put_failed(caller, result, 4, error).await,
    }
}

/// Writes the error of a result whose content is so many bytes behind its
/// beginning.
async fn put_failed(caller: &mut Context<'_>, result: u32, by: u32, error: Error) -> Result<()> {
    let (case, text) = match error {
        Error::NoSuchStore => (0, String::new()),
        Error::AccessDenied => (1, String::new()),
        Error::Other(text) => (2, text),
    };
    let at = match text.is_empty() {
        true => 0,
        false => give(caller, text.as_bytes()).await?,
    };
    let (mut memory, _) = view(caller)?;
    memory.put(result, &[1])?;
    let content = offset(result, by)?;
    memory.put(content, &[case])?;
    memory.put_span(offset(content, 4)?, at, text.len())
}
