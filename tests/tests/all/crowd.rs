//! Many tenants on one host, most of which are idle.

use std::time::{Duration, Instant};

use holdfast_tests::build::{Build, put};
use holdfast_tests::host::Host;
use holdfast_tests::http::{full, request, whole};
use holdfast_tests::process::{mapped_bytes, sleeps};
use holdfast_tests::setup::Setup;
use holdfast_tests::socket::Socket;
use holdfast_tests::wait::{found, until};

const TENANTS: usize = 200;

const OPERATOR: &str = "[tenant-defaults]\nhosts = [\"{tenant}.example\"]\n";

fn own(path: &str) -> String {
    format!(
        "[[plugin]]\nname = \"one\"\ncomponent = \"one.wasm\"\n\
         [[route]]\npath = \"{path}\"\nplugin = \"one\"\n"
    )
}

/// So many tenants, `t0` and so on, with the same component.
fn tenants(count: usize) -> Setup {
    let build = Build::new("plain", 1);
    let mut setup = Setup::tenants(OPERATOR);
    for index in 0..count {
        let folder = format!("tenants/t{index}");
        setup = setup
            .file(&format!("{folder}/tenant.toml"), own("/"))
            .file(&format!("{folder}/one.wasm"), build.bytes());
    }
    setup
}

async fn version(host: &Host, tenant: usize, path: &str) -> Option<String> {
    let mut request = request("GET", path, full(""));
    let authority = format!("t{tenant}.example").parse().unwrap();
    request.headers_mut().insert("host", authority);
    let response = whole(host, request).await;
    (response.status == 200).then(|| response.text().to_owned())
}

/// How many lines of the log have all of these words.
fn lines(host: &Host, words: &[&str]) -> usize {
    let log = host.log();
    let has_all = |line: &&str| words.iter().all(|word| line.contains(word));
    log.lines().filter(has_all).count()
}

#[tokio::test]
async fn a_change_of_one_concerns_no_other() {
    let host = tenants(TENANTS).start().await;
    assert_eq!(lines(&host, &["plugin loaded"]), TENANTS);
    let folder = host.folder().join("tenants/t7");
    put(&folder.join("one.wasm"), Build::new("plain", 2).bytes());
    found("the new component", async || {
        let version = version(&host, 7, "/version").await;
        (version.as_deref() == Some("2")).then_some(())
    })
    .await;
    assert!(version(&host, 7, "/hello").await.is_some());
    put(&folder.join("tenant.toml"), own("/version"));
    found("the new route", async || {
        version(&host, 7, "/hello").await.is_none().then_some(())
    })
    .await;
    assert_eq!(version(&host, 7, "/version").await.as_deref(), Some("2"));
    assert_eq!(version(&host, 8, "/version").await.as_deref(), Some("1"));
    assert_eq!(lines(&host, &["plugin loaded"]), TENANTS);
    assert_eq!(lines(&host, &["plugin reloaded"]), 1);
    // One that goes takes nobody with it.
    std::fs::rename(&folder, host.folder().join("gone")).unwrap();
    host.logged(&["plugin removed", "t7"]).await;
    assert_eq!(version(&host, 6, "/version").await.as_deref(), Some("1"));
    assert_eq!(lines(&host, &["plugin removed"]), 1);
}

#[tokio::test]
async fn what_was_never_used_keeps_no_code_in_memory() {
    let host = tenants(2).start().await;
    assert_eq!(mapped_bytes(host.pid(), ".cwasm"), 0);
    assert_eq!(version(&host, 1, "/version").await.as_deref(), Some("1"));
    assert!(mapped_bytes(host.pid(), ".cwasm") > 0);
}

#[tokio::test]
async fn the_clock_of_the_guests_goes_slowly_while_there_are_none() {
    /// How often it has ticked in half a second.
    async fn ticks(host: &Host) -> u64 {
        let before = sleeps(host.pid(), "epoch");
        tokio::time::sleep(Duration::from_millis(500)).await;
        sleeps(host.pid(), "epoch") - before
    }
    let host = Setup::new("plain").start().await;
    found("a slow clock", async || {
        (ticks(&host).await < 60).then_some(())
    })
    .await;
    let mut busy = Socket::open(&host, "/").await;
    let spin = tokio::spawn(async move {
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_secs(20) {
            busy.send("compute:2000000").await;
            assert_eq!(busy.ask("echo on").await, "on");
        }
    });
    found("a fast clock", async || {
        (ticks(&host).await > 100).then_some(())
    })
    .await;
    spin.abort();
    until("the clients are gone", || spin.is_finished()).await;
    found("a slow clock", async || {
        (ticks(&host).await < 60).then_some(())
    })
    .await;
}
