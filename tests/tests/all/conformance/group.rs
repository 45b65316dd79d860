//! Tries the cases of a group, and keeps what came of them for the table of
//! languages.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use holdfast_tests::host::Host;
use holdfast_tests::place;
use holdfast_tests::setup::Setup;
use holdfast_tests::upstream::Upstream;
use serde_json::json;

use super::play::Play;
use super::{Group, unsupported};
use crate::languages::Language;

/// Starts a host that serves a language's program, and may send requests to this
/// address.
pub(super) async fn start(language: &Language, upstream: &str) -> Host {
    let component = language.component("conformance").await;
    Setup::of_file("conformance", &component)
        .plugin("allow_http", &format!("[\"{upstream}\"]"))
        .config("greeting", "good morning")
        .start()
        .await
}

/// Tries every case, and fails if one does.
pub(super) async fn run(language: &Language, group: &Group) {
    let upstream = Upstream::start("from afar", Duration::ZERO).await;
    let address = upstream.address().to_string();
    let host = start(language, &address).await;
    let unsupported = unsupported::reasons(language);
    let (mut passed, mut failed, mut lacking) = (Vec::new(), Vec::new(), Vec::new());
    for case in group.cases {
        if unsupported.contains_key(case.name) {
            lacking.push(case.name);
            continue;
        }
        let mut play = Play::new(&host);
        play.know("upstream", &address);
        play.know("trace", language.trace);
        // All cases are tried, whichever fail.
        let playing = AssertUnwindSafe(play.all(case.script));
        match playing.catch_unwind().await {
            Ok(()) => passed.push(case.name),
            Err(_) => failed.push(case.name),
        }
    }
    keep(language, group.name, &passed, &failed, &lacking);
    assert!(failed.is_empty(), "{}: {failed:?}", language.name);
}

/// Writes down what came of a group.
pub(super) fn keep(
    language: &Language,
    group: &str,
    passed: &[&str],
    failed: &[&str],
    unsupported: &[&str],
) {
    let folder = place::target().join("conformance").join(language.name);
    std::fs::create_dir_all(&folder).expect("a folder for results");
    let result = json!({"passed": passed, "failed": failed, "unsupported": unsupported});
    let file = folder.join(format!("{group}.json"));
    std::fs::write(file, format!("{result:#}\n")).expect("a file for results");
}
