//! From which pages browsers may come, and what the host answers itself.

use holdfast_tests::host::Host;
use holdfast_tests::setup::Setup;
use holdfast_tests::socket::{Socket, handshake};

/// The status of a handshake from a page of that origin.
async fn status(host: &Host, origins: &[&str]) -> u16 {
    let mut request = handshake("/");
    for origin in origins {
        request
            .headers_mut()
            .append("origin", origin.parse().unwrap());
    }
    match Socket::offer(host, request).await {
        Ok(_) => 101,
        Err(refusal) => refusal.status().as_u16(),
    }
}

#[tokio::test]
async fn a_page_of_another_host_may_not_open_a_socket() {
    let host = Setup::new("echo").start().await;
    for (origins, expected) in [
        (&[][..], 101),
        (&["http://test.example"], 101),
        (&["https://test.example"], 101),
        (&["http://test.example:8080"], 403),
        (&["http://evil.example"], 403),
        (&["null"], 403),
        (&[""], 403),
        (&["http://test.example", "http://test.example"], 403),
    ] {
        assert_eq!(status(&host, origins).await, expected, "{origins:?}");
    }
}

#[tokio::test]
async fn a_plugin_says_which_pages_may() {
    let list = r#"["https://app.example", "https://*.test.example", "null"]"#;
    let host = Setup::new("echo").plugin("origins", list).start().await;
    for (origin, expected) in [
        ("https://app.example", 101),
        ("https://a.b.test.example", 101),
        ("null", 101),
        ("http://app.example", 403),
        ("https://test.example", 403),
        ("http://test.example", 403),
    ] {
        assert_eq!(status(&host, &[origin]).await, expected, "{origin}");
    }
    assert_eq!(status(&host, &[]).await, 101);
    let host = Setup::new("echo")
        .plugin("origins", "[\"*\"]")
        .start()
        .await;
    assert_eq!(status(&host, &["http://evil.example"]).await, 101);
}

#[tokio::test]
async fn the_host_answers_what_the_plugin_says_and_no_guest_is_woken() {
    let pairs = r#"{ "fail" = "not seen by the guest", "ping" = "pong" }"#;
    let host = Setup::new("plain").plugin("replies", pairs).start().await;
    let mut socket = Socket::open(&host, "/").await;
    assert_eq!(socket.ask("ping").await, "pong");
    assert_eq!(socket.ask("fail").await, "not seen by the guest");
    assert_eq!(socket.ask("echo ping").await, "ping");
    // In the order of the messages.
    socket.send("echo first").await;
    socket.send("ping").await;
    assert_eq!(socket.text().await, "first");
    assert_eq!(socket.text().await, "pong");
}
