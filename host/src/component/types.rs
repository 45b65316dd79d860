//! The interfaces of a module which does not say itself what they are: not every
//! compiler can put that into a module. They follow from the names of what it
//! exports; of what it could import, the encoder takes what it does.

use std::collections::BTreeSet;
use std::fmt::Write;

use wasmparser::{Parser, Payload};
use wit_component::{StringEncoding, embed_component_metadata};
use wit_parser::{Resolve, SourceMap};

/// The packages which are known, in the order in which they depend on each other;
/// each is of one file or of several.
const PACKAGES: &[&[&str]] = &[
    &[include_str!("../../../sdk/c/wit/io-0.2.12.wit")],
    &[include_str!("../../../sdk/c/wit/clocks-0.2.12.wit")],
    &[include_str!("../../../sdk/c/wit/http-0.2.12.wit")],
    &[include_str!("../../../sdk/c/wit/config-0.2.0-rc.1.wit")],
    &[include_str!("../../../sdk/c/wit/keyvalue-0.2.0-draft2.wit")],
    &[include_str!("../../../sdk/c/wit/logging-0.1.0-draft.wit")],
    &[
        include_str!("../../../wit/websocket-0.1.0/types.wit"),
        include_str!("../../../wit/websocket-0.1.0/attachments.wit"),
        include_str!("../../../wit/websocket-0.1.0/connections.wit"),
        include_str!("../../../wit/websocket-0.1.0/handler.wit"),
        include_str!("../../../wit/websocket-0.1.0/topics.wit"),
    ],
    &[include_str!("../../../sdk/c/wit/worlds.wit")],
];

/// The section in which a module says what its interfaces are begins like this.
const SECTION: &str = "component-type";

/// Adds the types, unless the module has brought them along.
pub(super) fn added(mut module: Vec<u8>) -> anyhow::Result<Vec<u8>> {
    let Some(exports) = exports(&module)? else {
        return Ok(module);
    };
    let mut world = String::from("package holdfast:module;\nworld module {\n");
    world.push_str("    include holdfast:sdk/capabilities;\n");
    for interface in exports {
        writeln!(world, "    export {interface};")?;
    }
    world.push_str("}\n");
    let mut resolve = Resolve::default();
    for (number, files) in PACKAGES.iter().enumerate() {
        let mut sources = SourceMap::default();
        for (file, text) in files.iter().copied().enumerate() {
            sources.push_str(&format!("{number}-{file}.wit"), text);
        }
        let package = sources.parse().map_err(|(_, error)| error)?;
        resolve.push_group(package)?;
    }
    let package = resolve.push_source("module.wit", &world)?;
    let world = resolve.select_world(&[package], None)?;
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)?;
    Ok(module)
}

/// The interfaces of which a module exports functions; none if it says itself
/// what they are.
fn exports(module: &[u8]) -> anyhow::Result<Option<BTreeSet<String>>> {
    let mut interfaces = BTreeSet::new();
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::CustomSection(section) if section.name().starts_with(SECTION) => {
                return Ok(None);
            }
            Payload::ExportSection(exports) => {
                for export in exports {
                    // Functions that free results are named for what they free.
                    let name = export?.name.trim_start_matches("cabi_post_");
                    if let Some((interface, _)) = name.split_once('#') {
                        interfaces.insert(interface.to_owned());
                    }
                }
            }
            _ => {}
        }
    }
    Ok(Some(interfaces))
}
