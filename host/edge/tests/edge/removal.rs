use std::time::{Duration, Instant};

use holdfast_core::limits::RawLimits;

use crate::support::client::{Client, HANDSHAKE, Raw};
use crate::support::server::{Options, Server};
use crate::support::until;

const EVENT: &str = "close Deploy 1001 the plugin was removed [] 0";

#[tokio::test]
async fn a_removed_plugins_sockets_close_and_others_stay() {
    const COUNT: usize = 200;
    let options = Options {
        loops: 2,
        ..Options::default()
    };
    let server = options.start();
    let mut clients = Vec::new();
    for _ in 0..COUNT {
        clients.push(Client::connect(server.address, "/").await);
    }
    let mut neighbour = Client::connect(server.address, "/other").await;
    assert_eq!(server.connection_count(), COUNT as u32);
    server.remove();
    for client in &mut clients {
        let expected = (1001, "the plugin was removed".to_owned());
        assert_eq!(client.closed().await, expected);
    }
    until("all have ended", || server.connection_count() == 0).await;
    let events = server.record.events();
    let closed = events.iter().filter(|event| *event == EVENT).count();
    assert_eq!(closed, COUNT);
    assert_eq!(neighbour.ask("still here").await, "still here");
}

#[tokio::test]
async fn nobody_comes_to_a_removed_plugin() {
    let server = Server::start();
    server.remove();
    for request in [
        format!("GET / HTTP/1.1\r\n{HANDSHAKE}\r\n"),
        "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
    ] {
        let mut raw = Raw::connect(server.address).await;
        raw.send(request).await;
        assert!(raw.head().await.starts_with("HTTP/1.1 404 "));
    }
    assert_eq!(server.record.events(), [""; 0]);
}

#[tokio::test]
async fn a_handshake_under_way_is_closed_after_its_101() {
    let server = Server::start();
    let mut raw = Raw::connect(server.address).await;
    raw.send(format!("GET /wait HTTP/1.1\r\n{HANDSHAKE}\r\n"))
        .await;
    until("accept is under way", || server.record.has("accept /wait")).await;
    server.remove();
    server.record.gate.open();
    assert!(raw.head().await.starts_with("HTTP/1.1 101 "));
    let close = raw.bytes(4).await;
    assert_eq!(close[2..], 1001u16.to_be_bytes());
    drop(raw);
    until("it has ended", || server.connection_count() == 0).await;
    assert_eq!(server.record.events(), ["accept /wait", "open", EVENT]);
}

#[tokio::test]
async fn a_message_under_way_comes_to_its_end() {
    let server = Server::start();
    let mut client = Client::connect(server.address, "/").await;
    client.send("wait").await;
    until("the guest waits", || server.record.has("waiting")).await;
    server.remove();
    server.record.gate.open();
    assert_eq!(client.closed().await.0, 1001);
    until("it has ended", || server.connection_count() == 0).await;
    let expected = ["accept /", "open", "waiting", "waited", EVENT];
    assert_eq!(server.record.events(), expected);
}

#[tokio::test]
async fn a_connection_counts_until_its_close_event_is_handled() {
    let server = Server::start();
    let mut client = Client::connect(server.address, "/hold").await;
    server.remove();
    assert_eq!(client.closed().await.0, 1001);
    let event = "close Deploy 1001 the plugin was removed [hold] 0";
    until("its close event", || server.record.has(event)).await;
    assert_eq!(server.connection_count(), 1);
    server.record.gate.open();
    until("it is handled", || server.connection_count() == 0).await;
}

/// A client that does not answer its close frame must not hold up the removal
/// for longer than `close_timeout_ms`.
#[tokio::test]
async fn many_deaf_clients_are_left_while_a_neighbour_is_served() {
    const COUNT: usize = 1000;
    let options = Options {
        limits: RawLimits {
            close_timeout_ms: Some(200),
            ..RawLimits::default()
        },
        ..Options::default()
    };
    let server = options.start();
    let mut deaf = Vec::new();
    for _ in 0..COUNT {
        deaf.push(Raw::upgrade(server.address, "/").await);
    }
    let mut neighbour = Client::connect(server.address, "/other").await;
    server.remove();
    let begin = Instant::now();
    let mut longest = Duration::ZERO;
    while server.connection_count() > 0 {
        let asked = Instant::now();
        assert_eq!(neighbour.ask("hello").await, "hello");
        longest = longest.max(asked.elapsed());
        assert!(begin.elapsed() < Duration::from_secs(20));
    }
    assert!(longest < Duration::from_secs(1), "{longest:?}");
}
