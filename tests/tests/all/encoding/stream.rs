//! Bodies that stream: nothing of them is held back, and nothing is kept.

use bytes::Bytes;
use futures_util::stream;
use holdfast_tests::decode::{decoded, whole};
use holdfast_tests::host::Host;
use holdfast_tests::http::{Body, full, get, piece, request, send, send_http2};
use holdfast_tests::process::resident_bytes;
use holdfast_tests::wait::until;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};

use super::{CODINGS, setup};

in_both_forms!(events_are_not_held_back);

/// Far more events than fit into the time of a test.
const EVENTS: &str = "/events/100000/20";

/// A stream of events, and how it is encoded.
async fn events(host: &Host, accepted: &'static str, is_second: bool) -> (String, Incoming) {
    let path = match is_second {
        true => format!("http://a{EVENTS}"),
        false => EVENTS.to_owned(),
    };
    let mut request = request("GET", &path, full(""));
    let accepted = http::HeaderValue::from_static(accepted);
    request.headers_mut().insert("accept-encoding", accepted);
    let response = match is_second {
        true => send_http2(host, request).await.unwrap(),
        false => send(host, request).await.unwrap(),
    };
    assert_eq!(response.status(), 200);
    let coding = response.headers().get("content-encoding");
    let coding = coding.map_or("", |it| it.to_str().unwrap()).to_owned();
    (coding, response.into_body())
}

async fn events_are_not_held_back(form: &str) {
    let host = setup(form).start().await;
    for coding in CODINGS {
        for is_second in [false, true] {
            let (its, mut body) = events(&host, coding, is_second).await;
            assert_eq!(its, coding);
            let mut encoded = Vec::new();
            // The stream goes on, so that no end lets them out.
            loop {
                encoded.extend(piece(&mut body).await.unwrap());
                let (text, is_whole) = decoded(coding, &encoded);
                assert!(!is_whole);
                if text.ends_with(b"data: 2\n\n") {
                    break;
                }
                assert!(text.len() < 1000, "events come together");
            }
        }
    }
}

#[tokio::test]
async fn there_is_a_limit_of_memory() {
    // For two of zstd, or three of gzip.
    let host = setup("waiting")
        .section("encoding", "memory_bytes_max = 1200000")
        .start()
        .await;
    let mut streams = Vec::new();
    for expected in ["zstd", "zstd", "", ""] {
        let (coding, mut body) = events(&host, "zstd", false).await;
        assert_eq!(coding, expected);
        assert!(piece(&mut body).await.is_some());
        streams.push(body);
    }
    drop(streams);
    holdfast_tests::wait::found("memory for another", async || {
        let (coding, _) = events(&host, "zstd", false).await;
        (coding == "zstd").then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_large_body_passes_in_little_memory() {
    const PIECES: u32 = 1024;
    let host = setup("waiting")
        .limit("body_bytes_max", 1 << 30)
        .start()
        .await;
    assert_eq!(get(&host, "/hello").await.text(), "hello");
    let before = resident_bytes(host.pid());
    let line = |index: u32| format!("{index:08} {}\n", index.wrapping_mul(2_654_435_761));
    let block = move |index: u32| (0..1000).map(|it| line(index + it)).collect::<String>();
    let pieces = (0..PIECES).map(move |index| Ok(Frame::data(Bytes::from(block(index)))));
    let body: Body = BodyExt::boxed(StreamBody::new(stream::iter(pieces)));
    let mut request = request("POST", "/answer/stream", body);
    for (name, value) in [
        ("accept-encoding", "zstd"),
        ("answer-content-type", "text/csv"),
    ] {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    let response = send(&host, request).await.unwrap();
    assert_eq!(response.headers()["content-encoding"], "zstd");
    // Others have their turns meanwhile.
    let (mut body, mut encoded) = (response.into_body(), Vec::new());
    let mut most = 0;
    while let Some(piece) = piece(&mut body).await {
        if encoded.len() / (1 << 20) < (encoded.len() + piece.len()) / (1 << 20) {
            assert_eq!(get(&host, "/hello").await.text(), "hello");
            most = most.max(resident_bytes(host.pid()));
        }
        encoded.extend(piece);
    }
    let text = whole("zstd", &encoded);
    let expected: Vec<u8> = (0..PIECES).flat_map(|it| block(it).into_bytes()).collect();
    assert!(text == expected);
    assert!(most < before + (64 << 20), "{before} grew to {most}");
}

#[tokio::test]
async fn what_breaks_off_is_not_whole() {
    let host = setup("waiting")
        .limit("response_bytes_max", 100)
        .start()
        .await;
    for coding in CODINGS {
        let (its, mut body) = events(&host, coding, false).await;
        assert_eq!(its, coding);
        let mut encoded = Vec::new();
        let is_broken = loop {
            match holdfast_tests::wait::patiently("a piece", body.frame()).await {
                Some(Ok(frame)) => encoded.extend(frame.into_data().unwrap_or_default()),
                Some(Err(_)) => break true,
                None => break false,
            }
        };
        assert!(is_broken);
        assert!(!decoded(coding, &encoded).1);
    }
    // A client that hangs up leaves nothing.
    let files = holdfast_tests::process::open_files(host.pid());
    for coding in CODINGS {
        let (_, mut body) = events(&host, coding, false).await;
        piece(&mut body).await.unwrap();
    }
    until("the connections to end", || {
        holdfast_tests::process::open_files(host.pid()) <= files
    })
    .await;
}
