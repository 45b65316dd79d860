//! Reloads and the end of the host.

use std::fmt::Write;
use std::sync::atomic::{AtomicUsize, Ordering};

use holdfast_tests::build::{Build, put};
use holdfast_tests::host::Host;
use holdfast_tests::http::get;
use holdfast_tests::process::{children, is_alive, kill};
use holdfast_tests::setup::Setup;
use holdfast_tests::socket::{End, Socket};
use holdfast_tests::wait::until;

in_both_forms!(a_reload_during_a_drain_is_harmless);

async fn a_reload_during_a_drain_is_harmless(form: &str) {
    let mut host = Setup::of_build(&Build::new(form, 1)).start().await;
    let mut observer = Socket::watch(&host, "seen").await;
    let mut socket = Socket::open(&host, "/").await;
    let napping = get(&host, "/nap/2000?observe=seen");
    let rest = async {
        assert_eq!(observer.text().await, "request begins");
        host.terminate();
        host.put(&Build::new(form, 2));
        assert!(matches!(socket.end().await, End::Closed(1001, _)));
        host.put(&Build::new(form, 3));
    };
    let (response, ()) = tokio::join!(napping, rest);
    assert_eq!(response.text(), "1");
    let status = host.ended().await;
    assert!(status.success(), "{status}");
}

/// Deploys a component that takes seconds to compile, and returns the process
/// that compiles it.
async fn compiling(host: &Host) -> u32 {
    put(&host.component(), endless_to_compile());
    let mut found = Vec::new();
    until("a compiler at work", || {
        found = children(host.pid());
        !found.is_empty()
    })
    .await;
    assert_eq!(found.len(), 1);
    found[0]
}

/// A component of very many functions, of no use. Another one each time, or the
/// cache would have it.
fn endless_to_compile() -> Vec<u8> {
    const FUNCTIONS: usize = 40_000;
    const STEPS: usize = 60;
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let first = std::process::id() as usize * 10 + count;
    let mut text = String::from("(component (core module\n");
    for function in 0..FUNCTIONS {
        text += "(func (param i64) (result i64) local.get 0\n";
        for step in 0..STEPS {
            let _ = writeln!(
                text,
                "i64.const {} i64.mul local.get 0 i64.xor",
                first + function + step
            );
        }
        text += ")\n";
    }
    text += "))";
    wat::parse_str(&text).unwrap()
}

#[tokio::test]
async fn a_host_that_is_killed_leaves_no_compiler_behind() {
    let mut host = Setup::of_build(&Build::new("plain", 1)).start().await;
    let compiler = compiling(&host).await;
    kill(host.pid());
    assert!(!host.ended().await.success());
    until("the compiler to end", || !is_alive(compiler)).await;
}

#[tokio::test]
async fn a_host_that_is_told_to_end_does_not_wait_for_a_compiler() {
    let host = Setup::of_build(&Build::new("plain", 1)).start().await;
    let compiler = compiling(&host).await;
    host.stop().await;
    until("the compiler to end", || !is_alive(compiler)).await;
}

#[tokio::test]
async fn the_old_code_serves_while_new_code_is_compiled() {
    let host = Setup::of_build(&Build::new("plain", 1)).start().await;
    let mut socket = Socket::open(&host, "/").await;
    let compiler = compiling(&host).await;
    while is_alive(compiler) {
        assert_eq!(socket.ask("version now").await, "1 now");
        assert_eq!(get(&host, "/version").await.text(), "1");
    }
    let plugin = host
        .becomes("an error", |plugin| plugin.error().is_some())
        .await;
    assert_eq!(plugin.generation(), 1, "it has no handler");
    host.stop().await;
}
