//! Components that are made to do harm when they are loaded, or are never ready.

use std::fs;

use futures_util::FutureExt;
use holdfast_tests::build::put;
use holdfast_tests::bulk::bulky;
use holdfast_tests::place;
use holdfast_tests::wait::found;

use super::arena::{Arena, Case, Ended, case, ended, let_loose, own};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_can_not_be_loaded_harms_nobody_while_it_is_tried() {
    let long = || bulky("echo", 1_000_000, 71);
    let wat = |path: std::path::PathBuf| move || wat::parse_file(&path).unwrap();
    let broken = |name: &str| wat(place::bad().join("../broken").join(name));
    let cases = vec![
        deployed("long-to-compile", long, "takes longer than the 2000 ms"),
        deployed(
            "oversized",
            || vec![0; 33 << 20],
            "more than the 33554432 of `component_bytes_max`",
        ),
        deployed(
            "not-granted",
            wat(place::bad().join("import-not-provided.wat")),
            "acme:clock/ticks",
        ),
        deployed(
            "endless-start",
            broken("endless-start.wat"),
            "it takes more than 1000 ms",
        ),
        deployed("greedy-start", broken("greedy-start.wat"), "memory"),
        deployed("trap-at-start", broken("trap-at-start.wat"), "unreachable"),
        deployed("many-parts", parts, "core module instances"),
        deployed("doubling-types", types, "type"),
        deployed(
            "truncated",
            move || long()[..1000].to_vec(),
            "unexpected end",
        ),
    ];
    let load = "[load]\ncompile_timeout_ms = 2000\ncomponent_bytes_max = 33554432\n";
    let_loose(cases, load).await;
}

/// A component that is put in place of a good one, and is refused in these words.
fn deployed(
    name: &'static str,
    component: impl Fn() -> Vec<u8> + 'static,
    words: &'static str,
) -> Case {
    let attack = own(move |arena, case| {
        let component = component();
        deploy(arena, case, component, words).boxed_local()
    });
    case(name, "copy of plain", attack)
}

async fn deploy(arena: &Arena, case: &Case, component: Vec<u8>, words: &str) -> Ended {
    put(
        &arena.host.folder().join(case.name).with_extension("wasm"),
        component,
    );
    let error = found("an error", async || {
        arena.host.status().await.plugin(case.name).error()
    })
    .await;
    ended(error.to_string().contains(words), error)?;
    // What was there before serves on.
    let response = arena.get(case, "/hello").await;
    ended(response.text() == "hello", response)
}

/// More core instances than a component may have.
fn parts() -> Vec<u8> {
    let text = fs::read_to_string(place::bad().join("../broken/trap-at-start.wat")).unwrap();
    let more = "(core instance (instantiate $n))".repeat(100);
    let text = text.replace("(func $start unreachable)\n    (start $start)", "");
    let more = format!("(core module $n (memory 1)) {more} (core instance $i (instantiate $m))");
    wat::parse_str(text.replace("(core instance $i (instantiate $m))", &more)).unwrap()
}

/// A type that is twice as large as the one before it, again and again.
fn types() -> Vec<u8> {
    let mut text = "(component (type $t0 (tuple u8 u8))".to_owned();
    for index in 1..60 {
        let before = index - 1;
        text += &format!("(type $t{index} (tuple $t{before} $t{before}))");
    }
    wat::parse_str(text + "(import \"f\" (func (param \"x\" $t59))))").unwrap()
}
