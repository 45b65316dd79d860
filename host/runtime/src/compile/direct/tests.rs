use wasmtime::component::Component;

use super::*;
use crate::compile::choose;
use crate::direct::is_there;
use crate::engine::{Form, compilers};

const MAIN: &str = "(core instance $core (instantiate $module))";
const MEMORY: &str = r#"(alias core export $core "memory" (core memory $memory))"#;

/// A module that imports a function which needs its memory, as tools write it.
const WITH_SHIM: &str = r#"
  (import "holdfast:websocket/topics@0.1.0" (instance $topics
    (export "count" (func (param "topic" string) (result u32)))))
  (core module $shim
    (type $count (func (param i32 i32) (result i32)))
    (table (export "$imports") 1 1 funcref)
    (func (export "0") (type $count)
      local.get 0 local.get 1 i32.const 0 call_indirect (type $count)))
  (core module $fixup
    (import "" "0" (func $count (param i32 i32) (result i32)))
    (import "" "$imports" (table 1 1 funcref))
    (elem (i32.const 0) func $count))
  (core instance $shim-made (instantiate $shim))
  (core instance $topics-made (export "tally" (func $shim-made "0")))
  (core instance $core (instantiate $module (with "any" (instance $topics-made))))
  (alias core export $core "memory" (core memory $memory))
  (core func $count-made (canon lower (func $topics "count") (memory $memory)))
  (core instance $given
    (export "$imports" (table $shim-made "$imports"))
    (export "0" (func $count-made)))
  (core instance (instantiate $fixup (with "" (instance $given))))
"#;

fn text() -> String {
    include_str!("../../tests/guest.wat")
        .replace("%FORM%", "websocket-handler-sync")
        .replace("%NAME%", "a")
        .replace("%NAME_LEN%", "2")
        .replace("%FORMAT_LEN%", "0")
        .replace("%FORMAT%", "")
        .replace("%ASYNC%", "")
        .replace("%START%", "")
        .replace("%ATTACHMENTS%", "")
}

fn with_shim() -> String {
    let text = text().replace(MEMORY, "").replace(MAIN, WITH_SHIM);
    let import = r#"(import "any" "tally" (func (param i32 i32) (result i32)))"#;
    text.replace(
        "(core module $module",
        &format!("(core module $module {import}"),
    )
}

fn prepared(text: &str) -> Option<Vec<u8>> {
    prepare(&wat::parse_str(text).unwrap(), is_there)
}

fn changed(from: &str, to: &str) -> String {
    let text = with_shim();
    assert!(text.contains(from), "{from}");
    text.replace(from, to)
}

/// Imports of the module which a prepared component exports.
fn imports(bytes: &[u8]) -> Vec<(String, String)> {
    let graph = Graph::read(&bytes[HEADER_LEN..]).unwrap();
    let (_, _, module) = graph.exports.iter().find(|it| it.0 == MODULE).unwrap();
    let module = graph.modules[*module as usize].unwrap();
    let engine = wasmtime::Engine::default();
    let module = wasmtime::Module::new(&engine, module).unwrap();
    let names =
        |import: wasmtime::ImportType<'_>| (import.module().to_owned(), import.name().to_owned());
    module.imports().map(names).collect()
}

#[test]
fn a_module_keeps_its_imports_by_other_names() {
    assert_eq!(imports(&prepared(&text()).unwrap()), []);
    let topics = "holdfast:websocket/topics@0.1";
    let count = (topics.to_owned(), "count".to_owned());
    assert_eq!(imports(&prepared(&with_shim()).unwrap()), [count]);
}

#[test]
fn the_engine_takes_what_was_prepared() {
    let engines = compilers().unwrap();
    for text in [text(), with_shim()] {
        let bytes = wat::parse_str(text).unwrap();
        let (form, component) = choose(&engines, &bytes).unwrap();
        assert_eq!(form, Form::Plain);
        assert!(component.get_export(None, MODULE).is_some());
        let [plain, _] = &engines;
        let as_it_is = Component::from_binary(plain, &bytes).unwrap();
        let [before, after] = [as_it_is, component].map(|component| {
            let kind = component.component_type();
            let exports = kind.exports(plain).map(|(name, _)| name.to_owned());
            let own = exports.filter(|name| !is_added(name));
            let imports = kind.imports(plain).map(|(name, _)| name.to_owned());
            own.chain(imports).collect::<Vec<_>>()
        });
        assert_eq!(before, after);
    }
}

#[test]
fn other_components_stay_as_they_are() {
    for (from, to) in [
        ("topics@0.1.0", "topics@0.2.0"),
        (r#""count" (func (param"#, r#""size" (func (param"#),
        ("local.get 0 local.get 1", "local.get 1 local.get 0"),
        ("i32.const 0 call_indirect", "i32.const 1 call_indirect"),
        (
            "call_indirect (type $count)",
            "call_indirect (type $count) nop",
        ),
        (
            "(elem (i32.const 0)",
            "(elem (offset i32.const 0 i32.const 0 i32.add)",
        ),
        ("func $count))", "func $count) (func $f) (start $f))"),
        (
            "(core instance $shim-made",
            "(core module $more) (core instance (instantiate $more)) (core instance $shim-made",
        ),
        (
            "(core instance $shim-made",
            "(component $inner (core module $more) (core instance (instantiate $more)))
             (core instance $shim-made",
        ),
        (
            "(memory $memory)))\n  (core instance $given",
            "(memory $memory) string-encoding=utf16))\n  (core instance $given",
        ),
    ] {
        let mut text = changed(from, to);
        if to.contains("size") {
            text = text.replace(r#"$topics "count""#, r#"$topics "size""#);
        }
        assert!(prepared(&text).is_none(), "{to}");
    }
    let waiting = text().replace("websocket-handler-sync", "websocket-handler");
    assert!(prepared(&waiting).is_none());
}

#[test]
fn no_component_says_of_itself_that_it_was_prepared() {
    let bytes = prepared(&text()).unwrap();
    assert!(is_claimed(&bytes) && !is_claimed(&wat::parse_str(text()).unwrap()));
    let error = choose(&compilers().unwrap(), &bytes).err().unwrap();
    assert!(error.to_string().contains("keeps for itself"), "{error}");
}

/// A guest that is given a text, and says where it lies and how long it is.
const TAKER: &str = r#"(module
  (import "a" "get" (func $get (param i32 i32)))
  (memory (export "memory") 1)
  (global $free (mut i32) (i32.const 1000))
  %MORE%
  (func $realloc (export "realloc") (param i32 i32 i32 i32) (result i32)
    (global.set $free (i32.and
      (i32.add (global.get $free) (i32.sub (local.get 2) (i32.const 1)))
      (i32.sub (i32.const 0) (local.get 2))))
    (global.get $free)
    (global.set $free (i32.add (global.get $free) (local.get 3))))
  (func (export "take") (result i32)
    (call $get (i32.const 7) (i32.const 16))
    (i32.load (i32.const 16))))"#;

#[test]
fn room_is_made_in_turns() {
    use wasmtime::{Caller, Linker, Store};

    let module = wat::parse_str(TAKER.replace("%MORE%", "")).unwrap();
    let get = [0].into();
    assert_eq!(turns::only_called(&module, &get), Some(get));
    let realloc = exported(&module, "realloc").unwrap();
    let (_, kind) = functions(&module).unwrap()[0];
    let module = turns::stand_before(&module, &[(0, kind)], 1, realloc).unwrap();
    let engine = wasmtime::Engine::default();
    let module = wasmtime::Module::new(&engine, module).unwrap();
    // Two pieces: one of three bytes, and one of eight, aligned to four. Then there is
    // one more turn, unless the result is there already.
    for (end, result) in [(u32::MAX, 99), (0xffff_ff01, 0xffff_ff01)] {
        let mut linker = Linker::new(&engine);
        linker
            .func_wrap(
                "a",
                "get",
                move |mut caller: Caller<'_, Vec<u32>>, own: u32, at: u32| {
                    let memory = caller.get_export("memory").unwrap().into_memory().unwrap();
                    let (bytes, seen) = memory.data_and_store_mut(&mut caller);
                    let word = &mut bytes[16..20];
                    let given = u32::from_le_bytes(word.try_into().unwrap());
                    seen.extend([own, at, given]);
                    let wanted = match seen.len() {
                        3 => 3 << 1,
                        6 => 8 << 1 | 1,
                        9 => end,
                        _ => 99,
                    };
                    word.copy_from_slice(&u32::to_le_bytes(wanted));
                },
            )
            .unwrap();
        let mut store = Store::new(&engine, Vec::new());
        let instance = linker.instantiate(&mut store, &module).unwrap();
        let take = instance.get_typed_func::<(), u32>(&mut store, "take");
        assert_eq!(take.unwrap().call(&mut store, ()).unwrap(), result);
        let turns = [7, 17, 0, 7, 18, 1000, 7, 18, 1004, 7, 19, u32::MAX];
        let turns_len = if end == u32::MAX { 12 } else { 9 };
        assert_eq!(store.data(), &turns[..turns_len]);
    }
}

#[test]
fn what_is_not_only_called_is_left_alone() {
    for more in [
        "(table 1 funcref) (elem (i32.const 0) func $get)",
        "(global funcref (ref.func $get))",
        "(elem declare func $get) (func (drop (ref.func $get)))",
        "(func (param i32 i32) (return_call $get (local.get 0) (local.get 1)))",
    ] {
        let module = wat::parse_str(TAKER.replace("%MORE%", more)).unwrap();
        let left = turns::only_called(&module, &[0].into()).unwrap();
        assert!(left.is_empty(), "{more}");
    }
}

/// What the fuzzer begins with.
#[test]
fn the_seeds_of_the_fuzzer_are_such_components() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/component");
    for (name, text) in [("direct", text()), ("direct-with-shim", with_shim())] {
        let path = format!("{folder}/{name}");
        if std::env::var_os("HOLDFAST_BLESS").is_some() {
            std::fs::write(&path, wat::parse_str(text).unwrap()).unwrap();
        }
        let seed = std::fs::read(&path).unwrap();
        assert!(prepare(&seed, is_there).is_some(), "{name}");
    }
}
