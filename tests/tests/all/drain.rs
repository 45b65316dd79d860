//! Shutting down: stop accepting, finish requests, close sockets with 1001,
//! bounded in time.

use std::time::{Duration, Instant};

use holdfast_tests::http::get;
use holdfast_tests::process::interrupt;
use holdfast_tests::setup::Setup;
use holdfast_tests::socket::{End, Socket};
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
