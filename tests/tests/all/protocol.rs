//! Frames that RFC 6455 forbids, and the close code that each gets, while others
//! go on.

use holdfast_tests::raw::{Raw, masked};
use holdfast_tests::setup::Setup;
use holdfast_tests::socket::Socket;

const MESSAGE_BYTES_MAX: u64 = 1000;

/// What is sent after the handshake, and the close code it gets (section 7.4.1).
fn cases() -> Vec<(&'static str, Vec<u8>, u16)> {
    let fragment = |rest: Vec<u8>| [masked(0x01, b"a"), rest].concat();
    let large = vec![b'a'; MESSAGE_BYTES_MAX as usize + 1];
    let half = vec![b'a'; MESSAGE_BYTES_MAX as usize / 2 + 1];
    vec![
        ("an unmasked frame", vec![0x81, 0x01, b'a'], 1002),
        ("a reserved bit", masked(0xc1, b"a"), 1002),
        ("a reserved opcode", masked(0x83, b"a"), 1002),
        ("a reserved control opcode", masked(0x8b, b""), 1002),
        ("a fragmented ping", masked(0x09, b""), 1002),
        ("a ping of 126 bytes", masked(0x89, &[0; 126]), 1002),
        ("a stray continuation", masked(0x80, b"a"), 1002),
        ("text amid fragments", fragment(masked(0x81, b"b")), 1002),
        ("half a close code", masked(0x88, &[3]), 1002),
        (
            "a close code that is never sent",
            masked(0x88, &[3, 237]),
            1002,
        ),
        ("text that is no UTF-8", masked(0x81, &[0xff]), 1007),
        (
            "fragments that are no UTF-8",
            [masked(0x01, &[0xe2, 0x82]), masked(0x80, b"a")].concat(),
            1007,
        ),
        (
            "a close reason that is no UTF-8",
            masked(0x88, &[3, 232, 0xff]),
            1007,
        ),
        ("a large message", masked(0x82, &large), 1009),
        (
            "a message that is large in sum",
            [masked(0x02, &half), masked(0x80, &half)].concat(),
            1009,
        ),
        (
            "a frame that announces a gigabyte",
            vec![0x82, 0xff, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0],
            1009,
        ),
    ]
}

#[tokio::test]
async fn a_forbidden_frame_gets_its_close_code() {
    let host = Setup::new("echo")
        .limit("message_bytes_max", MESSAGE_BYTES_MAX)
        .start()
        .await;
    let mut other = Socket::open(&host, "/").await;
    for (what, bytes, code) in cases() {
        let mut raw = Raw::websocket(&host, "/").await;
        raw.send(&bytes).await;
        assert_eq!(raw.close_code().await, Some(code), "{what}");
        assert_eq!(other.ask("unharmed").await, "unharmed", "{what}");
    }
}

#[tokio::test]
async fn allowed_frames_are_answered() {
    let host = Setup::new("echo").start().await;
    let mut raw = Raw::websocket(&host, "/").await;
    raw.send(&masked(0x89, b"ping")).await;
    let pong = raw.frame().await.unwrap();
    assert_eq!((pong.first, pong.payload.as_slice()), (0x8a, &b"ping"[..]));

    // A ping may come amid fragments (section 5.4); the parts are joined.
    let pieces = [
        masked(0x01, "h\u{fc}".as_bytes()),
        masked(0x89, b""),
        masked(0x80, b"t"),
    ];
    raw.send(&pieces.concat()).await;
    assert_eq!(raw.frame().await.unwrap().first, 0x8a);
    let text = raw.frame().await.unwrap();
    assert_eq!(
        (text.first, text.payload.as_slice()),
        (0x81, "h\u{fc}t".as_bytes())
    );

    for size in [0, 125, 126, 65_535, 65_536] {
        let payload = vec![b'x'; size];
        raw.send(&masked(0x82, &payload)).await;
        let echo = raw.frame().await.unwrap();
        assert_eq!((echo.first, echo.payload), (0x82, payload));
    }
    raw.send(&masked(0x88, &[3, 232, b'b', b'y', b'e'])).await;
    assert_eq!(raw.close_code().await, Some(1000));
}

#[tokio::test]
async fn bytes_that_arrive_one_by_one_are_a_message() {
    let host = Setup::new("echo").start().await;
    let mut raw = Raw::websocket(&host, "/").await;
    for byte in masked(0x81, b"slow") {
        raw.send(&[byte]).await;
    }
    assert_eq!(raw.frame().await.unwrap().payload, b"slow");
}
