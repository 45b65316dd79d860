//! Opening handshakes (RFC 6455, section 4): what is malformed, what the guest
//! decides.

use holdfast_tests::raw::Raw;
use holdfast_tests::setup::Setup;
use holdfast_tests::socket::{Socket, handshake, handshake_offering};

in_both_forms!(the_guest_decides, an_impossible_acceptance_is_a_500);

const GOOD: [&str; 5] = [
    "host: a",
    "connection: keep-alive, Upgrade",
    "upgrade: websocket",
    "sec-websocket-version: 13",
    "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
];

/// What is changed in a good handshake (the field that is replaced, by what),
/// and the status that it gets.
const HANDSHAKES: [(&str, &str, u16); 9] = [
    ("nothing", "", 101),
    ("host", "", 400),
    ("sec-websocket-key", "", 400),
    ("sec-websocket-key", "sec-websocket-key: short", 400),
    (
        "sec-websocket-key",
        "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
        400,
    ),
    ("sec-websocket-version", "sec-websocket-version: 12", 426),
    ("sec-websocket-version", "", 426),
    ("connection", "connection: keep-alive", 400),
    ("upgrade", "upgrade: h2c", 426),
];

#[tokio::test]
async fn a_malformed_handshake_gets_a_status() {
    // The echo plugin has no HTTP handler to fall back on.
    let host = Setup::new("echo").start().await;
    for (field, replacement, status) in HANDSHAKES {
        let fields: Vec<&str> = GOOD
            .iter()
            .map(|line| match line.split_once(':') {
                Some((name, _)) if name == field => replacement,
                _ => line,
            })
            .filter(|line| !line.is_empty())
            .collect();
        let request = format!("GET / HTTP/1.1\r\n{}\r\n\r\n", fields.join("\r\n"));
        let mut raw = Raw::connect(&host).await;
        raw.send(request.as_bytes()).await;
        let head = raw.head().await.to_lowercase();
        let expected = format!("http/1.1 {status} ");
        assert!(head.starts_with(&expected), "{request}{head}");
        if status == 426 {
            assert!(head.contains("\r\nsec-websocket-version: 13\r\n"), "{head}");
            assert!(head.contains("\r\nupgrade: websocket\r\n"), "{head}");
        }
    }
}

#[tokio::test]
async fn an_upgrade_without_a_websocket_handler_is_an_ordinary_request() {
    let host = Setup::new("wasip3").start().await;
    let refusal = Socket::offer(&host, handshake("/hello")).await.unwrap_err();
    assert_eq!(refusal.status(), 200);
}

async fn the_guest_decides(form: &str) {
    let host = Setup::new(form).start().await;
    let path = "/?subprotocol=v2&header=x-extra:yes&note=first";
    let request = handshake_offering(path, "v3, v2, v1");
    let mut socket = Socket::offer(&host, request).await.unwrap();
    assert_eq!(socket.header("sec-websocket-protocol"), "v2");
    assert_eq!(socket.header("x-extra"), "yes");
    let state = socket.ask("state me").await;
    assert_eq!(state, "note=first version=0 buffered=0");

    let refusal = Socket::offer(&host, handshake("/?reject=403"))
        .await
        .unwrap_err();
    assert_eq!(refusal.status(), 403);
    assert_eq!(refusal.headers()["x-reason"], "asked-for");
    let body = refusal.body().as_deref().unwrap_or_default();
    assert_eq!(body, b"rejected as asked");
}

async fn an_impossible_acceptance_is_a_500(form: &str) {
    let host = Setup::new(form)
        .limit("attachment_bytes_max", 100)
        .start()
        .await;
    for path in [
        // RFC 6455, section 4.1: not one of those offered.
        "/?subprotocol=v9",
        "/?padding=101",
        // A rejection has a status from 300 to 599.
        "/?reject=200",
    ] {
        let request = handshake_offering(path, "v1");
        let refusal = Socket::offer(&host, request).await.unwrap_err();
        assert_eq!(refusal.status(), 500, "{path}");
    }
    // Fields of the handshake itself are the host's.
    let socket = Socket::open(&host, "/?header=sec-websocket-accept:forged").await;
    assert_ne!(socket.header("sec-websocket-accept"), "forged");
}
