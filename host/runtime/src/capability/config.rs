//! `wasi:config`: the plugin's settings, as the operator wrote them. Reading
//! can't fail, so the errors of the interface never occur.

use wasmtime::component::{ComponentType, Linker, Lower, WasmStr};
use wasmtime::{Result, StoreContextMut};

use crate::guest::Guest;

/// The interface, and the drafts before it, which differ from it by their names.
const STORES: [&str; 4] = [
    "wasi:config/store@0.2.0-rc.1",
    "wasi:config/store@0.2.0-draft",
    "wasi:config/store@0.2.0-draft-2024-09-27",
    "wasi:config/runtime@0.2.0-draft",
];

/// `error`.
#[derive(ComponentType, Lower)]
#[component(variant)]
#[allow(dead_code, reason = "the interface has them, and we never fail")]
enum Error {
    #[component(name = "upstream")]
    Upstream(String),
    #[component(name = "io")]
    Io(String),
}

/// Adds the interface under all its names.
pub(crate) fn add_to_linker(linker: &mut Linker<Guest>) -> Result<()> {
    STORES.iter().try_for_each(|name| add(linker, name))
}

fn add(linker: &mut Linker<Guest>, name: &str) -> Result<()> {
    let mut store = linker.instance(name)?;
    store.func_wrap(
        "get",
        |store: StoreContextMut<'_, Guest>, (key,): (WasmStr,)| {
            let key = key.to_str(&store)?;
            let config = &store.data().plugin().grants.config;
            let value = config.get(&*key).map(|it| it.reveal().to_owned());
            Ok((Ok::<_, Error>(value),))
        },
    )?;
    store.func_wrap("get-all", |store: StoreContextMut<'_, Guest>, (): ()| {
        let config = &store.data().plugin().grants.config;
        let all = config
            .iter()
            .map(|(key, value)| (key.clone(), value.reveal().to_owned()))
            .collect::<Vec<_>>();
        Ok((Ok::<_, Error>(all),))
    })
}
