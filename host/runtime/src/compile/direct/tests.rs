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
