//! The functions that stand for long instructions. The names of instructions are
//! those of the core specification, section 5.4.

use wasmparser::MemoryType;

use super::section::put_number;

/// Bytes of one piece: some microseconds, also when the memory is used for the
/// first time.
const PIECE_BYTES: i64 = 64 << 10;

/// How a memory is addressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Address {
    I32,
    I64,
}

impl Address {
    pub(super) fn of(memory: &MemoryType) -> Self {
        if memory.memory64 {
            Self::I64
        } else {
            Self::I32
        }
    }

    fn value_type(self) -> u8 {
        match self {
            Self::I32 => I32,
            Self::I64 => I64,
        }
    }
}

/// A memory's number, and how it is addressed.
type Memory = (u32, Address);

/// One function, and the instruction which it does in pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Helper {
    Fill(u32, Address),
    Copy {
        to: Memory,
        from: Memory,
    },
    /// From a data segment.
    Init(u32, u32, Address),
}

const I32: u8 = 0x7f;
const I64: u8 = 0x7e;
const NOTHING: u8 = 0x40;

const UNREACHABLE: u8 = 0x00;
const LOOP: u8 = 0x03;
const IF: u8 = 0x04;
const END: u8 = 0x0b;
const BR_IF: u8 = 0x0d;
const RETURN: u8 = 0x0f;
const CALL: u8 = 0x10;
const DROP: u8 = 0x1a;
const LOCAL_GET: u8 = 0x20;
const LOCAL_SET: u8 = 0x21;
const I32_LOAD8_U: u8 = 0x2d;
const I32_CONST: u8 = 0x41;
const I64_CONST: u8 = 0x42;
const I64_LT_U: u8 = 0x54;
const I64_GT_U: u8 = 0x56;
const I64_ADD: u8 = 0x7c;
const I64_SUB: u8 = 0x7d;
const I32_WRAP_I64: u8 = 0xa7;
const I64_EXTEND_I32_U: u8 = 0xad;
const LONG: u8 = 0xfc;
const MEMORY_INIT: u32 = 8;
const MEMORY_COPY: u32 = 10;
const MEMORY_FILL: u32 = 11;

/// Locals: three parameters, and what is left of them, as numbers of 64 bits.
const TO: u32 = 3;
const FROM: u32 = 4;
const LEN: u32 = 5;
/// For a while.
const LAST: u32 = 6;
const LOCALS: u32 = 4;

pub(in crate::compile) fn put_call(code: &mut Vec<u8>, function: u32) {
    code.push(CALL);
    put_number(code, function);
}

impl Helper {
    /// Its parameters: those of the instruction.
    fn parameters(&self) -> [Address; 3] {
        match *self {
            Self::Fill(_, address) => [address, Address::I32, address],
            Self::Copy { to, from } => [to.1, from.1, to.1.min(from.1)],
            Self::Init(_, _, address) => [address, Address::I32, Address::I32],
        }
    }

    /// Its type in a section of types.
    pub(super) fn function_type(&self) -> Vec<u8> {
        let [first, second, third] = self.parameters().map(Address::value_type);
        vec![0x60, 3, first, second, third, 0]
    }

    /// Its locals and its code, to the end.
    pub(super) fn body(&self) -> Vec<u8> {
        let mut code = Code {
            bytes: vec![1],
            types: self.parameters(),
        };
        code.number(LOCALS);
        code.bytes.push(I64);
        code.widen();
        code.unless_short(|code| {
            code.parameters();
            self.instruction(code);
        });
        self.check(&mut code);
        if self.may_overlap() {
            code.local(TO).local(FROM).op(I64_GT_U).op(IF).op(NOTHING);
            self.backward(&mut code);
            code.op(END);
        }
        self.forward(&mut code);
        code.op(END);
        code.bytes
    }

    fn instruction(&self, code: &mut Code) {
        code.op(LONG);
        match *self {
            Self::Fill(memory, _) => code.number(MEMORY_FILL).number(memory),
            Self::Copy { to, from } => code.number(MEMORY_COPY).number(to.0).number(from.0),
            Self::Init(data, memory, _) => code.number(MEMORY_INIT).number(data).number(memory),
        };
    }

    fn may_overlap(&self) -> bool {
        matches!(self, Self::Copy { to, from } if to == from)
    }

    /// Traps if any byte is out of bounds.
    fn check(&self, code: &mut Code) {
        match *self {
            Self::Fill(memory, address) => code.check(TO, (memory, address)),
            Self::Copy { to, from } => {
                code.check(TO, to);
                code.check(FROM, from);
            }
            Self::Init(_, memory, address) => {
                code.check(TO, (memory, address));
                // Nothing, at the end of what is read: that traps behind the
                // segment's end. Neither number has more than 32 bits.
                code.local(FROM).local(LEN).op(I64_ADD).set(LAST);
                code.local(LAST).i64(u32::MAX.into()).op(I64_GT_U);
                code.trap_if();
                code.argument(0, TO).argument(1, LAST).zero(2);
                self.instruction(code);
            }
        }
    }

    /// Piece after piece, and then the rest. A value that fills is no address.
    fn forward(&self, code: &mut Code) {
        let moves = !matches!(self, Self::Fill(..));
        code.op(LOOP).op(NOTHING);
        self.piece(code);
        code.step(TO, I64_ADD);
        if moves {
            code.step(FROM, I64_ADD);
        }
        code.step(LEN, I64_SUB);
        code.again_if_long();
        code.op(END);
        self.rest(code);
    }

    /// The last piece first, and what is left at the beginning at last.
    fn backward(&self, code: &mut Code) {
        code.op(LOOP).op(NOTHING);
        code.step(LEN, I64_SUB);
        for (index, local) in [(0, TO), (1, FROM)] {
            code.local(local).local(LEN).op(I64_ADD).narrow(index);
        }
        code.piece_len(2);
        self.instruction(code);
        code.again_if_long();
        code.op(END);
        self.rest(code);
        code.op(RETURN);
    }

    fn piece(&self, code: &mut Code) {
        code.argument(0, TO).argument(1, FROM).piece_len(2);
        self.instruction(code);
    }

    fn rest(&self, code: &mut Code) {
        code.argument(0, TO).argument(1, FROM).argument(2, LEN);
        self.instruction(code);
    }
}

/// Code as it is written.
struct Code {
    bytes: Vec<u8>,
    /// Of the parameters.
    types: [Address; 3],
}

impl Code {
    fn op(&mut self, byte: u8) -> &mut Self {
        self.bytes.push(byte);
        self
    }

    fn number(&mut self, number: u32) -> &mut Self {
        put_number(&mut self.bytes, number);
        self
    }

    fn local(&mut self, local: u32) -> &mut Self {
        self.op(LOCAL_GET).number(local)
    }

    fn set(&mut self, local: u32) -> &mut Self {
        self.op(LOCAL_SET).number(local)
    }

    /// A number that is not negative, as a signed one (section 5.2.2).
    fn i64(&mut self, number: i64) -> &mut Self {
        self.op(I64_CONST).signed(number)
    }

    fn signed(&mut self, mut number: i64) -> &mut Self {
        loop {
            let low = (number & 0x7f) as u8;
            number >>= 7;
            if number == 0 && low & 0x40 == 0 {
                return self.op(low);
            }
            self.op(low | 0x80);
        }
    }

    fn address(&self, parameter: u32) -> Address {
        let address = self.types.get(parameter as usize);
        address.copied().unwrap_or(Address::I32)
    }

    /// The parameters as they came.
    fn parameters(&mut self) {
        self.local(0).local(1).local(2);
    }

    /// Copies the parameters to the wide locals.
    fn widen(&mut self) {
        for (parameter, local) in [(0, TO), (1, FROM), (2, LEN)] {
            self.local(parameter);
            if self.address(parameter) == Address::I32 {
                self.op(I64_EXTEND_I32_U);
            }
            self.set(local);
        }
    }

    /// Makes what is on the stack a parameter of the instruction.
    fn narrow(&mut self, parameter: u32) -> &mut Self {
        match self.address(parameter) {
            Address::I32 => self.op(I32_WRAP_I64),
            Address::I64 => self,
        }
    }

    /// A wide local as a parameter of the instruction.
    fn argument(&mut self, parameter: u32, local: u32) -> &mut Self {
        self.local(local).narrow(parameter)
    }

    fn piece_len(&mut self, parameter: u32) -> &mut Self {
        self.i64(PIECE_BYTES).narrow(parameter)
    }

    fn zero(&mut self, parameter: u32) -> &mut Self {
        match self.address(parameter) {
            Address::I32 => self.op(I32_CONST).op(0),
            Address::I64 => self.i64(0),
        }
    }

    /// Does it at once, and returns, unless it is longer than a piece.
    fn unless_short(&mut self, short: impl FnOnce(&mut Self)) {
        self.i64(PIECE_BYTES + 1).set(LAST);
        self.local(LEN).local(LAST).op(I64_LT_U).op(IF).op(NOTHING);
        short(self);
        self.op(RETURN).op(END);
    }

    fn trap_if(&mut self) {
        self.op(IF).op(NOTHING).op(UNREACHABLE).op(END);
    }

    /// Traps if the last byte is not in the memory. There is one.
    fn check(&mut self, local: u32, (memory, address): Memory) {
        const ANOTHER_MEMORY: u32 = 1 << 6;
        self.local(local).local(LEN).op(I64_ADD).i64(1).op(I64_SUB);
        self.set(LAST);
        match address {
            Address::I32 => self.local(LAST).i64(u32::MAX.into()).op(I64_GT_U),
            Address::I64 => self.local(LAST).local(local).op(I64_LT_U),
        };
        self.trap_if();
        self.local(LAST);
        if address == Address::I32 {
            self.op(I32_WRAP_I64);
        }
        self.op(I32_LOAD8_U)
            .number(ANOTHER_MEMORY)
            .number(memory)
            .number(0);
        self.op(DROP);
    }

    /// Moves a local by one piece.
    fn step(&mut self, local: u32, by: u8) {
        self.local(local).i64(PIECE_BYTES).op(by).set(local);
    }

    /// Back to the beginning of the loop if there is more than a piece.
    fn again_if_long(&mut self) {
        self.local(LEN)
            .i64(PIECE_BYTES)
            .op(I64_GT_U)
            .op(BR_IF)
            .number(0);
    }
}
