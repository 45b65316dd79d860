use std::time::{Duration, Instant};

use tokio::io::AsyncReadExt;

use crate::support::client::{Client, HANDSHAKE, Raw};
use crate::support::server::{Options, Server};
use crate::support::until;

#[tokio::test]
async fn sockets_are_closed_and_requests_finished() {
    let options = Options {
        loops: 2,
        ..Options::default()
    };
    let server = options.start();
    let mut client = Client::connect(server.address, "/rich").await;
    let mut request = Raw::connect(server.address).await;
    request.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let mut kept_alive = Raw::connect(server.address).await;
    kept_alive
        .send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
        .await;
    kept_alive.head().await;
    kept_alive.bytes(5).await;
    let mut silent = Raw::connect(server.address).await;
    until("the request is under way", || server.record.has("waiting")).await;
    server.drain(Duration::from_secs(60));
    let (code, reason) = client.closed().await;
    assert_eq!(code, 1001);
    let event = format!("close Drain 1001 {reason} [card] 0");
    until("its close event", || server.record.has(&event)).await;
    assert_eq!(kept_alive.rest().await, b"");
    assert_eq!(silent.rest().await, b"");
    assert!(!server.has_ended());
    server.record.gate.open();
    let answer = String::from_utf8(request.rest().await).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(answer.ends_with("waited"), "{answer}");
    until("all has ended", || server.has_ended()).await;
}

#[tokio::test]
async fn the_shut_down_is_bounded_and_every_socket_gets_its_close() {
    let server = Server::start();
    // One guest that does not end, one client that does not answer.
    let mut stuck = Client::connect(server.address, "/").await;
    stuck.send("wait").await;
    until("the guest waits", || server.record.has("waiting")).await;
    let _deaf = Raw::upgrade(server.address, "/").await;
    let mut request = Raw::connect(server.address).await;
    request.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n").await;
    until("both wait", || {
        let events = server.record.events();
        events.iter().filter(|event| *event == "waiting").count() == 2
    })
    .await;
    server.drain(Duration::from_millis(50));
    until("all has ended", || server.has_ended()).await;
    let events = server.record.events();
    let closed = |event: &&String| event.starts_with("close Drain 1001");
    assert_eq!(events.iter().filter(closed).count(), 2, "{events:?}");
}

#[tokio::test]
async fn a_handshake_under_way_is_closed_at_once() {
    let server = Server::start();
    let mut raw = Raw::connect(server.address).await;
    raw.send(format!("GET /wait HTTP/1.1\r\n{HANDSHAKE}\r\n"))
        .await;
    until("accept is under way", || server.record.has("accept /wait")).await;
    server.drain(Duration::from_secs(60));
    server.record.gate.open();
    assert!(raw.head().await.starts_with("HTTP/1.1 101 "));
    let close = raw.bytes(4).await;
    assert_eq!(close[2..], 1001u16.to_be_bytes());
    drop(raw);
    until("all has ended", || server.has_ended()).await;
    assert!(server.record.has("open"));
}

#[tokio::test]
async fn nobody_is_accepted_any_more() {
    let server = Server::start();
    server.drain(Duration::from_secs(60));
    until("all has ended", || server.has_ended()).await;
    let connected = tokio::net::TcpStream::connect(server.address).await;
    assert!(connected.is_err());
}

#[tokio::test]
async fn many_sockets_are_closed_over_the_window() {
    const COUNT: usize = 64;
    let server = Server::start();
    let mut clients = Vec::new();
    for _ in 0..COUNT {
        clients.push(Client::connect(server.address, "/").await);
    }
    // Sixteen are closed in each of its ticks.
    server.hub.set_close_window(Duration::from_secs(1));
    let begin = Instant::now();
    server.drain(Duration::from_secs(60));
    let mut times = Vec::new();
    for client in &mut clients {
        assert_eq!(client.closed().await.0, 1001);
        times.push(begin.elapsed());
    }
    assert!(
        times.last() >= Some(&Duration::from_millis(30)),
        "{times:?}"
    );
    drop(clients);
    until("all has ended", || server.has_ended()).await;
}

#[tokio::test]
async fn what_is_more_than_the_host_may_have_is_closed_at_once() {
    let options = Options {
        connections_max: 2,
        ..Options::default()
    };
    let server = options.start();
    let mut first = Client::connect(server.address, "/").await;
    let second = Client::connect(server.address, "/").await;
    // It may be reset, since nobody reads what it says.
    let mut third = tokio::net::TcpStream::connect(server.address)
        .await
        .unwrap();
    let read = third.read(&mut [0; 1]).await;
    assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
    assert_eq!(first.ask("still here").await, "still here");
    drop(second);
    until("a free place", || server.connection_count() == 1).await;
    let mut tries = 0;
    let mut next = loop {
        // The host learns a moment later that its transport has ended.
        match Client::try_connect(server.address, "/", &[]).await {
            Ok((client, _)) => break client,
            Err(_) => tries += 1,
        }
        assert!(tries < 1000, "no place");
    };
    assert_eq!(next.ask("welcome").await, "welcome");
}
