//! How modules get what they import, and what is found of them in a component.

use futures_util::FutureExt;
use wasmtime::component::{self, Component};
use wasmtime::{Engine, InstancePre, Module, Result, Store};

use super::{Definitions, wasi};
use crate::compile::direct::{GLUE, MODULE};
use crate::guest::Guest;
use crate::world::websocket_0_1_0::direct as websocket;

/// All that modules may import, for each engine.
pub(crate) struct Linker(Definitions);

/// What instances of a module are made from.
pub(crate) struct Direct {
    pub(crate) pre: InstancePre<Guest>,
    pub(crate) websocket: websocket::Exports,
}

/// How long that instance may take to make, in ticks of the engine's clock, of which
/// it takes none.
const TICKS_MAX: u64 = 100;

/// Whether modules get this function of an interface.
pub(crate) fn is_there(interface: &str, function: &str) -> bool {
    let mut interfaces = websocket::IMPORTS.iter().chain(wasi::IMPORTS);
    interfaces.any(|(name, functions)| *name == interface && functions.contains(&function))
}

impl Linker {
    pub(crate) fn new(engine: &Engine) -> Result<Self> {
        let mut definitions = Definitions::new(engine);
        websocket::define(&mut definitions)?;
        wasi::define(&mut definitions)?;
        Ok(Self(definitions))
    }

    /// What is linked directly of a component, if it was prepared for it.
    pub(crate) fn find(&self, component: &Component) -> Result<Option<Direct>> {
        if component.get_export(None, MODULE).is_none() {
            return Ok(None);
        }
        let [module, glue] = modules(component)?;
        let pre = self.0.instantiate_pre(&module)?;
        let websocket = websocket::Exports::find(&module, glue)?;
        Ok(Some(Direct { pre, websocket }))
    }
}

/// The modules which a component exports. The engine gives them only to who makes
/// an instance, which does nothing: its functions have no code.
fn modules(component: &Component) -> Result<[Module; 2]> {
    let mut linker = component::Linker::new(component.engine());
    linker.define_unknown_imports_as_traps(component)?;
    let pre = linker.instantiate_pre(component)?;
    let mut store = Store::new(component.engine(), ());
    store.set_epoch_deadline(TICKS_MAX);
    let made = pre.instantiate_async(&mut store).now_or_never();
    let none = || wasmtime::Error::msg("a component does not export what was added to it");
    let instance = made.ok_or_else(none)??;
    let mut module = |name| instance.get_module(&mut store, name).ok_or_else(none);
    Ok([module(MODULE)?, module(GLUE)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_to_be_there_is() {
        let engine = Engine::default();
        let Linker(definitions) = Linker::new(&engine).unwrap();
        let refused = |interface: &str, function: &str| {
            let module = format!(r#"(module (import "{interface}" "{function}" (global i32)))"#);
            let module = Module::new(&engine, wat::parse_str(module).unwrap()).unwrap();
            let error = definitions.instantiate_pre(&module).err().unwrap();
            format!("{error:#}")
        };
        for (interface, functions) in websocket::IMPORTS.iter().chain(wasi::IMPORTS) {
            for function in *functions {
                let error = refused(interface, function);
                assert!(error.contains("expected global, but found func"), "{error}");
                assert!(is_there(interface, function));
            }
        }
        let error = refused("wasi:io/streams@0.2", "fly");
        assert!(error.contains("unknown import"), "{error}");
        assert!(!is_there("wasi:io/streams@0.2", "fly"));
    }
}
