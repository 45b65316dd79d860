//! `holdfast component`: makes a component of a core module. The compilers of C
//! and Go write core modules, and the tool that is otherwise needed for this step
//! is one thing less to install.

mod debugging;
mod types;

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME as ADAPTER, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
use wit_component::ComponentEncoder;

use crate::cli::Component;
use crate::problem::Problem;

/// Reads the module, and writes the component in one step, so that nobody who
/// watches the file sees half of it.
pub(crate) fn component(arguments: &Component) -> Result<(), Problem> {
    let module = fs::read(&arguments.module).map_err(|error| {
        Problem::new(
            format!("{}: it can't be read: {error}", arguments.module.display()),
            "name the module which the compiler has written",
        )
    })?;
    let component = encode(&module).map_err(|error| {
        Problem::new(
            format!(
                "{}: no component can be made of it: {error:#}",
                arguments.module.display()
            ),
            "build it as a reactor (`-mexec-model=reactor` in C, `-buildmode=c-shared` in Go), \
             with the bindings of the SDK",
        )
    })?;
    write(&arguments.output, &component).map_err(|error| {
        Problem::new(
            format!(
                "{}: it can't be written: {error}",
                arguments.output.display()
            ),
            "name a file in a folder which is there, with --output",
        )
    })
}

fn encode(module: &[u8]) -> anyhow::Result<Vec<u8>> {
    ComponentEncoder::default()
        .validate(true)
        .module(&types::added(debugging::left_out(module))?)?
        .adapter(ADAPTER, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER)?
        .encode()
}

fn write(path: &Path, component: &[u8]) -> std::io::Result<()> {
    // Hidden, so that `holdfast dev` does not take it for a source.
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".partial");
    let partial = path.with_file_name(name);
    fs::write(&partial, component)?;
    fs::rename(&partial, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_is_made_of_a_module_alone() {
        let component = encode(b"\0asm\x01\0\0\0").unwrap();
        assert!(encode(&component).is_err());
        assert!(encode(b"no wasm").is_err());
    }

    #[test]
    fn the_types_of_a_module_follow_from_its_exports() {
        let module = types::added(b"\0asm\x01\0\0\0".to_vec()).unwrap();
        assert!(module.len() > 8);
        // It says itself what it is now.
        assert_eq!(types::added(module.clone()).unwrap(), module);
    }
}
