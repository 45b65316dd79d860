//! How modules get what they import, and what is found of them in a component.

use std::borrow::Cow;

use futures_util::FutureExt;
use wasmtime::component::{self, Component};
use wasmtime::{Engine, InstancePre, Module, Result, Store};

use super::made::{Base, none};
use super::{Definitions, canon, capabilities, wasi};
use crate::capability::keyvalue::direct as keyvalue;
use crate::compile::direct::{AGAIN, GLUE, MODULE};
use crate::guest::Guest;
use crate::http_0_3::direct as http;
use crate::world::websocket_0_1_0::direct as websocket;

/// All that modules may import, for each engine.
pub(crate) struct Linker(Definitions);

/// What instances of a module are made from.
pub(crate) struct Direct {
    pre: InstancePre<Guest>,
    base: Base,
    websocket: Option<websocket::Exports>,
    http: Option<http::Exports>,
}

/// The handlers of an instance.
pub(crate) struct Handlers {
    pub(crate) websocket: Option<websocket::Handlers>,
    pub(crate) http: Option<http::Handlers>,
}

impl Direct {
    /// Makes an instance.
    pub(crate) async fn instantiate(&self, store: &mut Store<Guest>) -> Result<Handlers> {
        let instance = self.pre.instantiate_async(&mut *store).await?;
        store.data_mut().set_made();
        let mut made = self.base.of(store, instance)?;
        Ok(Handlers {
            websocket: match &self.websocket {
                Some(exports) => Some(exports.of(&mut made).await?),
                None => None,
            },
            http: match &self.http {
                Some(exports) => Some(exports.of(&mut made)?),
                None => None,
            },
        })
    }
}

/// All interfaces of which modules get something.
pub(crate) fn imports() -> impl Iterator<Item = &'static (&'static str, &'static [&'static str])> {
    let all = [
        websocket::IMPORTS,
        http::IMPORTS,
        http::client::IMPORTS,
        canon::IMPORTS,
        capabilities::IMPORTS,
        keyvalue::IMPORTS,
        wasi::IMPORTS,
    ];
    all.into_iter().flatten()
}

/// How long that instance may take to make, in ticks of the engine's clock, of which
/// it takes none.
const TICKS_MAX: u64 = 100;

/// Whether modules get this function of an interface.
pub(crate) fn is_there(interface: &str, function: &str) -> bool {
    imports().any(|(name, functions)| *name == interface && functions.contains(&function))
}

impl Linker {
    pub(crate) fn new(engine: &Engine) -> Result<Self> {
        let mut definitions = Definitions::new(engine);
        websocket::define(&mut definitions)?;
        http::define(&mut definitions)?;
        http::client::define(&mut definitions)?;
        canon::define(&mut definitions)?;
        capabilities::define(&mut definitions)?;
        keyvalue::define(&mut definitions)?;
        wasi::define(&mut definitions)?;
        Ok(Self(definitions))
    }

    /// What is linked directly of a component, if it was prepared for it.
    pub(crate) fn find(&self, component: &Component) -> Result<Option<Direct>> {
        if component.get_export(None, MODULE).is_none() {
            return Ok(None);
        }
        let (module, glue) = modules(component)?;
        let websocket = glue.map(|glue| websocket::Exports::find(&module, glue));
        Ok(Some(Direct {
            pre: self.of(&module)?.instantiate_pre(&module)?,
            base: Base::find(&module)?,
            websocket: websocket.transpose()?,
            http: http::Exports::find(&module),
        }))
    }
}

impl Linker {
    /// With all the names by which a module imports the same.
    fn of(&self, module: &Module) -> Result<Cow<'_, Definitions>> {
        let mut definitions = Cow::Borrowed(&self.0);
        for import in module.imports() {
            let (interface, name) = (import.module(), import.name());
            if let Some((once, _)) = name.split_once(AGAIN) {
                let definitions = definitions.to_mut();
                definitions.alias(interface, once, interface, name)?;
            }
        }
        Ok(definitions)
    }
}

/// The modules which a component exports. The engine gives them only to who makes
/// an instance, which does nothing: its functions have no code.
fn modules(component: &Component) -> Result<(Module, Option<Module>)> {
    let mut linker = component::Linker::new(component.engine());
    linker.define_unknown_imports_as_traps(component)?;
    let pre = linker.instantiate_pre(component)?;
    let mut store = Store::new(component.engine(), ());
    store.set_epoch_deadline(TICKS_MAX);
    let made = pre.instantiate_async(&mut store).now_or_never();
    let instance = made.ok_or_else(none)??;
    let module = instance.get_module(&mut store, MODULE).ok_or_else(none)?;
    Ok((module, instance.get_module(&mut store, GLUE)))
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
        for (interface, functions) in imports() {
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
