//! Many connections, and more than there may be.

use holdfast_tests::process::{file_slots, limit_files, open_files, raise_file_limit, threads};
use holdfast_tests::raw::Raw;
use holdfast_tests::setup::Setup;
use holdfast_tests::socket::{Socket, handshake};
use holdfast_tests::wait::found;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

const CONNECTIONS: usize = 10_000;
const THREADS_MAX: u64 = 9;

/// Handshakes under way at once.
const OPENING_MAX: usize = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_idle_websockets_need_fewer_than_ten_threads() {
    raise_file_limit();
    let host = Setup::new("echo").alone().start().await;
    let slots = file_slots(host.pid());
    let mut sockets = Vec::with_capacity(CONNECTIONS);
    while sockets.len() < CONNECTIONS {
        let opening = (0..OPENING_MAX).map(|_| Socket::open(&host, "/"));
        sockets.extend(futures_util::future::join_all(opening).await);
    }
    let count = threads(host.pid());
    assert!(count <= THREADS_MAX, "{count} threads");
    let grown = file_slots(host.pid());
    assert_eq!(grown, slots, "each time it grows, an event loop waits");
    for (index, socket) in sockets.iter_mut().enumerate() {
        let text = index.to_string();
        assert_eq!(socket.ask(&text).await, text);
    }
    let count = threads(host.pid());
    assert!(count <= THREADS_MAX, "{count} threads");
}

#[tokio::test]
async fn a_host_without_files_serves_again_when_it_has_some() {
    const FREE: usize = 5;
    let host = Setup::new("echo").start().await;
    let mut socket = Socket::open(&host, "/").await;
    limit_files(host.pid(), open_files(host.pid()) + FREE);
    let mut clients = Vec::new();
    for _ in 0..4 * FREE {
        // The kernel accepts them for the host.
        clients.push(TcpStream::connect(host.address()).await.unwrap());
    }
    host.logged(&["no connection can be accepted now"]).await;
    assert_eq!(socket.ask("who is here").await, "who is here");
    drop(clients);
    let mut next = Socket::open(&host, "/").await;
    assert_eq!(next.ask("welcome").await, "welcome");
    let log = host.log();
    let warnings = log.matches("no connection can be accepted now").count();
    assert!(warnings < FREE, "it is said when it begins: {log}");
    host.stop().await;
}

#[tokio::test]
async fn connections_max_closes_what_is_more() {
    let host = Setup::new("echo").host("connections_max", 2).start().await;
    let mut first = Socket::open(&host, "/").await;
    let second = Socket::open(&host, "/").await;
    let mut third = TcpStream::connect(host.address()).await.unwrap();
    let read = third.read(&mut [0; 1]).await;
    assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
    host.logged(&["connections are refused"]).await;
    // Who asks for something is told to come back.
    for asked in ["GET / HTTP/1.1\r\nhost: a\r\n\r\n", "GET "] {
        let mut raw = Raw::connect(&host).await;
        raw.send(asked.as_bytes()).await;
        let answer = String::from_utf8(raw.rest().await).unwrap();
        assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
        assert!(answer.contains("retry-after: 1\r\n"), "{answer}");
    }
    let refusal = Socket::offer(&host, handshake("/")).await.unwrap_err();
    assert_eq!(refusal.status(), 503);
    assert_eq!(first.ask("still here").await, "still here");
    drop(second);
    found("a free place", async || {
        let stream = TcpStream::connect(host.address()).await.ok()?;
        let request = handshake("/");
        let opened = tokio_tungstenite::client_async(request, stream).await;
        opened.ok().map(drop)
    })
    .await;
}
