//! Clients that send a body slowly, to guests that can do nothing else meanwhile:
//! those of `wasi:http` 0.2.

use std::time::Duration;

use bytes::Bytes;
use holdfast_tests::host::Host;
use holdfast_tests::http::{connect, get, piece, request, send, streamed, whole};
use holdfast_tests::raw::Raw;
use holdfast_tests::setup::Setup;
use holdfast_tests::wait::patiently;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Instances of the plugin; half of them may wait for bodies.
const INSTANCES: u64 = 4;

fn setup() -> Setup {
    // Who needs an instance of a plugin that has none left would wait for a minute.
    Setup::new("wstd")
        .limit("instances_max", INSTANCES)
        .limit("event_timeout_ms", 60_000)
}

/// A client that has begun to send a body in chunks, and what it gets for it.
async fn begin(host: &Host, path: &str) -> (mpsc::Sender<Bytes>, JoinHandle<(u16, String)>) {
    let (sender, body) = streamed();
    let (mut client, connection) =
        hyper::client::conn::http1::handshake(hyper_util::rt::TokioIo::new(connect(host).await))
            .await
            .unwrap();
    tokio::spawn(connection);
    let sending = client.send_request(request("POST", path, body));
    let answer = tokio::spawn(async move {
        let response = sending.await.unwrap();
        let status = response.status().as_u16();
        let body = http_body_util::BodyExt::collect(response.into_body()).await;
        let body = body.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    });
    sender.send("begun".into()).await.unwrap();
    (sender, answer)
}

#[tokio::test]
async fn slow_bodies_leave_instances_to_others() {
    let host = setup().start().await;
    let mut slow = Vec::new();
    for _ in 0..5 * INSTANCES {
        slow.push(begin(&host, "/echo").await);
    }
    // Many more of them than there are instances, and yet the guest answers, also
    // to those who send a body as they should.
    for _ in 0..20 {
        assert_eq!(get(&host, "/hello").await.text(), "Hello from wstd");
        let (sender, body) = streamed();
        let sending = async {
            sender.send("12345".into()).await.unwrap();
            drop(sender);
        };
        let (response, ()) = tokio::join!(whole(&host, request("POST", "/echo", body)), sending);
        assert_eq!(response.text(), "12345");
    }
    // And each of the slow ones gets what he has waited for.
    let ends = slow.into_iter().map(async |(sender, answer)| {
        sender.send(vec![b'x'; 100_000].into()).await.unwrap();
        drop(sender);
        let (status, text) = patiently("an answer", answer).await.unwrap();
        assert_eq!((status, text.len()), (200, 100_005));
    });
    futures_util::future::join_all(ends).await;
}

#[tokio::test]
async fn bodies_are_passed_on_piece_by_piece_as_long_as_there_are_few() {
    let host = setup().start().await;
    let mut talks = Vec::new();
    for _ in 0..INSTANCES / 2 {
        let (sender, body) = streamed();
        let answer = send(&host, request("POST", "/echo", body)).await.unwrap();
        talks.push((sender, answer.into_body()));
    }
    for text in ["one", "two"] {
        for (sender, answer) in &mut talks {
            sender.send(text.into()).await.unwrap();
            assert_eq!(piece(answer).await.unwrap(), text);
        }
    }
    // One more waits until another ends, and goes on where it is then.
    let (sender, body) = streamed();
    let third = tokio::spawn({
        let stream = connect(&host).await;
        async move {
            let io = hyper_util::rt::TokioIo::new(stream);
            let (mut client, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
            tokio::spawn(connection);
            client.send_request(request("POST", "/echo", body)).await
        }
    });
    sender.send("three".into()).await.unwrap();
    assert_eq!(get(&host, "/hello").await.text(), "Hello from wstd");
    assert!(!third.is_finished());
    talks.pop();
    let answer = patiently("an answer", third).await.unwrap().unwrap();
    let mut answer = answer.into_body();
    assert_eq!(piece(&mut answer).await.unwrap(), "three");
    sender.send("four".into()).await.unwrap();
    assert_eq!(piece(&mut answer).await.unwrap(), "four");
}

#[tokio::test]
async fn who_is_too_slow_is_told_so() {
    let host = setup().limit("body_idle_timeout_ms", 1000).start().await;
    let begun = b"POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n";
    let mut clients = Vec::new();
    for _ in 0..3 * INSTANCES {
        let mut raw = Raw::connect(&host).await;
        raw.send(begun).await;
        clients.push(raw);
    }
    assert_eq!(get(&host, "/hello").await.text(), "Hello from wstd");
    for mut raw in clients {
        let (rest, has_ended) = raw.rest_within(Duration::from_secs(30)).await;
        let rest = String::from_utf8(rest).unwrap();
        assert!(has_ended);
        // What the guest has begun to answer breaks off.
        let is_broken = rest.starts_with("HTTP/1.1 200 ") && !rest.ends_with("\r\n0\r\n\r\n");
        assert!(is_broken || rest.starts_with("HTTP/1.1 408 "), "{rest}");
    }
}
