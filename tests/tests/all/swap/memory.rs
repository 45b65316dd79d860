//! Reloads leave nothing behind.

use holdfast_tests::build::Build;
use holdfast_tests::http::Client;
use holdfast_tests::process::{resident_bytes, threads};
use holdfast_tests::scale;
use holdfast_tests::setup::Setup;
use holdfast_tests::socket::Socket;
use holdfast_tests::wait::until;

use super::version_at;

in_both_forms!(reloads_leave_nothing_behind);

/// Reloads before memory is measured: allocators take their first pages, and the
/// generations that are kept for a rollback have filled up.
const WARM: usize = 60;

async fn reloads_leave_nothing_behind(form: &str) {
    let reloads = scale::count(1000, 100);
    let builds = [0, 1].map(|version| Build::new(form, version));
    let host = Setup::of_build(&builds[0]).alone().start().await;
    let mut client = Client::connect(&host).await;
    let mut socket = Socket::open(&host, "/").await;
    let mut before = (0, 0);
    for reload in 1..=WARM + reloads {
        let version = reload as u32 % 2;
        host.put(&builds[version as usize]);
        let expected = version.to_string();
        while client.get("/version").await.unwrap().text() != expected {}
        assert_eq!(version_at(&mut socket).await, version);
        if reload == WARM {
            host.settles().await;
            before = (resident_bytes(host.pid()), threads(host.pid()));
        }
    }
    let plugin = host.settles().await;
    assert_eq!(plugin.generation(), (WARM + reloads + 1) as u64);
    let (bytes, count) = before;
    let most = bytes + bytes / 10;
    // An allocator returns pages when it likes.
    until("memory to be as it was", || {
        resident_bytes(host.pid()) < most
    })
    .await;
    println!(
        "{form}: {bytes} bytes before {reloads} reloads, {} after",
        resident_bytes(host.pid())
    );
    assert!(threads(host.pid()) <= count, "more threads than before");
    host.stop().await;
}
