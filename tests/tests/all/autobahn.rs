//! The cases of the Autobahn test suite, by its Python 3 runner `kosoku`, against
//! `plugins/echo`.

use std::process::Command;

use holdfast_tests::folder::Folder;
use holdfast_tests::host::Host;
use holdfast_tests::place;
use holdfast_tests::setup::Setup;
use holdfast_tests::wait::PATIENCE;
use serde_json::Value;

/// The largest message of the suite has 16 MiB.
const MESSAGE_BYTES_MAX: u64 = 64 << 20;
/// Cases, those of compression left out: 1 to 7, 9 and 10.
const PLAIN_CASES: usize = 301;

/// What a case comes to. 7.1.6 and 7.13 have no right answer: RFC 6455 leaves
/// open what a peer reads behind a close frame, and how it takes codes that
/// nobody may send. The suite calls these informational.
const INFORMATIONAL: [&str; 3] = ["7.1.6", "7.13.1", "7.13.2"];

fn echo() -> Setup {
    Setup::new("echo")
        .limit("message_bytes_max", MESSAGE_BYTES_MAX)
        .limit("queue_bytes_max", MESSAGE_BYTES_MAX)
        .limit("call_bytes_max", 2 * MESSAGE_BYTES_MAX)
        .limit("memory_bytes_max", 16 * MESSAGE_BYTES_MAX)
}

/// Runs the suite, with more arguments, and returns how each case went.
async fn results(host: &Host, arguments: &[&str]) -> Vec<(String, String)> {
    let reports = Folder::new();
    let mut kosoku = Command::new(place::client("python/bin/kosoku"));
    kosoku.args(arguments).args(["--parallelism", "2"]);
    kosoku.arg("--outdir").arg(reports.path());
    kosoku.arg(host.address().to_string());
    let run = tokio::task::spawn_blocking(move || kosoku.output());
    // Some hundred cases, many of which wait for a second.
    let output = tokio::time::timeout(PATIENCE * 10, run).await;
    let output = output.expect("the suite ends").unwrap().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let index = std::fs::read(reports.path().join("index.json"));
    let index: Value = serde_json::from_slice(&index.expect(&said)).unwrap();
    let agents = index.as_object().unwrap();
    let cases = agents.values().flat_map(|cases| cases.as_object().unwrap());
    cases
        .map(|(name, case)| {
            let (behavior, close) = (&case["behavior"], &case["behaviorClose"]);
            let verdict = format!("{} {}", behavior.as_str().unwrap(), close.as_str().unwrap());
            (name.clone(), verdict)
        })
        .collect()
}

/// Each case is right in the strict sense.
fn check(results: &[(String, String)], count: usize) {
    let wrong: Vec<_> = results
        .iter()
        .filter(|(name, verdict)| match INFORMATIONAL.contains(&&**name) {
            true => verdict != "INFORMATIONAL INFORMATIONAL",
            false => verdict != "OK OK",
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    assert_eq!(results.len(), count);
}

#[tokio::test]
async fn the_cases_of_autobahn_pass_without_compression() {
    let host = echo().start().await;
    let results = results(&host, &["--exclude", "12.*", "--exclude", "13.*"]).await;
    check(&results, PLAIN_CASES);
}
