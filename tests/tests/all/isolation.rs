//! Semantics 5: a trap, a time-out, an out-of-memory in one event ends that
//! event; other connections of the same plugin stay open.

use holdfast_tests::http::get;
use holdfast_tests::setup::Setup;
use holdfast_tests::socket::{End, Socket, handshake};

in_both_forms!(
    a_failed_message_closes_its_own_connection_only,
    a_failed_request_gets_a_status_and_harms_nobody,
    a_failed_accept_is_answered,
    a_failed_handler_may_be_skipped,
    others_go_on_while_a_handler_spins,
);

/// Handlers that never return on their own.
const BREAKDOWNS: [&str; 4] = ["trap", "recurse", "exhaust", "spin"];

fn setup(form: &str) -> Setup {
    Setup::new(form).limit("event_timeout_ms", 1000)
}

async fn a_failed_message_closes_its_own_connection_only(form: &str) {
    let host = setup(form).start().await;
    let mut other = Socket::open(&host, "/").await;
    for word in BREAKDOWNS {
        let mut socket = Socket::open(&host, "/").await;
        socket.send(word).await;
        let end = socket.end().await;
        assert!(matches!(end, End::Closed(1011, _)), "{word}: {end:?}");
        assert_eq!(other.ask("echo here").await, "here", "{word}");
    }
}

async fn a_failed_request_gets_a_status_and_harms_nobody(form: &str) {
    let host = setup(form).start().await;
    let mut other = Socket::open(&host, "/").await;
    for (word, status) in [
        ("trap", 500),
        ("recurse", 500),
        ("exhaust", 500),
        ("fail", 500),
        ("spin", 504),
    ] {
        let response = get(&host, &format!("/act/{word}")).await;
        assert_eq!(response.status, status, "{word}");
        // The client learns nothing of the guest's inside.
        assert!(!response.text().contains("told to"), "{}", response.text());
        assert_eq!(other.ask("echo here").await, "here", "{word}");
        assert_eq!(get(&host, "/hello").await.status, 200, "{word}");
    }
    host.logged(&["told to trap"]).await;
}

async fn a_failed_accept_is_answered(form: &str) {
    let host = setup(form).start().await;
    for (word, status) in [("trap", 500), ("fail", 500), ("spin", 504)] {
        let request = handshake(&format!("/?accept={word}"));
        let refusal = Socket::offer(&host, request).await.unwrap_err();
        assert_eq!(refusal.status(), status, "{word}");
    }
    Socket::open(&host, "/").await;
}

async fn a_failed_handler_may_be_skipped(form: &str) {
    let host = setup(form).plugin("on_error", "\"skip\"").start().await;
    let mut socket = Socket::open(&host, "/").await;
    socket.send("fail").await;
    assert_eq!(socket.ask("echo on").await, "on");
    host.logged(&["told to fail"]).await;
    // A trap is no error of the handler's own, and is never skipped.
    socket.send("trap").await;
    assert!(matches!(socket.end().await, End::Closed(1011, _)));
}

async fn others_go_on_while_a_handler_spins(form: &str) {
    let host = Setup::new(form)
        .limit("event_timeout_ms", 5000)
        .start()
        .await;
    let mut spinning = Socket::open(&host, "/").await;
    let mut other = Socket::open(&host, "/").await;
    spinning.send("spin").await;
    for count in 0..100 {
        assert_eq!(other.ask("echo on").await, "on", "{count}");
    }
    assert_eq!(get(&host, "/hello").await.text(), "hello");
    assert!(matches!(spinning.end().await, End::Closed(1011, _)));
}
