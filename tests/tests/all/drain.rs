//! Shutting down: stop accepting, finish requests, close sockets with 1001,
//! bounded in time.

use std::time::{Duration, Instant};

use holdfast_tests::http::get;
use holdfast_tests::process::interrupt;
use holdfast_tests::setup::Setup;
use holdfast_tests::socket::{End, Socket};
use serde_json::Value;
use tokio::net::TcpStream;

in_both_forms!(
    a_drain_finishes_requests_and_closes_sockets,
    a_drain_gives_every_connection_its_close_event,
    a_drain_is_bounded_in_time,
);

async fn a_drain_finishes_requests_and_closes_sockets(form: &str) {
    let mut host = Setup::new(form).start().await;
    let mut observer = Socket::watch(&host, "seen").await;
    let mut socket = Socket::open(&host, "/").await;
    let request = get(&host, "/sleep/2000?observe=seen");
    let rest = async {
        assert_eq!(observer.text().await, "request begins");
        host.terminate();
        assert!(matches!(socket.end().await, End::Closed(1001, _)));
        let refused = TcpStream::connect(host.address()).await;
        assert!(refused.is_err(), "the host still accepts");
    };
    let (response, ()) = tokio::join!(request, rest);
    assert_eq!(response.text(), "slept");
    let status = host.ended().await;
    assert!(status.success(), "{status}");
}

async fn a_drain_gives_every_connection_its_close_event(form: &str) {
    const CONNECTIONS: usize = 20;
    let mut host = Setup::new(form).start().await;
    let mut sockets = Vec::new();
    for _ in 0..CONNECTIONS {
        sockets.push(Socket::open(&host, "/?observe=log").await);
    }
    interrupt(host.pid());
    for socket in &mut sockets {
        assert!(matches!(socket.end().await, End::Closed(1001, _)));
    }
    assert!(host.ended().await.success());
    let log = host.log();
    let closes = log.matches(" close Drain 1001").count();
    assert_eq!(closes, CONNECTIONS, "{log}");
}

async fn a_drain_is_bounded_in_time(form: &str) {
    let mut host = Setup::new(form).host("drain_timeout_ms", 500).start().await;
    let mut observer = Socket::watch(&host, "seen").await;
    let mut spinning = Socket::open(&host, "/?observe=seen").await;
    let mut waiting = Socket::open(&host, "/?observe=seen").await;
    spinning.send("spin").await;
    waiting.send("sleep 3600000").await;
    let mut begun = 0;
    while begun < 2 {
        begun += usize::from(observer.text().await.contains("receive>"));
    }
    let start = Instant::now();
    host.terminate();
    host.ended().await;
    // Both handlers could have gone on for 30 seconds.
    assert!(start.elapsed() < Duration::from_secs(15));
}

#[tokio::test]
async fn before_its_end_a_host_says_so_and_serves() {
    let mut host = Setup::new("plain")
        .host("drain_delay_ms", 60_000)
        .start()
        .await;
    let is_ready = async || {
        let status: Value = serde_json::from_str(&host.ask(&["status", "--json"]).await).unwrap();
        status["is_ready"].as_bool().unwrap()
    };
    assert!(is_ready().await);
    host.terminate();
    host.logged(&["shutting down"]).await;
    assert!(!is_ready().await);
    assert_eq!(get(&host, "/hello").await.text(), "hello");
    let mut socket = Socket::open(&host, "/").await;
    assert_eq!(socket.ask("echo on").await, "on");
    // A second signal insists.
    interrupt(host.pid());
    assert_eq!(host.ended().await.code(), Some(130));
}

#[tokio::test]
async fn clients_may_be_told_that_the_service_restarts() {
    let mut host = Setup::new("plain")
        .host("drain_close_code", 1012)
        .start()
        .await;
    let mut socket = Socket::open(&host, "/").await;
    host.terminate();
    assert!(matches!(socket.end().await, End::Closed(1012, _)));
    assert!(host.ended().await.success());
    let problem = Setup::new("plain").host("drain_close_code", 1000).fails();
    let problem = problem.await;
    assert!(problem.contains("`drain_close_code` is 1000"), "{problem}");
}

#[tokio::test]
async fn after_its_delay_a_host_ends() {
    const DELAY_MS: u64 = 300;
    let mut host = Setup::new("plain")
        .host("drain_delay_ms", DELAY_MS)
        .start()
        .await;
    let mut socket = Socket::open(&host, "/").await;
    let begin = Instant::now();
    host.terminate();
    assert!(matches!(socket.end().await, End::Closed(1001, _)));
    assert!(begin.elapsed() >= Duration::from_millis(DELAY_MS));
    assert!(host.ended().await.success());
}

#[tokio::test]
async fn the_sockets_of_a_removed_plugin_are_closed_over_a_time() {
    const CONNECTIONS: usize = 100;
    let manifest = "
        [[plugin]]
        name = \"one\"
        component = \"{plain.wasm}\"
        [[route]]
        path = \"/\"
        plugin = \"one\"
        ";
    let host = Setup::manifest(manifest).host("threads", 1).start().await;
    let mut sockets = Vec::new();
    for _ in 0..CONNECTIONS {
        sockets.push(Socket::open(&host, "/").await);
    }
    host.edit("\"one\"", "\"two\"");
    let ends = sockets.iter_mut().map(|socket| async {
        assert!(matches!(socket.end().await, End::Closed(1001, _)));
        Instant::now()
    });
    let ends = futures_util::future::join_all(ends).await;
    let spread = *ends.iter().max().unwrap() - *ends.iter().min().unwrap();
    // Sixteen in every ten milliseconds.
    assert!(spread >= Duration::from_millis(40), "{spread:?}");
    assert_eq!(get(&host, "/hello").await.text(), "hello", "its successor");
}
