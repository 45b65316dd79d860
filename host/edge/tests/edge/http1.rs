//! HTTP/1.1 at its edges: clients that are slow, that send what nobody wants, or
//! together what others send one after the other.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::support::client::Raw;
use crate::support::native::{PIECES, piece_len};
use crate::support::server::Server;
use crate::support::soon;

const HELLO: &str = "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";

/// A client whose kernel takes little for it.
async fn narrow(address: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.connect(address).await.unwrap()
}

/// All that comes to the orderly end of the connection.
async fn all(raw: &mut Raw) -> String {
    String::from_utf8(raw.rest().await).unwrap()
}

#[tokio::test]
async fn pieces_are_whole_however_they_are_taken() {
    let server = Server::start();
    let mut client = narrow(server.address).await;
    let request = "GET /pieces HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    client.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    soon("the end", client.read_to_end(&mut answer))
        .await
        .unwrap();
    let begin = answer.windows(4).position(|it| it == b"\r\n\r\n").unwrap() + 4;
    let mut rest = &answer[begin..];
    for piece in 0..PIECES {
        let len = piece_len(piece);
        let size = format!("{len:x}\r\n");
        rest = rest.strip_prefix(size.as_bytes()).unwrap();
        let letter = b'a' + (piece % 26) as u8;
        assert!(rest[..len].iter().all(|byte| *byte == letter), "{piece}");
        rest = rest[len..].strip_prefix(b"\r\n").unwrap();
    }
    assert_eq!(rest, b"0\r\n\r\n");
}

#[tokio::test]
async fn who_does_not_read_keeps_no_other_pipeline_waiting() {
    let server = Server::start();
    let address = server.address;
    let deaf = (0..4).map(|_| {
        tokio::spawn(async move {
            let mut client = narrow(address).await;
            // What is small enough to be held back for a moment.
            let requests = HELLO.replace("/hello", "/page").repeat(100);
            loop {
                let sent = client.write_all(requests.as_bytes());
                if timeout(Duration::from_millis(500), sent).await.is_err() {
                    return client;
                }
            }
        })
    });
    let deaf: Vec<_> = deaf.collect();
    // Others beside them, without whom nothing is held back.
    let busy = (0..3).map(|_| {
        tokio::spawn(async move {
            let mut raw = Raw::connect(address).await;
            loop {
                raw.send(HELLO).await;
                raw.head().await;
                raw.bytes(5).await;
            }
        })
    });
    let busy: Vec<_> = busy.collect();
    let mut clients = Vec::new();
    for deaf in deaf {
        clients.push(soon("a full socket", deaf).await.unwrap());
    }
    for busy in busy {
        busy.abort();
    }
    let mut raw = Raw::connect(address).await;
    raw.send(HELLO.repeat(20)).await;
    for _ in 0..20 {
        assert!(raw.head().await.starts_with("HTTP/1.1 200 "));
        raw.bytes(5).await;
    }
    drop(clients);
}

#[tokio::test]
async fn a_large_body_that_nobody_wants_takes_no_answer_away() {
    let server = Server::start();
    for path in ["/hello", "/nowhere", "/fail"] {
        for lines in ["Content-Length: 99999999", "Transfer-Encoding: chunked"] {
            let mut raw = Raw::connect(server.address).await;
            let chunk = format!("493e0\r\n{}", "x".repeat(300_000));
            raw.send(format!(
                "POST {path} HTTP/1.1\r\nHost: x\r\n{lines}\r\n\r\n{chunk}"
            ))
            .await;
            let answer = all(&mut raw).await;
            assert!(answer.starts_with("HTTP/1.1 "), "{path} {lines}: {answer}");
            assert!(answer.contains("connection: close\r\n"), "{answer}");
        }
    }
}

#[tokio::test]
async fn a_small_body_that_nobody_wants_is_passed_over() {
    let server = Server::start();
    let mut raw = Raw::connect(server.address).await;
    for body in [
        "Content-Length: 3\r\n\r\nabc",
        "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        // Some clients send an empty line behind a body.
        "Content-Length: 3\r\n\r\nabc\r\n",
    ] {
        raw.send(format!("POST /hello HTTP/1.1\r\nHost: x\r\n{body}"))
            .await;
        let head = raw.head().await;
        assert!(!head.contains("connection: close"), "{head}");
        assert_eq!(raw.bytes(5).await, b"hello");
    }
    // One that is still to come: the client is told not to send another request.
    raw.send("POST /hello HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        .await;
    let answer = all(&mut raw).await;
    assert!(answer.contains("connection: close\r\n"), "{answer}");
}

#[tokio::test]
async fn a_body_is_asked_for_when_somebody_reads_it() {
    let server = Server::start();
    let post = |path: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"
        )
    };
    let mut raw = Raw::connect(server.address).await;
    for _ in 0..2 {
        raw.send(post("/swallow")).await;
        assert_eq!(raw.head().await, "HTTP/1.1 100 Continue\r\n\r\n");
        raw.send("abc").await;
        assert!(raw.head().await.starts_with("HTTP/1.1 200 "));
        assert_eq!(raw.bytes(1).await, b"3");
        // It comes without waiting.
        raw.send(format!("{}abc", post("/swallow"))).await;
        assert!(raw.head().await.starts_with("HTTP/1.1 200 "));
        assert_eq!(raw.bytes(1).await, b"3");
    }
    // Nobody reads this one, and the client may not send it.
    raw.send(post("/hello").replace("Content-Length: 3", "Transfer-Encoding: chunked"))
        .await;
    let answer = all(&mut raw).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
}

#[tokio::test]
async fn nothing_is_read_behind_what_might_become_a_websocket() {
    let server = Server::start();
    for request in ["OPTIONS *", "GET /hello", "GET /nowhere"] {
        let mut raw = Raw::connect(server.address).await;
        let upgrade = "Upgrade: websocket\r\nConnection: upgrade\r\n\r\n";
        raw.send(format!("{request} HTTP/1.1\r\nHost: x\r\n{upgrade}{HELLO}"))
            .await;
        let answer = all(&mut raw).await;
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
        assert!(answer.contains("connection: close\r\n"), "{answer}");
    }
}

#[tokio::test]
async fn what_speaks_1_0_is_answered_so() {
    let server = Server::start();
    let mut raw = Raw::connect(server.address).await;
    let request = "GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
    raw.send(request).await;
    let head = raw.head().await;
    assert!(head.starts_with("HTTP/1.0 200 OK\r\n"), "{head}");
    assert!(head.contains("connection: keep-alive\r\n"), "{head}");
    assert_eq!(raw.bytes(5).await, b"hello");
    // Of unknown length: it ends with the connection.
    raw.send(request.replace("/hello", "/pieces")).await;
    let answer = all(&mut raw).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("connection: close"), "{head}");
    assert_eq!(body.len(), (0..PIECES).map(piece_len).sum::<usize>());
}
