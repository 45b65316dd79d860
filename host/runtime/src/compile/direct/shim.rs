//! The two small modules through which imports reach a module that has the memory
//! for them: functions that pass what they are given on through a table, and what
//! fills the table. They are recognized by what they do.

use wasmparser::{
    ElementItems, ElementKind, ExternalKind, FuncType, FunctionBody, Operator, Parser, Payload,
    TypeRef,
};

/// The name of the table, with both.
pub(super) const TABLE: &str = "$imports";

/// Whether the functions of the first module, by the names 0, 1 and so on, are the
/// functions which the second is given by the same names.
pub(super) fn check((shim, fixup): (&[u8], &[u8])) -> Option<()> {
    let count = count_of_shim(shim)?;
    (count_of_fixup(fixup)? == count).then_some(())
}

/// The number of functions, each of which calls what lies in its own place of the
/// table. None if the module does anything else.
fn count_of_shim(module: &[u8]) -> Option<u32> {
    let mut types: Vec<FuncType> = Vec::new();
    let mut function_types = Vec::new();
    let mut exported = Vec::new();
    let mut count = 0;
    for payload in Parser::new(0).parse_all(module) {
        match payload.ok()? {
            Payload::Version { .. } | Payload::CustomSection(_) | Payload::End(_) => {}
            Payload::TypeSection(section) => {
                for kind in section.into_iter_err_on_gc_types() {
                    types.push(kind.ok()?);
                }
            }
            Payload::FunctionSection(section) => {
                for kind in section {
                    function_types.push(kind.ok()?);
                }
            }
            Payload::TableSection(section) if section.count() == 1 => {}
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export.ok()?;
                    match (export.kind, export.name, export.index) {
                        (ExternalKind::Table, TABLE, 0) => {}
                        (ExternalKind::Func, name, index) => {
                            exported.push((name, index));
                        }
                        _ => return None,
                    }
                }
            }
            Payload::CodeSectionStart { .. } => {}
            Payload::CodeSectionEntry(body) => {
                let kind = *function_types.get(count as usize)?;
                check_passes_on(&body, count, kind, types.get(kind as usize)?)?;
                count += 1;
            }
            _ => return None,
        }
    }
    // Each function by its own number.
    let is_own = exported
        .iter()
        .all(|(name, index)| *name == index.to_string());
    (is_own && exported.len() == count as usize).then_some(count)
}

/// All parameters, the place in the table, the call; nothing else.
fn check_passes_on(body: &FunctionBody<'_>, place: u32, kind: u32, of: &FuncType) -> Option<()> {
    if body.get_locals_reader().ok()?.get_count() != 0 {
        return None;
    }
    let mut operators = body.get_operators_reader().ok()?;
    for local in 0..of.params().len() as u32 {
        match operators.read().ok()? {
            Operator::LocalGet { local_index } if local_index == local => {}
            _ => return None,
        }
    }
    match (operators.read().ok()?, operators.read().ok()?) {
        (
            Operator::I32Const { value },
            Operator::CallIndirect {
                type_index,
                table_index: 0,
            },
        ) if value == place as i32 && type_index == kind => {}
        _ => return None,
    }
    matches!(operators.read().ok()?, Operator::End).then_some(())
}

/// The number of imported functions which the module writes to the table, each to
/// its own place. None if it does anything else.
fn count_of_fixup(module: &[u8]) -> Option<u32> {
    let mut count = 0;
    let mut written = None;
    for payload in Parser::new(0).parse_all(module) {
        match payload.ok()? {
            Payload::Version { .. }
            | Payload::CustomSection(_)
            | Payload::TypeSection(_)
            | Payload::End(_) => {}
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import.ok()?;
                    match (import.module, import.ty) {
                        ("", TypeRef::Func(_)) if import.name == count.to_string() => count += 1,
                        ("", TypeRef::Table(_)) if import.name == TABLE => {}
                        _ => return None,
                    }
                }
            }
            Payload::ElementSection(section) => {
                let mut segments = section.into_iter();
                let segment = segments.next()?.ok()?;
                if written.is_some() || segments.next().is_some() {
                    return None;
                }
                let ElementKind::Active {
                    table_index: None | Some(0),
                    offset_expr,
                } = segment.kind
                else {
                    return None;
                };
                let mut offset = offset_expr.get_operators_reader();
                match (offset.read().ok()?, offset.read().ok()?) {
                    (Operator::I32Const { value: 0 }, Operator::End) => {}
                    _ => return None,
                }
                let ElementItems::Functions(functions) = segment.items else {
                    return None;
                };
                let functions = functions.into_iter().collect::<Result<Vec<u32>, _>>();
                written = Some(functions.ok()?);
            }
            _ => return None,
        }
    }
    let is_in_order = written?.into_iter().eq(0..count);
    is_in_order.then_some(count)
}
