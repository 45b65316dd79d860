//! Components that take long to compile, and much memory.

use std::fmt::Write;

use crate::place;

/// A guest with a part that it does not use: one long function, for which the
/// compiler needs some 700 bytes of memory and 10 µs an operation. `salt`
/// makes it another component than that of any other test.
pub fn bulky(guest: &str, operations: usize, salt: i32) -> Vec<u8> {
    let mut text = "(module (func (param i32) (result i32) local.get 0\n".to_owned();
    for count in 0..operations {
        // Of three kinds in turn, lest the compiler makes one of them all.
        let operation = ["add", "xor", "mul"][count % 3];
        let constant = salt + (count % 64) as i32;
        let _ = writeln!(text, "i32.const {constant} i32.{operation} local.tee 0");
    }
    let module = wat::parse_str(text + "))").expect("a valid module");
    let mut component = std::fs::read(place::guest(guest)).expect("a guest");
    // A section with a core module (Component Model, binary format) may stand
    // anywhere in a component.
    component.push(1);
    component.extend(leb128(module.len()));
    component.extend(module);
    component
}

fn leb128(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}
