//! Unmodified components made with other people's SDKs: `wasi:http` 0.2 by
//! `wstd`, 0.3 by Spin's SDK and by the bare bindings of `wasip3`.

use bytes::Bytes;
use holdfast_tests::http::{full, get, piece, request, send, send_http2, streamed, whole};
use holdfast_tests::setup::Setup;
use holdfast_tests::wait::found;
use http_body_util::BodyExt;

const GUESTS: [(&str, &str); 3] = [
    ("wstd", "Hello from wstd"),
    ("spin", "Hello from Spin"),
    ("wasip3", "Hello from wasip3"),
];

#[tokio::test]
async fn a_foreign_guest_says_hello() {
    for (guest, hello) in GUESTS {
        let host = Setup::new(guest).start().await;
        for _ in 0..3 {
            let response = get(&host, "/hello").await;
            assert_eq!((response.status.as_u16(), response.text()), (200, hello));
        }
        assert_eq!(get(&host, "/nowhere").await.status, 404, "{guest}");
        let response = send_http2(&host, request("GET", "http://a/hello", full(""))).await;
        assert_eq!(response.unwrap().status(), 200, "{guest} over HTTP/2");
    }
}

#[tokio::test]
async fn a_foreign_guest_sees_and_sets_header_fields() {
    for (guest, _) in GUESTS {
        let host = Setup::new(guest).start().await;
        let mut question = request("GET", "/headers", full(""));
        let fields = question.headers_mut();
        fields.insert("x-question", "forty-two".parse().unwrap());
        let response = whole(&host, question).await;
        assert_eq!(response.header("x-answer"), "forty-two", "{guest}");
    }
}

#[tokio::test]
async fn a_foreign_guest_streams_both_ways() {
    for (guest, _) in GUESTS {
        let host = Setup::new(guest).start().await;
        let (sender, body) = streamed();
        let answer = send(&host, request("POST", "/echo", body)).await.unwrap();
        let mut answer = answer.into_body();
        // Each piece comes back before the next one is sent.
        for text in ["one", "two", "three"] {
            sender.send(Bytes::from(text)).await.unwrap();
            assert_eq!(piece(&mut answer).await.unwrap(), text, "{guest}");
        }
        drop(sender);
        assert_eq!(piece(&mut answer).await, None, "{guest}");
    }
}

#[tokio::test]
async fn a_guest_reads_a_response_that_it_has_made() {
    let host = Setup::new("wasip3").start().await;
    assert_eq!(get(&host, "/own").await.text(), "made and read");
}

#[tokio::test]
async fn a_guest_is_told_what_became_of_its_response() {
    let host = Setup::new("wasip3").host("threads", 1).start().await;
    let told = || {
        found("what the guest was told", async || {
            let told = get(&host, "/told").await.text().to_owned();
            Some(told).filter(|told| !told.is_empty())
        })
    };
    assert_eq!(get(&host, "/sent").await.text(), "hello");
    assert_eq!(told().await, "Ok(())");

    // It breaks off, perhaps before its head was written.
    if let Ok(response) = send(&host, request("GET", "/short", full(""))).await {
        assert!(response.into_body().collect().await.is_err());
    }
    let told = told().await;
    assert!(told.contains("HttpResponseBodySize(Some(5))"), "{told}");
}
