//! Compressed messages (RFC 7692), beyond what the Autobahn cases try.

use std::fmt::Write;

use holdfast_tests::host::Host;
use holdfast_tests::http::post;
use holdfast_tests::process::resident_bytes;
use holdfast_tests::raw::{Raw, masked};
use holdfast_tests::setup::Setup;

in_both_forms!(what_is_published_is_compressed_once_for_all_who_agreed);

const OFFER: &str = "sec-websocket-extensions: permessage-deflate; client_max_window_bits";

/// `Hello`, compressed by itself (section 7.2.3.1).
const HELLO: [u8; 7] = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
/// `Hello` again, where the window has it (section 7.2.3.2).
const HELLO_AGAIN: [u8; 5] = [0xf2, 0x00, 0x11, 0x00, 0x00];

async fn host(guest: &str, compression: &str) -> Host {
    let setup = Setup::new(guest).plugin("compression", &format!("\"{compression}\""));
    let setup = setup.limit("compress_window_bits", 15);
    setup.limit("message_bytes_max", 100_000).start().await
}

/// A connection that offers compression, and what was agreed on.
async fn open(host: &Host, path: &str) -> (Raw, String) {
    let (raw, head) = Raw::websocket_with(host, path, OFFER).await;
    let mut lines = head.lines();
    let agreed = lines.find(|line| line.starts_with("sec-websocket-extensions: "));
    let agreed = agreed.unwrap_or_default().to_owned();
    (raw, agreed)
}

#[tokio::test]
async fn nothing_is_agreed_on_unless_the_plugin_asks_for_it() {
    let host = host("echo", "off").await;
    let (mut raw, agreed) = open(&host, "/").await;
    assert_eq!(agreed, "");
    raw.send(&masked(0xc1, &HELLO)).await;
    assert_eq!(raw.close_code().await, Some(1002));
}

#[tokio::test]
async fn a_message_may_refer_to_those_before_if_that_was_agreed_on() {
    for (compression, answer) in [("shared", Some(1007)), ("context", None)] {
        let host = host("echo", compression).await;
        let (mut raw, _) = open(&host, "/").await;
        raw.send(&masked(0xc1, &HELLO)).await;
        assert_eq!(raw.frame().await.unwrap().payload, b"Hello");
        raw.send(&masked(0xc1, &HELLO_AGAIN)).await;
        match answer {
            None => assert_eq!(raw.frame().await.unwrap().payload, b"Hello"),
            code => assert_eq!(raw.close_code().await, code),
        }
    }
}

#[tokio::test]
async fn a_broken_or_too_large_message_gets_its_close_code() {
    let host = host("echo", "context").await;
    let mut bomb = bomb();
    let fragments = [
        masked(0x41, &bomb[..3]),
        masked(0x89, b"ping"),
        masked(0x80, &bomb[3..]),
    ];
    for (bytes, code) in [
        (masked(0xc1, &bomb), 1009),
        (fragments.concat(), 1009),
        (masked(0xc1, b"\xff\xff\xff"), 1007),
        // The three bytes of a stored block are no UTF-8.
        (
            masked(0xc1, &[0x00, 0x01, 0x00, 0xfe, 0xff, 0xff, 0x00]),
            1007,
        ),
        (
            [masked(0x41, &HELLO[..2]), masked(0xc0, &HELLO[2..])].concat(),
            1002,
        ),
        (masked(0xc9, b""), 1002),
    ] {
        let (mut raw, _) = open(&host, "/").await;
        raw.send(&bytes).await;
        assert_eq!(raw.close_code().await, Some(code), "{bytes:?}");
    }
    // Many bombs need no more memory than one.
    let before = resident_bytes(host.pid());
    bomb = masked(0xc1, &bomb);
    for _ in 0..100 {
        let (mut raw, _) = open(&host, "/").await;
        raw.send(&bomb).await;
        assert_eq!(raw.close_code().await, Some(1009));
    }
    let grown = resident_bytes(host.pid()).saturating_sub(before);
    assert!(grown < 16 << 20, "{grown} bytes");
}

/// Three thousand bytes that become half a million: a zero, repeated.
fn bomb() -> Vec<u8> {
    // Fixed Huffman codes (RFC 1951, section 3.2.6): the literal 0, then 258
    // bytes from a distance of 1, again and again.
    let mut bits = String::from("110"); // the last block, fixed codes
    bits.push_str("00110000");
    for _ in 0..2000 {
        let _ = write!(bits, "1100010100000");
    }
    bits.push_str("0000000");
    let bits: Vec<u8> = bits.bytes().map(|bit| bit - b'0').collect();
    let byte = |bits: &[u8]| {
        let ones = bits.iter().enumerate();
        ones.fold(0, |byte, (at, bit)| byte | bit << at)
    };
    bits.chunks(8).map(byte).collect()
}

async fn what_is_published_is_compressed_once_for_all_who_agreed(form: &str) {
    for compression in ["shared", "context"] {
        let host = host(form, compression).await;
        let (mut deflated, _) = open(&host, "/?topic=news").await;
        let mut plain = Raw::websocket(&host, "/?topic=news").await;
        let text = "a message of some length, ".repeat(20);
        let mut sizes = Vec::new();
        for _ in 0..3 {
            post(&host, "/publish/news", text.clone()).await;
            let frame = plain.frame().await.unwrap();
            assert_eq!(
                (frame.first, frame.payload),
                (0x81, text.clone().into_bytes())
            );
            let frame = deflated.frame().await.unwrap();
            assert_eq!(frame.first, 0xc1);
            sizes.push(frame.payload.len());
        }
        assert!(sizes.iter().all(|&size| size < 100), "{sizes:?}");
        // Too short to be worth it.
        post(&host, "/publish/news", "short").await;
        assert_eq!(deflated.frame().await.unwrap().first, 0x81);
    }
}
