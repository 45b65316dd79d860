use wasmtime::{Engine, Instance, Memory, Module as Compiled, Store};

use super::*;

/// Two memories; functions that fill, copy and initialize.
const GUEST: &str = r#"(module
    (memory (export "m") 8)
    (memory $other (export "other") 8)
    (data $long "DATA")
    (func (export "fill") (param i32 i32 i32)
      (memory.fill (local.get 0) (local.get 1) (local.get 2)))
    (func (export "copy") (param i32 i32 i32)
      (memory.copy (local.get 0) (local.get 1) (local.get 2)))
    (func (export "copy-other") (param i32 i32 i32)
      (memory.copy $other 0 (local.get 0) (local.get 1) (local.get 2)))
    (func (export "init") (param i32 i32 i32)
      (memory.init $long (local.get 0) (local.get 1) (local.get 2))))"#;

const MEMORY_BYTES: usize = 8 << 16;

struct Guest {
    store: Store<()>,
    instance: Instance,
}

impl Guest {
    fn new(bytes: &[u8]) -> Self {
        let engine = Engine::default();
        let module = Compiled::new(&engine, bytes).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        let mut guest = Self { store, instance };
        let memory = guest.memory("m");
        for (index, byte) in memory.data_mut(&mut guest.store).iter_mut().enumerate() {
            *byte = (index / 7 % 251) as u8;
        }
        guest
    }

    fn memory(&mut self, name: &str) -> Memory {
        self.instance.get_memory(&mut self.store, name).unwrap()
    }

    fn bytes(&mut self, name: &str) -> Vec<u8> {
        self.memory(name).data(&self.store).to_vec()
    }

    fn call(&mut self, name: &str, arguments: (u32, u32, u32)) -> bool {
        let function = self.instance.get_typed_func::<_, ()>(&mut self.store, name);
        let function = function.unwrap();
        function.call(&mut self.store, arguments).is_ok()
    }
}

/// The guest as it is, and in pieces, with a segment of so many bytes.
fn both(segment_len: usize) -> [Guest; 2] {
    let segment: String = ('a'..='z').cycle().take(segment_len).collect();
    let module = wat::parse_str(GUEST.replace("DATA", &segment)).unwrap();
    let cut = cut_module(&module).unwrap();
    assert_ne!(*cut, *module);
    [Guest::new(&module), Guest::new(&cut)]
}

#[test]
fn in_pieces_it_is_the_same() {
    const PIECE: u32 = 64 << 10;
    const END: u32 = MEMORY_BYTES as u32;
    let [mut whole, mut cut] = both(200_000);
    for arguments in [
        (0, 0, 0),
        (END, 9, 0),
        (END + 1, 9, 0),
        (5, 7, 100),
        (3, 9, PIECE),
        (3, 9, PIECE + 1),
        (1, 100, 3 * PIECE + 17),
        (100, 1, 3 * PIECE + 17),
        (PIECE, 0, 2 * PIECE),
        (0, PIECE, 2 * PIECE),
        (70_000, 0, 190_000),
        (0, 0, END),
        (1, 0, END),
        (0, 1, END),
        (END - 100_000, 0, 100_000),
        (END - 100_000, 0, 100_001),
        (0, END - 100_000, 100_001),
        (u32::MAX, 0, 100_000),
        (0, u32::MAX - 3, 100_000),
        (0, 100_001, 100_000),
        (0, 100_000, 100_000),
        (7, 0, u32::MAX),
    ] {
        for name in ["copy", "copy-other", "init", "fill"] {
            let is_done = whole.call(name, arguments);
            assert_eq!(cut.call(name, arguments), is_done, "{name} {arguments:?}");
            for memory in ["m", "other"] {
                let is_same = whole.bytes(memory) == cut.bytes(memory);
                assert!(is_same, "{name} {arguments:?}");
            }
        }
    }
}

#[test]
fn memories_of_64_bits_are_done_in_pieces_too() {
    let text = r#"(module
        (memory (export "m") i64 8)
        (memory $other (export "other") 8)
        (func (export "fill") (param i64 i32 i64)
          (memory.fill (local.get 0) (local.get 1) (local.get 2)))
        (func (export "copy") (param i32 i64 i32)
          (memory.copy $other 0 (local.get 0) (local.get 1) (local.get 2))))"#;
    let module = wat::parse_str(text).unwrap();
    let mut guest = Guest::new(&cut_module(&module).unwrap());
    let (store, instance) = (&mut guest.store, &guest.instance);
    let fill = instance.get_typed_func::<(u64, u32, u64), ()>(&mut *store, "fill");
    let fill = fill.unwrap();
    fill.call(&mut *store, (9, 3, 200_000)).unwrap();
    assert!(fill.call(&mut *store, (u64::MAX - 5, 4, 200_000)).is_err());
    assert!(fill.call(&mut *store, (400_000, 4, 200_000)).is_err());
    let copy = instance.get_typed_func::<(u32, u64, u32), ()>(&mut *store, "copy");
    copy.unwrap().call(&mut *store, (1, 9, 200_000)).unwrap();
    let (from, to) = (guest.bytes("m"), guest.bytes("other"));
    assert!(from[9..200_009].iter().all(|byte| *byte == 3));
    assert_ne!(from[200_009], 4);
    assert_eq!(to[1..200_001], from[9..200_009]);
}

#[test]
fn modules_in_components_in_components_are_found() {
    let inner = format!("(component (core {}", &GUEST[1..]) + ")";
    let text = format!("(component (component {}", &inner["(component".len()..]);
    let component = wat::parse_str(text + ")").unwrap();
    let once = cut(&component).unwrap();
    assert_ne!(*once, *component);
    // What is left of the instructions is in the functions that were added.
    assert!(once.len() < component.len() + 1000);
    let engine = Engine::default();
    wasmtime::component::Component::from_binary(&engine, &once).unwrap();
}

#[test]
fn what_is_no_component_is_left_to_the_engine_or_refused() {
    assert_eq!(*cut(b"no component").unwrap(), *b"no component");
    let mut component = wat::parse_str("(component (core module))").unwrap();
    assert_eq!(*cut(&component).unwrap(), *component, "nothing to do");
    component.pop();
    assert!(matches!(cut(&component), Err(Unreadable::Section)));
}
