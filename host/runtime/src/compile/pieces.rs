//! Long instructions in pieces. `memory.fill`, `memory.copy` and `memory.init` do
//! as much as a guest says, and the engine interrupts none of them: with 128 MiB
//! an event loop would serve nobody else for tens of milliseconds. Before a
//! component is compiled, each of them becomes a call of a function that is added
//! to the module, which does it in pieces; between two of them a guest can be
//! interrupted, as in any loop.
//!
//! What a guest sees of it is the same: the bounds are checked before anything is
//! written, and a copy may overlap. Nothing else in the component is touched, and
//! no index in it changes, since the functions are added at the end.
//!
//! Not seen here is what the engine itself adds where one part of a component
//! passes a list to another.

pub(super) mod helper;
pub(super) mod section;

use std::borrow::Cow;
use std::collections::BTreeMap;

use wasmparser::{
    BinaryReader, BinaryReaderError, CodeSectionReader, FunctionSectionReader, ImportSectionReader,
    MemorySectionReader, Operator, TypeRef, TypeSectionReader,
};

use helper::{Address, Helper};
use section::{Section, put_number, put_section, sections};

/// Begins every module and every component.
pub(super) const HEADER_LEN: usize = 8;
const MODULE: [u8; HEADER_LEN] = *b"\0asm\x01\0\0\0";
const COMPONENT: [u8; HEADER_LEN] = *b"\0asm\x0d\0\x01\0";

/// Components in components; the engine allows fewer.
const DEPTH_MAX: usize = 100;

/// A component can't be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unreadable {
    #[error("a section is not complete")]
    Section,
    #[error("components are nested too deeply")]
    Depth,
    #[error("an instruction uses a memory that is not there")]
    Memory,
    #[error(transparent)]
    Code(#[from] BinaryReaderError),
}

/// The component with its long instructions in pieces.
///
/// # Errors
/// Fails when it can't be read; then it is no component that could be compiled.
pub(crate) fn cut(component: &[u8]) -> Result<Cow<'_, [u8]>, Unreadable> {
    cut_component(component, 0)
}

fn cut_component(bytes: &[u8], depth: usize) -> Result<Cow<'_, [u8]>, Unreadable> {
    const CORE_MODULE: u8 = 1;
    const NESTED: u8 = 4;
    if !bytes.starts_with(&COMPONENT) {
        // The engine says what is wrong with it.
        return Ok(Cow::Borrowed(bytes));
    }
    if depth > DEPTH_MAX {
        return Err(Unreadable::Depth);
    }
    let mut whole = COMPONENT.to_vec();
    for section in sections(bytes.get(HEADER_LEN..).unwrap_or_default()) {
        let Section { id, content } = section?;
        let content = match id {
            CORE_MODULE => cut_module(content)?,
            NESTED => cut_component(content, depth + 1)?,
            _ => Cow::Borrowed(content),
        };
        put_section(&mut whole, id, &content);
    }
    Ok(Cow::Owned(whole))
}

/// What has to be known of a module.
#[derive(Default)]
struct Module {
    types: u32,
    functions: u32,
    memories: Vec<Address>,
    /// Each with the number of the function that is added for it.
    helpers: BTreeMap<Helper, u32>,
}

/// Sections of a module (core specification, section 5.5.2).
const TYPE: u8 = 1;
pub(super) const IMPORT: u8 = 2;
const FUNCTION: u8 = 3;
const MEMORY: u8 = 5;
pub(super) const CODE: u8 = 10;
pub(super) const CUSTOM: u8 = 0;

fn cut_module(bytes: &[u8]) -> Result<Cow<'_, [u8]>, Unreadable> {
    if !bytes.starts_with(&MODULE) {
        return Ok(Cow::Borrowed(bytes));
    }
    let sections = sections(bytes.get(HEADER_LEN..).unwrap_or_default());
    let sections = sections.collect::<Result<Vec<_>, _>>()?;
    let mut module = Module::default();
    for Section { id, content } in &sections {
        module.learn(*id, content)?;
    }
    if module.helpers.is_empty() {
        return Ok(Cow::Borrowed(bytes));
    }
    let mut whole = MODULE.to_vec();
    for Section { id, content } in sections {
        match id {
            TYPE => put_section(&mut whole, id, &module.types(content)?),
            FUNCTION => put_section(&mut whole, id, &module.function_types(content)?),
            CODE => put_section(&mut whole, id, &module.code(content)?),
            // Hints about code that has moved.
            CUSTOM if is_about_code(content) => {}
            _ => put_section(&mut whole, id, content),
        }
    }
    Ok(Cow::Owned(whole))
}

pub(super) fn is_about_code(custom: &[u8]) -> bool {
    let mut reader = BinaryReader::new(custom, 0);
    let name = reader.read_string();
    name.is_ok_and(|name| name.starts_with("metadata.code."))
}

impl Module {
    /// Notes what a section says, in the order of the sections: the code comes
    /// behind all that it refers to.
    fn learn(&mut self, id: u8, content: &[u8]) -> Result<(), Unreadable> {
        let reader = BinaryReader::new(content, 0);
        match id {
            TYPE => {
                for group in TypeSectionReader::new(reader)? {
                    self.types += group?.types().len() as u32;
                }
            }
            IMPORT => {
                for import in ImportSectionReader::new(reader)?.into_imports() {
                    match import?.ty {
                        TypeRef::Func(_) | TypeRef::FuncExact(_) => self.functions += 1,
                        TypeRef::Memory(memory) => self.memories.push(Address::of(&memory)),
                        _ => {}
                    }
                }
            }
            FUNCTION => self.functions += FunctionSectionReader::new(reader)?.count(),
            MEMORY => {
                for memory in MemorySectionReader::new(reader)? {
                    self.memories.push(Address::of(&memory?));
                }
            }
            CODE => self.find_helpers(reader)?,
            _ => {}
        }
        Ok(())
    }

    fn find_helpers(&mut self, code: BinaryReader<'_>) -> Result<(), Unreadable> {
        for body in CodeSectionReader::new(code)? {
            for operator in body?.get_operators_reader()? {
                if let Some(helper) = self.helper(&operator?)? {
                    let next = self.functions + self.helpers.len() as u32;
                    self.helpers.entry(helper).or_insert(next);
                }
            }
        }
        Ok(())
    }

    /// What is to do in place of an instruction, if it is one of the long ones.
    fn helper(&self, operator: &Operator<'_>) -> Result<Option<Helper>, Unreadable> {
        let address = |memory: u32| {
            let address = self.memories.get(memory as usize);
            address.copied().ok_or(Unreadable::Memory)
        };
        Ok(Some(match *operator {
            Operator::MemoryFill { mem } => Helper::Fill(mem, address(mem)?),
            Operator::MemoryCopy { dst_mem, src_mem } => Helper::Copy {
                to: (dst_mem, address(dst_mem)?),
                from: (src_mem, address(src_mem)?),
            },
            Operator::MemoryInit { data_index, mem } => {
                Helper::Init(data_index, mem, address(mem)?)
            }
            _ => return Ok(None),
        }))
    }

    /// The helpers in the order of their functions.
    fn in_order(&self) -> Vec<&Helper> {
        let mut helpers: Vec<_> = self.helpers.iter().collect();
        helpers.sort_by_key(|(_, function)| **function);
        helpers.into_iter().map(|(helper, _)| helper).collect()
    }

    /// The section of types, with one for each helper.
    fn types(&self, content: &[u8]) -> Result<Vec<u8>, Unreadable> {
        let types = self.in_order().into_iter().map(Helper::function_type);
        longer(content, &types.collect::<Vec<_>>())
    }

    /// The section of functions, with the helpers.
    fn function_types(&self, content: &[u8]) -> Result<Vec<u8>, Unreadable> {
        let types = (0..self.helpers.len() as u32).map(|helper| {
            let mut number = Vec::new();
            put_number(&mut number, self.types + helper);
            number
        });
        longer(content, &types.collect::<Vec<_>>())
    }

    /// The section of code, with calls of the helpers and the helpers.
    fn code(&self, content: &[u8]) -> Result<Vec<u8>, Unreadable> {
        let bodies: Vec<_> = self.in_order().into_iter().map(Helper::body).collect();
        with_calls(content, &bodies, |operator| {
            let helper = self.helper(operator)?;
            Ok(helper.and_then(|helper| self.helpers.get(&helper).copied()))
        })
    }
}

/// The section of code, with calls of functions in place of some instructions, and
/// with more functions at its end.
pub(super) fn with_calls(
    content: &[u8],
    more: &[Vec<u8>],
    instead: impl Fn(&Operator<'_>) -> Result<Option<u32>, Unreadable>,
) -> Result<Vec<u8>, Unreadable> {
    let reader = CodeSectionReader::new(BinaryReader::new(content, 0))?;
    let mut code = Vec::with_capacity(content.len() + content.len() / 64);
    put_number(&mut code, reader.count() + more.len() as u32);
    for body in reader {
        let body = body?;
        let range = body.range();
        let mut rewritten = Vec::with_capacity(range.len());
        let mut copied = range.start;
        let part = |from, to| content.get(from..to).ok_or(Unreadable::Section);
        let mut operators = body.get_operators_reader()?;
        while !operators.eof() {
            let start = operators.original_position();
            if let Some(function) = instead(&operators.read()?)? {
                rewritten.extend_from_slice(part(copied, start)?);
                helper::put_call(&mut rewritten, function);
                copied = operators.original_position();
            }
        }
        rewritten.extend_from_slice(part(copied, range.end)?);
        put_number(&mut code, rewritten.len() as u32);
        code.extend_from_slice(&rewritten);
    }
    for body in more {
        put_number(&mut code, body.len() as u32);
        code.extend_from_slice(body);
    }
    Ok(code)
}

/// A section that is a vector, with more items at its end.
pub(super) fn longer(content: &[u8], more: &[Vec<u8>]) -> Result<Vec<u8>, Unreadable> {
    let mut reader = BinaryReader::new(content, 0);
    let count = reader.read_var_u32()?;
    let rest = content.get(reader.original_position()..);
    let mut longer = Vec::with_capacity(content.len() + 16 * more.len());
    put_number(&mut longer, count.saturating_add(more.len() as u32));
    longer.extend_from_slice(rest.unwrap_or_default());
    longer.extend(more.iter().flatten());
    Ok(longer)
}

#[cfg(test)]
mod tests;
