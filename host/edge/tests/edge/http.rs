use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use holdfast_core::limits::RawLimits;
use http::Request;
use http_body::Frame;
use http_body_util::{BodyExt, Empty, StreamBody};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::support::client::Raw;
use crate::support::server::{Options, Server};
use crate::support::{soon, until};

fn with_body_limit(bytes_max: u64) -> Server {
    let options = Options {
        limits: RawLimits {
            body_bytes_max: Some(bytes_max),
            ..RawLimits::default()
        },
        ..Options::default()
    };
    options.start()
}

/// Sends a request without a body; returns head and body of the answer.
async fn ask(server: &Server, method: &str, path: &str) -> (String, String) {
    let mut raw = Raw::connect(server.address).await;
    raw.send(format!(
        "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    ))
    .await;
    let answer = String::from_utf8(raw.rest().await).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_ascii_lowercase(), body.to_owned())
}

#[tokio::test]
async fn failures_become_statuses_and_tell_nothing() {
    let server = Server::start();
    for (path, status) in [
        ("/hello", "200"),
        ("/no-handler", "404"),
        ("/trap", "500"),
        ("/disrupted", "500"),
        ("/fail", "500"),
        ("/unknown", "500"),
        ("/switch", "500"),
        ("/timeout", "504"),
        ("/overloaded", "503"),
    ] {
        let (head, body) = ask(&server, "GET", path).await;
        assert!(
            head.starts_with(&format!("http/1.1 {status} ")),
            "{path}: {head}"
        );
        assert!(!body.contains("secret"), "{path}: {body}");
        assert_eq!(head.contains("retry-after: 1"), status == "503", "{head}");
    }
}

#[tokio::test]
async fn requests_that_are_none_of_ours() {
    let server = Server::start();
    for (request, status) in [
        ("GET /hello HTTP/1.1\r\n\r\n", "400"),
        ("GET /hello HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400"),
        ("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", "405"),
        ("nonsense\r\n\r\n", "400"),
        ("POST /hello HTTP/1.1\r\nHost: a\r\n\r\n", "200"),
    ] {
        let mut raw = Raw::connect(server.address).await;
        raw.send(request).await;
        let head = raw.head().await;
        assert!(
            head.starts_with(&format!("HTTP/1.1 {status} ")),
            "{request}: {head}"
        );
    }
}

#[tokio::test]
async fn a_connection_is_kept_alive_whatever_the_guest_says() {
    let server = Server::start();
    let mut raw = Raw::connect(server.address).await;
    for _ in 0..3 {
        raw.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n").await;
        let head = raw.head().await.to_ascii_lowercase();
        assert!(head.contains("content-length: 5"), "{head}");
        for field in ["connection", "keep-alive", "transfer-encoding"] {
            assert!(!head.contains(field), "{head}");
        }
        assert_eq!(raw.bytes(5).await, b"hello");
    }
}

#[tokio::test]
async fn head_has_no_body() {
    let server = Server::start();
    let (head, body) = ask(&server, "HEAD", "/hello").await;
    assert!(head.contains("content-length: 5"), "{head}");
    assert_eq!(body, "");
}

#[tokio::test]
async fn a_body_announced_too_large_is_refused_at_once() {
    let server = with_body_limit(1000);
    let mut raw = Raw::connect(server.address).await;
    // Not all of it comes, and some of it comes unasked.
    raw.send("POST /swallow HTTP/1.1\r\nHost: x\r\nContent-Length: 100001\r\n\r\n")
        .await;
    raw.send(vec![b'x'; 100_000]).await;
    let answer = String::from_utf8(raw.rest().await).unwrap();
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    let mut raw = Raw::connect(server.address).await;
    raw.send("POST /swallow HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
        .await;
    raw.send(vec![b'x'; 1000]).await;
    assert!(raw.head().await.starts_with("HTTP/1.1 200 "));
}

/// A chunked request of many chunks, each of 1,000 bytes.
async fn send_chunks(raw: &mut Raw, path: &str, count: usize) {
    raw.send(format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    ))
    .await;
    for _ in 0..count {
        raw.send(format!("3e8\r\n{}\r\n", "x".repeat(1000))).await;
    }
}

#[tokio::test]
async fn a_body_that_grows_too_large_is_refused_before_the_head() {
    let server = with_body_limit(10_000);
    let mut raw = Raw::connect(server.address).await;
    send_chunks(&mut raw, "/swallow", 50).await;
    let answer = String::from_utf8(raw.rest().await).unwrap();
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    let mut raw = Raw::connect(server.address).await;
    send_chunks(&mut raw, "/swallow", 10).await;
    raw.send("0\r\n\r\n").await;
    assert!(raw.head().await.starts_with("HTTP/1.1 200 "));
    assert_eq!(raw.bytes(5).await, b"10000");
}

#[tokio::test]
async fn a_body_that_grows_too_large_breaks_off_the_response() {
    let server = with_body_limit(10_000);
    let mut raw = Raw::connect(server.address).await;
    send_chunks(&mut raw, "/ignore", 5).await;
    assert!(raw.head().await.starts_with("HTTP/1.1 200 "));
    assert_eq!(raw.bytes(10).await, b"5\r\nbegun\r\n");
    for _ in 0..20 {
        raw.send(format!("3e8\r\n{}\r\n", "x".repeat(1000))).await;
    }
    let mut rest = Vec::new();
    // An end or an error, but no last chunk.
    let _ = soon("the end", raw.0.read_to_end(&mut rest)).await;
    assert_eq!(rest, b"");
}

#[tokio::test]
async fn large_bodies_stream_both_ways() {
    const CHUNK: &[u8] = &[7; 64 << 10];
    const COUNT: usize = 512;
    let server = with_body_limit(1 << 30);
    let chunks = stream::repeat(Bytes::from_static(CHUNK)).take(COUNT);
    let body = StreamBody::new(chunks.map(|chunk| Ok::<_, std::io::Error>(Frame::data(chunk))));
    let stream = TcpStream::connect(server.address).await.unwrap();
    let shaken = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = shaken.unwrap();
    let connection = tokio::spawn(connection);
    let request = Request::post("/echo")
        .header("host", "x")
        .body(body)
        .unwrap();
    let response = soon("the head", sender.send_request(request))
        .await
        .unwrap();
    let mut body = response.into_body();
    let mut len = 0;
    while let Some(frame) = soon("a frame", body.frame()).await {
        len += frame.unwrap().data_ref().map_or(0, Bytes::len);
    }
    assert_eq!(len, COUNT * CHUNK.len());
    drop(sender);
    connection.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_client_that_does_not_read_holds_up_the_stream_and_ends_it_by_leaving() {
    let server = Server::start();
    let mut raw = Raw::connect(server.address).await;
    raw.send("GET /ticks HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(raw.head().await.starts_with("HTTP/1.1 200 "));
    let ticks = || server.record.events().len();
    // It comes to a stand before long: nothing in between has room without end.
    let mut before = 0;
    let mut still = 0;
    while still < 20 {
        tokio::time::sleep(Duration::from_millis(5)).await;
        still = if ticks() == before { still + 1 } else { 0 };
        before = ticks();
        assert!(before < 50_000, "an endless stream is not held up");
    }
    drop(raw);
    until("the stream has ended", || server.record.has("hung up")).await;
}

#[tokio::test]
async fn a_client_that_leaves_ends_the_event() {
    let server = Server::start();
    let mut raw = Raw::connect(server.address).await;
    raw.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n").await;
    until("the guest waits", || server.record.has("waiting")).await;
    drop(raw);
    until("the event is abandoned", || server.record.has("abandoned")).await;
}

#[tokio::test]
async fn http2_with_prior_knowledge_on_the_same_port() {
    let server = Server::start();
    let stream = TcpStream::connect(server.address).await.unwrap();
    let io = TokioIo::new(stream);
    let shaken = hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await;
    let (mut sender, connection) = shaken.unwrap();
    let connection = tokio::spawn(connection);
    let ask = |sender: &mut hyper::client::conn::http2::SendRequest<_>, path| {
        let uri = format!("http://{}{path}", server.address);
        let request = Request::get(uri).body(Empty::<Bytes>::new()).unwrap();
        sender.send_request(request)
    };
    // The second is answered while the first waits.
    let waiting = ask(&mut sender, "/wait");
    until("the guest waits", || server.record.has("waiting")).await;
    let response = soon("an answer", ask(&mut sender, "/hello")).await.unwrap();
    assert_eq!(response.status(), 200);
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, "hello");
    server.record.gate.open();
    let response = soon("an answer", waiting).await.unwrap();
    assert_eq!(
        response.into_body().collect().await.unwrap().to_bytes(),
        "waited"
    );
    drop(sender);
    soon("the end", connection).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_preface_in_pieces_is_still_one() {
    let server = Server::start();
    let mut raw = Raw::connect(server.address).await;
    raw.send("P").await;
    raw.send("RI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")
        .await;
    // The server's SETTINGS frame: type 4 on stream 0.
    let header = raw.bytes(9).await;
    assert_eq!(header[3], 4);
    let mut raw = Raw::connect(server.address).await;
    raw.send("P").await;
    raw.send("OST /hello HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(raw.head().await.starts_with("HTTP/1.1 200 "));
}
