//! The first instance, and the first events.

use std::sync::{Arc, Mutex};

use holdfast_core::deploy::Strategy;

use super::guest::Guest;
use super::stage::{PLUGIN, Stage};
use crate::Role;

#[test]
fn a_generation_that_does_not_start_takes_nothing_over() {
    let stage = Stage::new();
    stage.deploy(1, Guest::new("one"), Strategy::All);
    for (guest, reason) in [
        (
            Guest::new("two").start("unreachable"),
            "wasm trap: wasm `unreachable` instruction executed",
        ),
        (
            Guest::new("two").start("(loop $ever (br $ever))"),
            "it takes more than 200 ms",
        ),
        (
            Guest::new("two")
                .format("a-name-that-is-much-too-long-for-a-format-since-64-bytes-have-to-do"),
            "the name of its format has 67 bytes, but 64 are allowed",
        ),
    ] {
        for is_waiting in [false, true] {
            let guest = guest.waiting(is_waiting);
            let error = stage.try_deploy(2, guest, Strategy::All).unwrap_err();
            assert_eq!(error.to_string(), format!("it does not start: {reason}"));
        }
    }
    assert_eq!(stage.generations(), [(1, Role::Stable)]);
    assert!(!stage.runtime.has_old());
}

#[test]
fn the_host_hears_of_a_generation_that_fails() {
    for is_waiting in [false, true] {
        let stage = Stage::new();
        let heard = Arc::new(Mutex::new(Vec::new()));
        stage.runtime.on_failing({
            let heard = heard.clone();
            move |plugin, generation| heard.lock().unwrap().push((plugin, generation))
        });
        stage.deploy(1, Guest::new("one").waiting(is_waiting), Strategy::All);
        stage.edge.open(7, 1, "a");
        stage.on_loop(async |it| {
            assert_eq!(it.message(7, "").await, "one:a");
            for text in ["trap", "spin", "trap", "trap"] {
                let failure = it.message(7, text).await;
                assert_eq!(failure, if text == "spin" { "timeout" } else { "trap" });
            }
        });
        assert_eq!(*heard.lock().unwrap(), [(PLUGIN, 1)]);
        let status = &stage.runtime.generations(PLUGIN)[0];
        assert_eq!((status.events, status.failed), (5, 4));
    }
}
