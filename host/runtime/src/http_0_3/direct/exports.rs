//! The handler of a module, an async function: it returns when it waits, and is
//! called again when what it waits for has happened.

use wasmtime::{Module, Result, Store, TypedFunc, bail};

use crate::direct::{Event, Made};
use crate::guest::Guest;

/// What a module exports.
pub(crate) struct Exports {
    handle: wasmtime::ModuleExport,
    callback: wasmtime::ModuleExport,
}

/// The handler of one instance.
pub(crate) struct Handlers {
    handle: TypedFunc<u32, u32>,
    callback: TypedFunc<(u32, u32, u32), u32>,
}

/// What a call of the guest wants next.
pub(crate) enum Next {
    /// It is done.
    Exit,
    /// Let others run.
    Yield,
    /// Wait for this set.
    Wait(u32),
}

impl Next {
    fn read(code: u32) -> Result<Self> {
        Ok(match code & 0xf {
            0 => Self::Exit,
            1 => Self::Yield,
            2 => Self::Wait(code >> 4),
            _ => bail!("a task returns {code}, which says nothing"),
        })
    }
}

impl Exports {
    /// None if the module has no handler.
    pub(crate) fn find(module: &Module) -> Option<Self> {
        Some(Self {
            handle: module.get_export_index("handle")?,
            callback: module.get_export_index("handle-callback")?,
        })
    }

    pub(crate) fn of(&self, made: &mut Made<'_>) -> Result<Handlers> {
        Ok(Handlers {
            handle: made.function(&self.handle)?,
            callback: made.function(&self.callback)?,
        })
    }
}

impl Handlers {
    /// Begins with a request.
    pub(crate) async fn begin(&self, store: &mut Store<Guest>, request: u32) -> Result<Next> {
        Next::read(self.handle.call_async(store, request).await?)
    }

    /// Goes on.
    pub(crate) async fn go_on(&self, store: &mut Store<Guest>, event: Event) -> Result<Next> {
        let event = (event.code, event.handle, event.payload);
        Next::read(self.callback.call_async(store, event).await?)
    }
}
