//! HTTP: streaming both ways, in constant memory, over either version.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use holdfast_tests::http::{
    Body, full, get, piece, post, request, send, send_http2, streamed, whole,
};
use holdfast_tests::process::resident_bytes;
use holdfast_tests::setup::Setup;
use holdfast_tests::wait::{PATIENCE, found, patiently};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpSocket;

const CHUNK_BYTES: usize = 64 * 1024;
const GIGABYTE: usize = 1 << 30;

/// What the host may grow by while a body passes through.
const GROWTH_BYTES_MAX: u64 = 64 << 20;

#[tokio::test]
async fn an_upload_of_a_gigabyte_passes_in_constant_memory() {
    let host = Setup::new("waiting")
        .limit("body_bytes_max", 2 << 30)
        .limit("event_timeout_ms", 600_000)
        .start()
        .await;
    // Once, so that everything is loaded before memory is measured.
    assert_eq!(post(&host, "/length", "12345").await.text(), "5");
    let before = resident_bytes(host.pid());
    let mut most = before;
    let pid = host.pid();

    let chunk = Bytes::from(vec![0; CHUNK_BYTES]);
    let chunks = stream::iter((0..GIGABYTE / CHUNK_BYTES).map(move |count| {
        if count % 256 == 0 {
            most = most.max(resident_bytes(pid));
            assert!(most < before + GROWTH_BYTES_MAX, "{before} grew to {most}");
        }
        Ok(Frame::data(chunk.clone()))
    }));
    let body: Body = BodyExt::boxed(StreamBody::new(chunks));
    let stream = holdfast_tests::http::connect(&host).await;
    let io = hyper_util::rt::TokioIo::new(stream);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
    let connection = tokio::spawn(connection);
    let sending = sender.send_request(request("POST", "/length", body));
    let response = tokio::time::timeout(PATIENCE * 10, sending).await.unwrap();
    let body = response.unwrap().into_body().collect().await.unwrap();
    assert_eq!(body.to_bytes(), GIGABYTE.to_string());
    drop(sender);
    // A panic of the check above is one of this task.
    connection.await.unwrap().unwrap();
}

#[tokio::test]
async fn events_arrive_while_the_response_goes_on() {
    let host = Setup::new("waiting").start().await;
    // Far more events than fit into the time of this test.
    let path = "/events/100000/20";
    let answer = send(&host, request("GET", path, full(""))).await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let mut body = answer.into_body();
    let mut text = String::new();
    while !text.contains("data: 4\n\n") {
        let piece = piece(&mut body).await.expect("an endless response");
        text.push_str(std::str::from_utf8(&piece).unwrap());
    }
    assert!(text.starts_with("data: 0\n\ndata: 1\n\n"), "{text}");
}

#[tokio::test]
async fn a_response_goes_on_after_the_deadline_of_its_head() {
    let host = Setup::new("waiting")
        .limit("event_timeout_ms", 300)
        .start()
        .await;
    let response = get(&host, "/events/10/100").await;
    assert!(
        response.text().ends_with("data: 9\n\n"),
        "{}",
        response.text()
    );
}

#[tokio::test]
async fn a_body_is_echoed_while_it_is_sent() {
    let host = Setup::new("waiting").start().await;
    for is_http2 in [false, true] {
        let (sender, body) = streamed();
        let request = request("POST", "http://a/echo", body);
        let answer = if is_http2 {
            send_http2(&host, request).await
        } else {
            send(&host, request).await
        };
        let mut answer = answer.unwrap().into_body();
        for text in ["one", "two", "three"] {
            sender.send(Bytes::from(text)).await.unwrap();
            assert_eq!(piece(&mut answer).await.unwrap(), text);
        }
        drop(sender);
        assert_eq!(piece(&mut answer).await, None);
    }
}

#[tokio::test]
async fn methods_header_fields_and_statuses_pass_unchanged() {
    let host = Setup::new("plain").start().await;
    let mut question = request("PATCH", "/headers?a=b%20c", full(""));
    question
        .headers_mut()
        .append("x-twice", "one".parse().unwrap());
    question
        .headers_mut()
        .append("x-twice", "two".parse().unwrap());
    let response = whole(&host, question).await;
    let text = response.text();
    assert!(text.starts_with("PATCH /headers?a=b%20c\n"), "{text}");
    for line in ["x-twice: one\n", "x-twice: two\n"] {
        assert!(text.contains(line), "{text}");
    }
    for status in [204, 304, 404, 418, 503] {
        let response = get(&host, &format!("/status/{status}")).await;
        assert_eq!(response.status, status);
    }
    let response = whole(&host, request("HEAD", "/hello", full(""))).await;
    assert_eq!((response.status.as_u16(), response.text()), (200, ""));
}

#[tokio::test]
async fn a_client_that_goes_away_ends_its_response() {
    let host = Setup::new("waiting").limit("events_max", 1).start().await;
    let answer = send(&host, request("GET", "/events/100000/20", full(""))).await;
    let mut body = answer.unwrap().into_body();
    piece(&mut body).await.unwrap();
    drop(body);
    // The only place is free again.
    holdfast_tests::wait::found("a place", || async {
        (get(&host, "/hello").await.status == 200).then_some(())
    })
    .await;
}

/// Small responses are written together, at the end of a round: also where their
/// client takes none of them for a while.
#[tokio::test]
async fn small_responses_wait_for_their_client_whole_and_in_order() {
    // More than the buffers between the two take.
    const COUNT: usize = 8000;
    const BODY_BYTES: usize = 3000;
    const BUFFER_BYTES: u32 = 4096;
    const STALL: Duration = Duration::from_millis(200);
    let host = Setup::new("waiting").start().await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(BUFFER_BYTES).unwrap();
    socket.set_send_buffer_size(BUFFER_BYTES).unwrap();
    let stream = socket.connect(host.address()).await.unwrap();
    let (reading, mut writing) = stream.into_split();
    let body = |count: usize| format!("{count:0BODY_BYTES$}");
    let sent = Arc::new(AtomicUsize::new(0));
    let sending = tokio::spawn({
        let sent = Arc::clone(&sent);
        async move {
            for count in 0..COUNT {
                let head = "POST /answer HTTP/1.1\r\nhost: a\r\ncontent-length";
                let request = format!("{head}: {BODY_BYTES}\r\n\r\n{}", body(count));
                writing.write_all(request.as_bytes()).await.unwrap();
                sent.store(count + 1, Ordering::Relaxed);
            }
            writing
        }
    });
    // Until the host takes no more, since nobody reads.
    let mut before = 0;
    found("a host that waits", async || {
        tokio::time::sleep(STALL).await;
        let now = sent.load(Ordering::Relaxed);
        let has_stalled = std::mem::replace(&mut before, now) == now;
        (has_stalled && now > 0).then_some(())
    })
    .await;
    assert!(before < COUNT, "the buffers are larger than thought");
    let mut reading = BufReader::new(reading);
    for count in 0..COUNT {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            let line = patiently("a head", reading.read_line(&mut head)).await;
            assert_ne!(line.unwrap(), 0, "the connection has ended");
        }
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        let length = format!("content-length: {BODY_BYTES}\r\n");
        assert!(head.contains(&length), "{head}");
        let mut answer = vec![0; BODY_BYTES];
        patiently("a body", reading.read_exact(&mut answer))
            .await
            .unwrap();
        assert_eq!(String::from_utf8(answer).unwrap(), body(count));
    }
    sending.await.unwrap();
}

#[tokio::test]
async fn a_slow_request_holds_up_no_other() {
    let host = Setup::new("plain").start().await;
    let slow = get(&host, "/sleep/3000");
    let start = std::time::Instant::now();
    let quick = async {
        for _ in 0..50 {
            assert_eq!(get(&host, "/hello").await.status, 200);
        }
        start.elapsed()
    };
    let (slow, quick) = tokio::join!(slow, quick);
    assert_eq!(slow.text(), "slept");
    assert!(quick < Duration::from_secs(3), "{quick:?}");
}
