//! Components of a simple form, prepared for being linked directly. A call through
//! the engine's component model costs many times as much as one of a module, so
//! where a component is one module in the form in which tools write it
//! ([`plan`]), and all that it imports is there for modules too
//! ([`crate::direct`]), the host links that module itself.
//!
//! Such a component is compiled with two modules more, which it exports: the
//! author's, whose imports and exports have names of ours, and the glue which
//! calls it. What was the author's module before keeps its types, and has no code
//! any more: through it the engine still checks that the component imports and
//! exports what the host has.
//!
//! ```text
//!  before: main, shim, fixup          ──► imports, exports
//!  after:  main without code, shim, fixup ──► imports, exports
//!          main, with other names     ──► `holdfast-module`
//!          glue                       ──► `holdfast-glue`
//! ```

mod graph;
mod plan;
mod shim;
mod turns;

use std::borrow::Cow;
use std::collections::HashMap;

use wasmparser::{
    BinaryReader, CodeSectionReader, ExportSectionReader, ExternalKind, ImportSectionReader,
    TypeRef,
};

use super::pieces::section::{Section, put_number, put_section, sections};
use super::pieces::{self, HEADER_LEN};
use graph::Graph;
use plan::{Plan, Target};

use crate::direct::turns::IN_TURNS;

/// Under which names a component exports its module, and the glue.
pub(crate) const MODULE: &str = "holdfast-module";
pub(crate) const GLUE: &str = "holdfast-glue";

/// Between the name of what a module imports several times, and a number.
pub(crate) const AGAIN: char = '~';

pub(super) const GLUE_BYTES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/glue.wasm"));

/// Sections of a component (component model, Binary.md), and a sort of them.
const CORE_MODULE: u8 = 1;
const EXPORT: u8 = 11;
/// The exports of a module.
const MODULE_EXPORT: u8 = 7;
const SORT_CORE_MODULE: [u8; 2] = [0x00, 0x11];

/// Whether a component exports this only since it was prepared.
pub(crate) fn is_added(name: &str) -> bool {
    [MODULE, GLUE].contains(&name)
}

/// Whether a component says of itself that it was prepared, which only the host
/// may.
pub(crate) fn is_claimed(component: &[u8]) -> bool {
    let sections = component.get(HEADER_LEN..).unwrap_or_default();
    Graph::read(sections).is_ok_and(|graph| graph.exports.iter().any(|it| is_added(it.0)))
}

/// The component with what is linked directly. None if it is not of that form, or
/// imports what modules don't get.
pub(crate) fn prepare(component: &[u8], is_there: fn(&str, &str) -> bool) -> Option<Vec<u8>> {
    let graph = Graph::read(component.get(HEADER_LEN..)?).ok()?;
    let mut plan = Plan::of(&graph)?;
    let mut targets = plan.imports.values();
    if !targets.all(|target| is_there(&target.interface, &target.name)) {
        return None;
    }
    // Numbers of modules count those of other sections, which there are none of.
    let modules = graph.modules.iter().flatten().count();
    if modules != graph.modules.len() {
        return None;
    }
    let mut whole = component.get(..HEADER_LEN)?.to_vec();
    let mut index = 0;
    for section in sections(component.get(HEADER_LEN..)?) {
        let Section { id, content } = section.ok()?;
        if id == CORE_MODULE && index == plan.module {
            put_section(&mut whole, id, &without_code(content)?);
        } else {
            put_section(&mut whole, id, content);
        }
        index += usize::from(id == CORE_MODULE);
    }
    let main = graph.modules.get(plan.module).copied()??;
    let main = with_turns(main, &mut plan, is_there)?;
    put_section(&mut whole, CORE_MODULE, &renamed(&main, &plan)?);
    let mut added = vec![(MODULE, modules)];
    if plan.has_websocket {
        put_section(&mut whole, CORE_MODULE, GLUE_BYTES);
        added.push((GLUE, modules + 1));
    }
    let mut exports = Vec::new();
    put_number(&mut exports, added.len() as u32);
    for (name, index) in added {
        exports.push(0);
        put_name(&mut exports, name);
        exports.extend(SORT_CORE_MODULE);
        put_number(&mut exports, index as u32);
        // No type besides its own.
        exports.push(0);
    }
    put_section(&mut whole, EXPORT, &exports);
    Some(whole)
}

/// The module with the same types, whose functions all trap.
fn without_code(module: &[u8]) -> Option<Vec<u8>> {
    const START: u8 = 8;
    const ELEMENT: u8 = 9;
    const DATA: u8 = 11;
    const DATA_COUNT: u8 = 12;
    /// Length, no locals, `unreachable`, `end`.
    const BODY: [u8; 4] = [3, 0x00, 0x00, 0x0b];
    let mut whole = module.get(..HEADER_LEN)?.to_vec();
    for section in sections(module.get(HEADER_LEN..)?) {
        let Section { id, content } = section.ok()?;
        match id {
            pieces::CUSTOM | START | ELEMENT | DATA | DATA_COUNT => {}
            pieces::CODE => {
                let count = CodeSectionReader::new(BinaryReader::new(content, 0));
                let count = count.ok()?.count();
                let mut code = Vec::new();
                put_number(&mut code, count);
                code.extend((0..count).flat_map(|_| BODY));
                put_section(&mut whole, id, &code);
            }
            _ => put_section(&mut whole, id, content),
        }
    }
    Some(whole)
}

/// The module with functions before those imports with which it can take turns.
fn with_turns<'m>(
    module: &'m [u8],
    plan: &mut Plan,
    is_there: fn(&str, &str) -> bool,
) -> Option<Cow<'m, [u8]>> {
    let functions = functions(module)?;
    let target = |number: u32| {
        let (name, _) = functions.get(number as usize)?;
        plan.imports.get(name)
    };
    let takes_turns = |number: &u32| {
        let in_turns = |target: &Target| format!("{IN_TURNS}{}", target.name);
        target(*number).is_some_and(|target| is_there(&target.interface, &in_turns(target)))
    };
    let candidates = (0..functions.len() as u32).filter(takes_turns).collect();
    let mut imports: Vec<_> = turns::only_called(module, &candidates)?
        .into_iter()
        .collect();
    let realloc = plan.exports.iter().find(|(new, _)| new == "realloc");
    let (false, Some((_, realloc))) = (imports.is_empty(), realloc) else {
        return Some(Cow::Borrowed(module));
    };
    let realloc = exported(module, realloc)?;
    imports.sort_unstable();
    let mut kinds = Vec::new();
    for number in imports {
        let (name, kind) = functions.get(number as usize)?;
        let target = plan.imports.get_mut(name)?;
        // Perhaps it has several numbers.
        if !target.name.starts_with(IN_TURNS) {
            target.name.insert_str(0, IN_TURNS);
        }
        kinds.push((number, *kind));
    }
    let module = turns::stand_before(module, &kinds, functions.len() as u32, realloc)?;
    Some(Cow::Owned(module))
}

type Names = (String, String);

/// The functions which a module imports, and their types. It imports nothing else.
fn functions(module: &[u8]) -> Option<Vec<(Names, u32)>> {
    let mut functions = Vec::new();
    for section in sections(module.get(HEADER_LEN..)?) {
        let Section { id, content } = section.ok()?;
        if id != pieces::IMPORT {
            continue;
        }
        let reader = ImportSectionReader::new(BinaryReader::new(content, 0)).ok()?;
        for import in reader.into_imports() {
            let import = import.ok()?;
            let TypeRef::Func(kind) = import.ty else {
                return None;
            };
            let name = (import.module.to_owned(), import.name.to_owned());
            functions.push((name, kind));
        }
    }
    Some(functions)
}

/// The number of the function which a module exports by this name.
fn exported(module: &[u8], name: &str) -> Option<u32> {
    for section in sections(module.get(HEADER_LEN..)?) {
        let Section { id, content } = section.ok()?;
        if id == MODULE_EXPORT {
            let reader = ExportSectionReader::new(BinaryReader::new(content, 0)).ok()?;
            for export in reader {
                let export = export.ok()?;
                if export.name == name && export.kind == ExternalKind::Func {
                    return Some(export.index);
                }
            }
        }
    }
    None
}

/// The module with its imports and exports as the host links them.
fn renamed(module: &[u8], plan: &Plan) -> Option<Vec<u8>> {
    let mut whole = module.get(..HEADER_LEN)?.to_vec();
    for section in sections(module.get(HEADER_LEN..)?) {
        let Section { id, content } = section.ok()?;
        match id {
            pieces::IMPORT => put_section(&mut whole, id, &imports(&functions(module)?, plan)?),
            MODULE_EXPORT => put_section(&mut whole, id, &exports(content, plan)?),
            _ => put_section(&mut whole, id, content),
        }
    }
    Some(whole)
}

fn imports(functions: &[(Names, u32)], plan: &Plan) -> Option<Vec<u8>> {
    let mut imports = Vec::new();
    let mut seen: HashMap<&Target, u32> = HashMap::new();
    for (name, kind) in functions {
        let target = plan.imports.get(name)?;
        let before = seen.entry(target).or_default();
        put_name(&mut imports, &target.interface);
        // A module in a component must not import two things by the same name.
        match before {
            0 => put_name(&mut imports, &target.name),
            ref again => put_name(&mut imports, &format!("{}{AGAIN}{again}", target.name)),
        }
        *before += 1;
        imports.push(0);
        put_number(&mut imports, *kind);
    }
    Some(counted(functions.len() as u32, &imports))
}

fn exports(content: &[u8], plan: &Plan) -> Option<Vec<u8>> {
    let reader = ExportSectionReader::new(BinaryReader::new(content, 0)).ok()?;
    let exported = reader.into_iter().collect::<Result<Vec<_>, _>>().ok()?;
    let mut exports = Vec::new();
    for (new, old) in &plan.exports {
        let export = exported.iter().find(|export| export.name == old)?;
        put_name(&mut exports, new);
        exports.push(match export.kind {
            ExternalKind::Func => 0,
            ExternalKind::Memory => 2,
            _ => return None,
        });
        put_number(&mut exports, export.index);
    }
    Some(counted(plan.exports.len() as u32, &exports))
}

fn counted(count: u32, items: &[u8]) -> Vec<u8> {
    let mut whole = Vec::with_capacity(items.len() + 5);
    put_number(&mut whole, count);
    whole.extend_from_slice(items);
    whole
}

fn put_name(bytes: &mut Vec<u8>, name: &str) {
    put_number(bytes, name.len() as u32);
    bytes.extend_from_slice(name.as_bytes());
}

#[cfg(test)]
mod tests;
