//! The cases of the Autobahn test suite, by its Python 3 runner `kosoku`, against
//! `plugins/echo`.

use std::process::Command;

use holdfast_tests::folder::Folder;
use holdfast_tests::host::Host;
use holdfast_tests::process::output;
use holdfast_tests::setup::Setup;
use holdfast_tests::wait::PATIENCE;
use holdfast_tests::{place, scale};
use serde_json::Value;

/// The largest message of the suite has 16 MiB.
const MESSAGE_BYTES_MAX: u64 = 64 << 20;
/// Cases, those of compression left out: 1 to 7, 9 and 10.
const PLAIN_CASES: usize = 301;
/// Those of compression, 12 and 13, in twelve groups of 18.
const COMPRESSED_CASES: usize = 216;
/// Those of each group that send a thousand messages of many kilobytes: minutes
/// for a host that is built for debugging.
const LONG_CASES: [usize; 9] = [8, 9, 10, 13, 14, 15, 16, 17, 18];

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
async fn results(host: &Host, arguments: &[String]) -> Vec<(String, String)> {
    let reports = Folder::new();
    let mut kosoku = Command::new(place::client("python/bin/kosoku"));
    kosoku.args(arguments).args(["--parallelism", "2"]);
    kosoku.arg("--outdir").arg(reports.path());
    kosoku.arg(host.address().to_string());
    // Hundreds of cases, some of a thousand messages.
    let output = tokio::time::timeout(PATIENCE * scale::count(60, 10) as u32, output(kosoku)).await;
    let output = output.expect("the suite ends");
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

/// The arguments that leave out what takes long, unless everything is to be run;
/// and how many cases of compression are left.
fn selection() -> (Vec<String>, usize) {
    let long_count = scale::count(0, LONG_CASES.len());
    let long = LONG_CASES.iter().take(long_count);
    let excluded = long.flat_map(|case| [format!("12.*.{case}"), format!("13.*.{case}")]);
    let arguments = excluded.flat_map(|case| ["--exclude".to_owned(), case]);
    (arguments.collect(), COMPRESSED_CASES - 12 * long_count)
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
    let plain = ["--exclude", "12.*", "--exclude", "13.*"].map(str::to_owned);
    let results = results(&host, &plain).await;
    check(&results, PLAIN_CASES);
}

#[tokio::test]
async fn the_cases_of_autobahn_pass_where_each_message_is_compressed_by_itself() {
    let setup = echo().plugin("compression", "\"shared\"");
    let host = setup.limit("compress_bytes_min", 1).start().await;
    let (arguments, count) = selection();
    check(&results(&host, &arguments).await, PLAIN_CASES + count);
}

#[tokio::test]
async fn the_cases_of_autobahn_pass_where_messages_refer_to_those_before() {
    // With smaller windows some binary data would not get shorter, and is sent as
    // it is: the runner can't take the hash of such an answer.
    for bits in [12, 15] {
        let setup = echo().plugin("compression", "\"context\"");
        let setup = setup.limit("compress_window_bits", bits);
        let host = setup.limit("compress_bytes_min", 1).start().await;
        let compressed = ["--include", "12.*", "--include", "13.*"].map(str::to_owned);
        let (arguments, count) = selection();
        let arguments = [&compressed[..], &arguments].concat();
        check(&results(&host, &arguments).await, count);
    }
}
