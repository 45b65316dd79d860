//! Limits of what guests ask of the host, and of what they answer.

use std::time::Duration;

use holdfast_tests::host::Host;
use holdfast_tests::http::{get, post};
use holdfast_tests::raw::Raw;
use holdfast_tests::setup::Setup;
use holdfast_tests::socket::{End, Socket};
use holdfast_tests::upstream::Upstream;
use holdfast_tests::wait::{found, until};

in_both_forms!(
    keyvalue_value_bytes_max_is_an_error_value,
    call_bytes_max_is_a_trap,
    outbound_max_refuses_further_requests,
    outbound_per_second_max_refuses_further_requests,
    outbound_per_event_max_refuses_further_requests,
    outbound_timeout_ms_ends_a_wait,
    outbound_bytes_max_breaks_a_body_off,
    response_bytes_max_breaks_a_body_off,
    response_idle_timeout_ms_frees_an_instance,
);

async fn keyvalue_value_bytes_max_is_an_error_value(form: &str) {
    let host = Setup::new(form)
        .limit("keyvalue_value_bytes_max", 100)
        .start()
        .await;
    let mut socket = Socket::open(&host, "/").await;
    assert_eq!(socket.ask("keep 100").await, "kept");
    let answer = socket.ask("keep 101").await;
    assert!(answer.contains("at most 100 bytes"), "{answer}");
}

async fn call_bytes_max_is_a_trap(form: &str) {
    let setup = Setup::new(form).limit("call_bytes_max", 65536);
    let host = setup.start().await;
    let mut socket = Socket::open(&host, "/").await;
    assert_eq!(socket.ask("keep 30000").await, "kept");
    socket.send("keep 100000").await;
    assert!(matches!(socket.end().await, End::Closed(1011, _)));
}

/// A host whose plugin may send requests to this server, and the path by which
/// it does.
async fn sending(form: &str, upstream: &Upstream, key: &str, value: u64) -> (Host, String) {
    let address = upstream.address();
    let setup = Setup::new(form).plugin("allow_http", &format!("[\"{address}\"]"));
    let host = setup.limit(key, value).start().await;
    (host, format!("/fetch?url=http://{address}/"))
}

async fn outbound_max_refuses_further_requests(form: &str) {
    let upstream = Upstream::start("at last", Duration::from_secs(3)).await;
    let (host, path) = sending(form, &upstream, "outbound_max", 1).await;
    let rest = async {
        until("the first request", || upstream.requests() == 1).await;
        assert_ne!(get(&host, &path).await.text(), "200 at last");
        assert_eq!(upstream.requests(), 1);
    };
    let (first, ()) = tokio::join!(get(&host, &path), rest);
    assert_eq!(first.text(), "200 at last");
    // Its place is free again.
    assert_eq!(get(&host, &path).await.text(), "200 at last");
}

async fn outbound_per_second_max_refuses_further_requests(form: &str) {
    let upstream = Upstream::start("from afar", Duration::ZERO).await;
    let (host, path) = sending(form, &upstream, "outbound_per_second_max", 1).await;
    let mut refused = 0;
    for _ in 0..20 {
        refused += u32::from(get(&host, &path).await.text() != "200 from afar");
    }
    assert!(refused > 0);
    found("a free place", || async {
        (get(&host, &path).await.text() == "200 from afar").then_some(())
    })
    .await;
}

async fn outbound_per_event_max_refuses_further_requests(form: &str) {
    let upstream = Upstream::start("from afar", Duration::ZERO).await;
    let (host, path) = sending(form, &upstream, "outbound_per_event_max", 2).await;
    // Each event has its own.
    for _ in 0..3 {
        let answer = get(&host, &format!("{path}&times=2")).await;
        assert_eq!(answer.text(), "200 from afar");
    }
    let answer = get(&host, &format!("{path}&times=3")).await;
    assert_ne!(answer.text(), "200 from afar");
    assert_eq!(upstream.requests(), 8);
    assert_eq!(get(&host, &path).await.text(), "200 from afar");
}

async fn outbound_timeout_ms_ends_a_wait(form: &str) {
    let upstream = Upstream::start("too late", Duration::from_secs(60)).await;
    let (host, path) = sending(form, &upstream, "outbound_timeout_ms", 200).await;
    let answer = get(&host, &path).await;
    assert_eq!(answer.status, 200);
    assert!(!answer.text().starts_with("200"), "{}", answer.text());
}

async fn outbound_bytes_max_breaks_a_body_off(form: &str) {
    let upstream = Upstream::start("123456", Duration::ZERO).await;
    for (max, is_whole) in [(6, true), (5, false)] {
        let (host, path) = sending(form, &upstream, "outbound_bytes_max", max).await;
        let answer = get(&host, &path).await;
        assert_eq!(answer.text() == "200 123456", is_whole, "{}", answer.text());
    }
}

async fn response_bytes_max_breaks_a_body_off(form: &str) {
    let host = Setup::new(form)
        .limit("response_bytes_max", 10)
        .start()
        .await;
    assert_eq!(post(&host, "/echo", "0123456789").await.status, 200);
    let mut client = Raw::connect(&host).await;
    client
        .send(b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 11\r\n\r\n01234567890")
        .await;
    let answer = client.rest().await;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    assert!(!answer.contains("01234567890"), "{answer}");
}

async fn response_idle_timeout_ms_frees_an_instance(form: &str) {
    let host = Setup::new(form)
        .limit("response_idle_timeout_ms", 500)
        .limit("event_timeout_ms", 2000)
        .limit("instances_max", 1)
        .limit("instance_events_max", 1)
        .start()
        .await;
    let mut client = Raw::connect(&host).await;
    // More than all buffers on the way together hold, and never read.
    client
        .send(b"GET /events/10000000/0 HTTP/1.1\r\nhost: x\r\n\r\n")
        .await;
    client.head().await;
    found("a free instance", || async {
        (get(&host, "/hello").await.status == 200).then_some(())
    })
    .await;
}
