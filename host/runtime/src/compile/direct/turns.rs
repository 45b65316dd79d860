//! Functions that give a guest strings and lists. For each of them the host has to
//! have the guest make room, which would be a call into the guest from within a call
//! out of it, with a stack of its own. So the guest's module gets a function that
//! stands before the import, and takes turns with it:
//!
//! ```text
//!  before(self, result):
//!    import(self, result | 1)               begin
//!    while *result says how much room:
//!      *result = realloc(0, 0, align, len)
//!      import(self, result | 2)             here it is
//!    if *result says that no more is wanted:
//!      import(self, result | 3)             end
//! ```
//! A result is aligned to four bytes, so that there is room for the turn's number in
//! its address. Most begin with one byte and three that nobody reads, which say that
//! the result is there already, without a last turn. Calls of the import become calls
//! of that function; a module which uses the import in any other way has it as it was.

use std::collections::{HashMap, HashSet};

use wasmparser::{
    BinaryReader, CodeSectionReader, ElementItems, ElementSectionReader, FunctionSectionReader,
    Operator,
};

use super::super::pieces::helper::put_call;
use super::super::pieces::{self, HEADER_LEN};
use super::{Section, put_number, put_section, sections};

/// How much room is wanted, when none is. Any other negative number says that there is
/// nothing left to do.
const NONE: i32 = -1;

const FUNCTION: u8 = 3;
const ELEMENT: u8 = 9;

/// Which of these imported functions are used in no other way than by being called.
pub(super) fn only_called(module: &[u8], imports: &HashSet<u32>) -> Option<HashSet<u32>> {
    let mut only_called = imports.clone();
    for section in sections(module.get(HEADER_LEN..)?) {
        let Section { id, content } = section.ok()?;
        let reader = BinaryReader::new(content, 0);
        match id {
            pieces::CODE => {
                for body in CodeSectionReader::new(reader).ok()? {
                    for operator in body.ok()?.get_operators_reader().ok()? {
                        match operator.ok()? {
                            Operator::RefFunc { function_index }
                            | Operator::ReturnCall { function_index } => {
                                only_called.remove(&function_index);
                            }
                            _ => {}
                        }
                    }
                }
            }
            ELEMENT => {
                for element in ElementSectionReader::new(reader).ok()? {
                    match element.ok()?.items {
                        ElementItems::Functions(functions) => {
                            for function in functions {
                                only_called.remove(&function.ok()?);
                            }
                        }
                        // They may name any.
                        ElementItems::Expressions(..) => only_called.clear(),
                    }
                }
            }
            // So may what tables and globals begin with.
            TABLE => {
                for table in wasmparser::TableSectionReader::new(reader).ok()? {
                    if let wasmparser::TableInit::Expr(_) = table.ok()?.init {
                        only_called.clear();
                    }
                }
            }
            GLOBAL => {
                for global in wasmparser::GlobalSectionReader::new(reader).ok()? {
                    let mut operators = global.ok()?.init_expr.get_operators_reader();
                    while !operators.eof() {
                        if matches!(operators.read().ok()?, Operator::RefFunc { .. }) {
                            only_called.clear();
                        }
                    }
                }
            }
            _ => {}
        }
    }
    Some(only_called)
}

const TABLE: u8 = 4;
const GLOBAL: u8 = 6;

/// The module with a function before each of these imports, which are of this type,
/// in the order of their numbers.
pub(super) fn stand_before(
    module: &[u8],
    imports: &[(u32, u32)],
    imported: u32,
    realloc: u32,
) -> Option<Vec<u8>> {
    let mut whole = module.get(..HEADER_LEN)?.to_vec();
    let mut before = HashMap::new();
    for section in sections(module.get(HEADER_LEN..)?) {
        let Section { id, content } = section.ok()?;
        match id {
            FUNCTION => {
                let reader = FunctionSectionReader::new(BinaryReader::new(content, 0)).ok()?;
                let first = imported + reader.count();
                let numbers = imports.iter().map(|(import, _)| *import);
                before.extend(numbers.zip(first..));
                let kinds = imports.iter().map(|(_, kind)| {
                    let mut number = Vec::new();
                    put_number(&mut number, *kind);
                    number
                });
                let kinds: Vec<_> = kinds.collect();
                put_section(&mut whole, id, &pieces::longer(content, &kinds).ok()?);
            }
            pieces::CODE => {
                let bodies = imports.iter().map(|(import, _)| body(*import, realloc));
                let bodies: Vec<_> = bodies.collect();
                let code = pieces::with_calls(content, &bodies, |operator| {
                    Ok(match operator {
                        Operator::Call { function_index } => before.get(function_index).copied(),
                        _ => None,
                    })
                });
                let code = code.ok()?;
                put_section(&mut whole, id, &code);
            }
            pieces::CUSTOM if pieces::is_about_code(content) => {}
            _ => put_section(&mut whole, id, content),
        }
    }
    Some(whole)
}

const LOOP: u8 = 0x03;
const IF: u8 = 0x04;
const END: u8 = 0x0b;
const BR: u8 = 0x0c;
const LOCAL_GET: u8 = 0x20;
const LOCAL_SET: u8 = 0x21;
const I32_LOAD: u8 = 0x28;
const I32_STORE: u8 = 0x36;
const I32_CONST: u8 = 0x41;
const I32_EQ: u8 = 0x46;
const I32_GE_S: u8 = 0x4e;
const I32_ADD: u8 = 0x6a;
const I32_MUL: u8 = 0x6c;
const I32_AND: u8 = 0x71;
const I32_OR: u8 = 0x72;
const I32_SHR_U: u8 = 0x76;
const NOTHING: u8 = 0x40;
const I32: u8 = 0x7f;

/// The function before an import.
fn body(import: u32, realloc: u32) -> Vec<u8> {
    /// Locals: two parameters, and how much room is wanted.
    const SELF: u8 = 0;
    const RESULT: u8 = 1;
    const WANTED: u8 = 2;
    let turn = |code: &mut Vec<u8>, number: u8| {
        code.extend([
            LOCAL_GET, SELF, LOCAL_GET, RESULT, I32_CONST, number, I32_OR,
        ]);
        put_call(code, import);
    };
    // One local more.
    let mut code = vec![1, 1, I32];
    turn(&mut code, 1);
    code.extend([LOOP, NOTHING]);
    code.extend([LOCAL_GET, RESULT, I32_LOAD, 2, 0, LOCAL_SET, WANTED]);
    code.extend([LOCAL_GET, WANTED, I32_CONST, 0, I32_GE_S, IF, NOTHING]);
    code.extend([LOCAL_GET, RESULT, I32_CONST, 0, I32_CONST, 0]);
    // The alignment is 1 or 4, as the lowest bit says.
    code.extend([
        LOCAL_GET, WANTED, I32_CONST, 1, I32_AND, I32_CONST, 3, I32_MUL,
    ]);
    code.extend([I32_CONST, 1, I32_ADD]);
    code.extend([LOCAL_GET, WANTED, I32_CONST, 1, I32_SHR_U]);
    put_call(&mut code, realloc);
    code.extend([I32_STORE, 2, 0]);
    turn(&mut code, 2);
    // Out of the condition, and to the beginning of the loop.
    code.extend([BR, 1, END, END]);
    code.extend([
        LOCAL_GET,
        WANTED,
        I32_CONST,
        NONE as u8 & 0x7f,
        I32_EQ,
        IF,
        NOTHING,
    ]);
    turn(&mut code, 3);
    code.extend([END, END]);
    code
}
