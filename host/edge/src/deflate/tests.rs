use holdfast_core::MessageRef;
use holdfast_core::limits::{ConnectionLimits, Limits, OnError, RawLimits, SlowConsumer};
use holdfast_core::websocket::Compression;
use http::HeaderMap;

use super::window::Window;
use super::*;
use crate::frame::{Decoder, Item, Rules};

fn limits(compression: Compression, window_bits: u32) -> ConnectionLimits {
    let raw = RawLimits {
        compress_window_bits: Some(window_bits),
        ..RawLimits::default()
    };
    let mut limits = Limits::resolve(&raw, SlowConsumer::default(), OnError::default()).unwrap();
    limits.connection.policies.compression = compression;
    limits.connection
}

fn parse(field: &str) -> Result<Vec<Offer>, negotiate::Malformed> {
    let mut headers = HeaderMap::new();
    headers.insert("sec-websocket-extensions", field.parse().unwrap());
    offers(&headers)
}

/// The answer to an offer, without the name of the extension.
fn answer(field: &str, limits: &ConnectionLimits) -> Option<String> {
    let (_, answer) = negotiate(&parse(field).unwrap(), limits)?;
    let answer = answer.to_str().unwrap();
    Some(
        answer
            .strip_prefix("permessage-deflate")
            .unwrap()
            .to_owned(),
    )
}

#[test]
fn without_context_neither_side_keeps_anything() {
    let limits = limits(Compression::Shared, 12);
    let none = "; server_no_context_takeover; client_no_context_takeover";
    for offer in [
        "permessage-deflate",
        "x-other; a=b, permessage-deflate; client_max_window_bits",
        "permessage-deflate; unknown, permessage-deflate",
        "permessage-deflate; server_no_context_takeover",
        ", permessage-deflate ,",
    ] {
        assert_eq!(answer(offer, &limits).as_deref(), Some(none), "{offer}");
    }
    let bits = answer("permessage-deflate; server_max_window_bits=\"10\"", &limits);
    let expected =
        "; server_no_context_takeover; server_max_window_bits=10; client_no_context_takeover";
    assert_eq!(bits.as_deref(), Some(expected));
}

#[test]
fn with_context_both_windows_are_held_to_the_limit() {
    let limited = limits(Compression::Context, 12);
    let full = limits(Compression::Context, 15);
    for (offer, limits, expected) in [
        (
            "",
            &limited,
            "; server_max_window_bits=12; client_no_context_takeover",
        ),
        ("", &full, ""),
        (
            "; client_max_window_bits",
            &limited,
            "; server_max_window_bits=12; client_max_window_bits=12",
        ),
        (
            "; client_max_window_bits=9; server_max_window_bits=15",
            &limited,
            "; server_max_window_bits=12; client_max_window_bits=9",
        ),
        (
            "; client_max_window_bits; client_no_context_takeover",
            &full,
            "; client_no_context_takeover",
        ),
        (
            "; server_no_context_takeover",
            &full,
            "; server_no_context_takeover",
        ),
    ] {
        let offer = format!("permessage-deflate{offer}");
        assert_eq!(answer(&offer, limits).as_deref(), Some(expected), "{offer}");
    }
}

#[test]
fn offers_that_nobody_can_keep_are_declined() {
    let limits = limits(Compression::Context, 15);
    for offer in [
        "permessage-deflate; server_max_window_bits",
        "permessage-deflate; server_max_window_bits=8",
        "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; server_max_window_bits=010",
        "permessage-deflate; server_max_window_bits=+9",
        "permessage-deflate; client_max_window_bits=7",
        "permessage-deflate; server_no_context_takeover=1",
        "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
        "permessage-bzip2",
        "",
    ] {
        assert_eq!(answer(offer, &limits), None, "{offer}");
    }
    for offer in [
        "permessage-deflate;",
        "a b",
        "a; =",
        "a; b=\"",
        "a; b=\"c d\"",
        "@",
    ] {
        assert_eq!(parse(offer), Err(negotiate::Malformed), "{offer}");
    }
}

#[test]
fn an_agreement_is_packed_and_unpacked() {
    for server_bits in BITS_MIN..=BITS_MAX {
        for client_context in [None, Some(8), Some(15)] {
            for server_context in [false, true] {
                let agreed = Some(Agreed {
                    server_bits,
                    server_context,
                    client_context,
                });
                assert_eq!(Agreed::unpack(Agreed::pack(agreed)), agreed);
            }
        }
    }
    assert_eq!(Agreed::unpack(Agreed::pack(None)), None);
}

/// The compressed payload of a frame that the host would send.
fn payload(frame: &[u8]) -> Vec<u8> {
    assert_eq!(frame[0], 0xc1);
    // A decoder of client's frames wants a mask.
    let mut masked = frame.to_vec();
    let header = if frame[1] == 126 { 4 } else { 2 };
    masked[1] |= 0x80;
    masked.splice(header..header, [0; 4]);
    let rules = Rules {
        message_bytes_max: 1 << 20,
        may_deflate: true,
    };
    match Decoder::default().decode(&masked, rules).unwrap().item {
        Some(Item::Deflated(message)) => message.payload,
        other => panic!("{other:?}"),
    }
}

/// Bytes without a pattern.
fn noise(at: u64) -> u8 {
    let mixed = (at + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (mixed >> 40) as u8
}

#[test]
fn what_is_compressed_is_expanded_to_the_same() {
    let compressors = Compressors::default();
    let mut expander = Expander::default();
    for bits in BITS_MIN..=BITS_MAX {
        for len in [60, 127, 300, 70_000] {
            let text = "to be or not to be, ".repeat(len / 20 + 1);
            let frame = compressors
                .compress(MessageRef::Text(&text), bits, None)
                .unwrap();
            let expanded = expander.expand(&payload(&frame), text.len(), None);
            assert_eq!(expanded.unwrap(), text.as_bytes(), "{bits} {len}");
            let short = expander.expand(&payload(&frame), text.len() - 1, None);
            assert_eq!(short, Err(ExpandError::TooLarge));
        }
    }
    // A little longer is no harm.
    let short = MessageRef::Text("brevity");
    let frame = compressors.compress(short, 15, None).unwrap();
    let expanded = expander.expand(&payload(&frame), 7, None);
    assert_eq!(expanded.as_deref(), Ok(&b"brevity"[..]));
    let noise: Vec<u8> = (0..400_000_u64).map(noise).collect();
    let noise = MessageRef::Binary(&noise);
    assert_eq!(compressors.compress(noise, 15, None), None);
}

#[test]
fn a_message_may_refer_to_those_before_and_to_nothing_else() {
    let compressors = Compressors::default();
    let mut expander = Expander::default();
    let text = (0..40).map(|number| (number * number).to_string());
    let text: String = text.collect();
    let (mut sent, mut received) = (Window::default(), Window::default());
    let mut first_len = 0;
    for round in 0..20 {
        let frame = compressors
            .compress(MessageRef::Text(&text), 9, Some(&sent))
            .unwrap();
        sent.add(text.as_bytes(), 9);
        let payload = payload(&frame);
        if round == 0 {
            first_len = payload.len();
        } else {
            assert!(payload.len() < first_len / 3, "{}", payload.len());
            // What another connection has sent is not there.
            let alone = expander.expand(&payload, 1000, None);
            assert_eq!(alone, Err(ExpandError::Invalid));
        }
        let expanded = expander.expand(&payload, 1000, Some(&received)).unwrap();
        assert_eq!(expanded, text.as_bytes());
        received.add(&expanded, 9);
        assert!(received.bytes().len() <= 512);
    }
}

#[test]
fn samples_of_the_rfc_are_understood() {
    let mut expander = Expander::default();
    let mut expand = |payload: &[u8], before| expander.expand(payload, 100, before);
    // Section 7.2.3.1, a message; .3, without compression; .4, the end of a
    // stream; .5, two blocks.
    for payload in [
        &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00][..],
        &[
            0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00,
        ],
        &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00],
        &[
            0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00,
        ],
    ] {
        assert_eq!(expand(payload, None).as_deref(), Ok(&b"Hello"[..]));
    }
    // Section 7.2.3.2: the second refers to the first.
    let mut window = Window::default();
    window.add(b"Hello", 15);
    let second = [0xf2, 0x00, 0x11, 0x00, 0x00];
    assert_eq!(expand(&second, Some(&window)).as_deref(), Ok(&b"Hello"[..]));
    assert_eq!(expand(&second, None), Err(ExpandError::Invalid));
    assert_eq!(expand(b"\xff\xff\xff", None), Err(ExpandError::Invalid));
    assert_eq!(expand(b"", None).as_deref(), Ok(&b""[..]));
}

#[test]
fn a_bomb_goes_off_in_a_box() {
    let mut expander = Expander::default();
    let compressors = Compressors::default();
    let zeros = "\0".repeat(1 << 20);
    let frame = compressors.compress(MessageRef::Text(&zeros), 15, None);
    let bomb = payload(&frame.unwrap());
    assert!(bomb.len() < 2000);
    let expanded = expander.expand(&bomb, 10_000, None);
    assert_eq!(expanded, Err(ExpandError::TooLarge));
}
