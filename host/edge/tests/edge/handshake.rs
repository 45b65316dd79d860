use tokio_tungstenite::tungstenite::Error;

use crate::support::client::{Client, HANDSHAKE, Raw};
use crate::support::server::{Options, Server};
use crate::support::until;

use holdfast_core::limits::RawLimits;
use holdfast_core::plugin::Handlers;

/// The status of an answer and what else has to be in it.
async fn answer(server: &Server, request: &str, expected: &[&str]) {
    let mut raw = Raw::connect(server.address).await;
    raw.send(request).await;
    let head = raw.head().await.to_ascii_lowercase();
    for part in expected {
        assert!(head.contains(part), "{request}\nis answered\n{head}");
    }
}

#[tokio::test]
async fn malformed_handshakes_are_refused() {
    let server = Server::start();
    let good = format!("GET / HTTP/1.1\r\n{HANDSHAKE}\r\n");
    answer(
        &server,
        &good,
        &["http/1.1 101 ", "s3pplmbitxaq9kygzzhzrbk+xoo="],
    )
    .await;
    let version = "sec-websocket-version: 13";
    for (from, to, expected) in [
        ("GET", "POST", &["http/1.1 400 "][..]),
        ("HTTP/1.1", "HTTP/1.0", &["http/1.0 400 "]),
        ("Host: x\r\n", "", &["http/1.1 400 "]),
        ("Host: x\r\n", "Host: x\r\nHost: y\r\n", &["http/1.1 400 "]),
        ("Connection: Upgrade\r\n", "", &["http/1.1 400 "]),
        ("jZQ==", "jZQ", &["http/1.1 400 "]),
        ("dGhlIHNhbXBs", "", &["http/1.1 400 "]),
        ("Version: 13", "Version: 8", &["http/1.1 426 ", version]),
        (
            "Sec-WebSocket-Version: 13\r\n",
            "",
            &["http/1.1 426 ", version],
        ),
        ("Host", "Content-Length: 1\r\nHost", &["http/1.1 400 "]),
    ] {
        answer(&server, &good.replacen(from, to, 1), expected).await;
    }
}

#[tokio::test]
async fn what_is_no_handshake_is_a_request() {
    let server = Server::start();
    let request = "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
    answer(&server, request, &["http/1.1 200 "]).await;
    let http_only = Options {
        handlers: Handlers {
            http: true,
            http_alone: false,
            websocket: false,
        },
        ..Options::default()
    };
    let server = http_only.start();
    let request = format!("GET /hello HTTP/1.1\r\n{HANDSHAKE}\r\n");
    answer(&server, &request, &["http/1.1 200 "]).await;
    let request = format!("GET /switch HTTP/1.1\r\n{HANDSHAKE}\r\n");
    answer(&server, &request, &["http/1.1 500 "]).await;
}

#[tokio::test]
async fn a_request_to_a_websocket_plugin_is_told_to_upgrade() {
    let websocket_only = Options {
        handlers: Handlers {
            http: false,
            http_alone: false,
            websocket: true,
        },
        ..Options::default()
    };
    let server = websocket_only.start();
    let request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    let expected = [
        "http/1.1 426 ",
        "upgrade: websocket",
        "sec-websocket-version: 13",
    ];
    answer(&server, request, &expected).await;
}

#[tokio::test]
async fn the_guest_decides() {
    let server = Server::start();
    for (path, expected) in [
        (
            "/reject",
            &["http/1.1 403 ", "x-why: no", "content-length: 7"][..],
        ),
        ("/reject-200", &["http/1.1 500 "]),
        ("/trap", &["http/1.1 500 "]),
        ("/bad-subprotocol", &["http/1.1 500 "]),
        ("/large-attachment", &["http/1.1 500 "]),
        ("/bad-topic", &["http/1.1 500 "]),
        (
            "/rich",
            &["http/1.1 101 ", "x-extra: 1", "upgrade: websocket\r\n"],
        ),
    ] {
        let request = format!("GET {path} HTTP/1.1\r\n{HANDSHAKE}\r\n");
        answer(&server, &request, expected).await;
    }
    until("refused handshakes leave nothing", || {
        server.connection_count() == 0
    })
    .await;
}

#[tokio::test]
async fn a_subprotocol_is_one_of_those_offered() {
    let server = Server::start();
    let offers = [("sec-websocket-protocol", "v1, v2")];
    let connected = Client::try_connect(server.address, "/subprotocol", &offers).await;
    let (_client, response) = connected.unwrap();
    assert_eq!(response.headers()["sec-websocket-protocol"], "v2");
}

#[tokio::test]
async fn no_more_connections_than_allowed() {
    let options = Options {
        limits: RawLimits {
            connections_max: Some(1),
            ..RawLimits::default()
        },
        ..Options::default()
    };
    let server = options.start();
    let mut first = Client::connect(server.address, "/").await;
    match Client::try_connect(server.address, "/", &[]).await {
        Err(Error::Http(response)) => {
            assert_eq!(response.status(), 503);
            assert_eq!(response.headers()["retry-after"], "1");
        }
        other => panic!("{:?}", other.map(|_| ())),
    }
    assert_eq!(server.record.events().len(), 2, "the guest was not asked");
    first.0.close(None).await.unwrap();
    first.closed().await;
    until("the first has ended", || server.connection_count() == 0).await;
    Client::connect(server.address, "/").await;
}

#[tokio::test]
async fn what_is_sent_during_accept_comes_after_the_101() {
    let server = Server::start();
    let mut client = Client::connect(server.address, "/first").await;
    assert_eq!(client.text().await, "first");
}

#[tokio::test]
async fn what_the_client_sends_with_its_handshake_is_not_lost() {
    let server = Server::start();
    let mut raw = Raw::connect(server.address).await;
    let mut bytes = format!("GET / HTTP/1.1\r\n{HANDSHAKE}\r\n").into_bytes();
    bytes.extend(crate::support::client::frame(0x82, b"early"));
    raw.send(&bytes).await;
    raw.head().await;
    assert_eq!(raw.bytes(7).await, b"\x82\x05early");
}

#[tokio::test]
async fn a_client_that_hangs_up_during_accept_gets_open_and_close() {
    let server = Server::start();
    let mut raw = Raw::connect(server.address).await;
    raw.send(format!("GET /wait HTTP/1.1\r\n{HANDSHAKE}\r\n"))
        .await;
    until("accept is under way", || server.record.has("accept /wait")).await;
    drop(raw);
    server.record.gate.open();
    until("the connection has ended", || {
        server.record.events().len() == 3
    })
    .await;
    assert_eq!(
        server.record.events(),
        ["accept /wait", "open", "close ConnectionLost 1006  [] 0"]
    );
    until("it is not counted", || server.connection_count() == 0).await;
}

#[tokio::test]
async fn a_connection_closed_during_accept_opens_and_closes() {
    let server = Server::start();
    let mut client = Client::connect(server.address, "/close").await;
    assert_eq!(client.closed().await, (4000, "no".to_owned()));
    let closed = "close Server 4000 no [] 0".to_owned();
    until("its close event", || server.record.has(&closed)).await;
    let expected = ["accept /close", "open", &closed];
    assert_eq!(server.record.events(), expected);
}
