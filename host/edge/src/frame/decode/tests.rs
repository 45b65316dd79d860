use super::*;

const MAX: usize = 70_000;
const RULES: Rules = Rules {
    message_bytes_max: MAX,
    may_deflate: false,
};
const MASK: [u8; 4] = [0x12, 0xf4, 0x56, 0x78];

/// A client's frame; `first` is the first byte of its header.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        len @ 0..=125 => frame.push(0x80 | len as u8),
        len @ 126..=0xffff => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&(len as u16).to_be_bytes());
        }
        len => {
            frame.push(0x80 | 127);
            frame.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(&MASK);
    frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(a, b)| a ^ b));
    frame
}

/// All items of `input`, given in pieces of `step` bytes.
fn decode_by(input: &[u8], step: usize) -> (Vec<Item>, Option<FrameError>) {
    let mut decoder = Decoder::default();
    let mut items = Vec::new();
    for mut piece in input.chunks(step) {
        loop {
            match decoder.decode(piece, RULES) {
                Ok(Decoded { used, item }) => {
                    piece = &piece[used..];
                    match item {
                        Some(item) => items.push(item),
                        None => {
                            assert!(piece.is_empty());
                            break;
                        }
                    }
                }
                Err(error) => return (items, Some(error)),
            }
        }
    }
    (items, None)
}

/// The same, in one piece and in several ways of cutting it, all alike.
fn decode(input: &[u8]) -> (Vec<Item>, Option<FrameError>) {
    let whole = decode_by(input, input.len().max(1));
    for step in [1, 2, 3, 7, 64, 1000] {
        assert_eq!(decode_by(input, step), whole, "in steps of {step}");
    }
    whole
}

fn text(text: &str) -> Item {
    Item::Message(Message::Text(text.to_owned()))
}

fn error(input: &[u8]) -> FrameError {
    let (items, error) = decode(input);
    assert_eq!(items, []);
    error.expect("an error")
}

#[test]
fn whole_messages_of_every_length_form() {
    for len in [0, 1, 125, 126, 127, 0xffff, 0x1_0000] {
        let payload: Vec<u8> = (0..len).map(|byte| byte as u8).collect();
        let (items, error) = decode(&frame(0x82, &payload));
        assert_eq!(items, [Item::Message(Message::Binary(payload))], "{len}");
        assert_eq!(error, None);
    }
    let mut two = frame(0x81, "héllo".as_bytes());
    two.extend(frame(0x81, b""));
    assert_eq!(decode(&two), (vec![text("héllo"), text("")], None));
}

#[test]
fn a_decoder_between_messages_keeps_nothing() {
    let mut decoder = Decoder::default();
    let mut input = frame(0x01, b"a");
    input.extend(frame(0x89, b"!"));
    input.extend(frame(0x80, b"b"));
    let ping = decoder.decode(&input, RULES).unwrap();
    assert_eq!(ping.item, Some(Item::Ping(Bytes::from_static(b"!"))));
    assert!(!decoder.is_at_rest());
    let message = decoder.decode(&input[ping.used..], RULES).unwrap();
    assert_eq!(message.item, Some(text("ab")));
    assert!(decoder.is_at_rest());
}

#[test]
fn fragments_are_joined_with_control_frames_between() {
    let mut input = frame(0x01, "h\u{e9}".as_bytes());
    input.extend(frame(0x89, b"ping"));
    input.extend(frame(0x00, b""));
    input.extend(frame(0x8a, b""));
    input.extend(frame(0x80, b"llo"));
    input.extend(frame(0x88, b"\x03\xe8bye"));
    let items = vec![
        Item::Ping(Bytes::from_static(b"ping")),
        Item::Pong,
        text("h\u{e9}llo"),
        Item::Close(Some((1000, "bye".to_owned()))),
    ];
    assert_eq!(decode(&input), (items, None));
}

#[test]
fn a_character_may_be_split_between_fragments() {
    let bytes = "€".as_bytes();
    let mut input = frame(0x01, &bytes[..1]);
    input.extend(frame(0x00, &bytes[1..2]));
    input.extend(frame(0x80, &bytes[2..]));
    assert_eq!(decode(&input), (vec![text("€")], None));
}

#[test]
fn breaches_of_the_protocol() {
    let mut unmasked = frame(0x81, b"x");
    unmasked[1] &= 0x7f;
    let mut continued = frame(0x01, b"x");
    continued.extend(frame(0x81, b"y"));
    for (input, what) in [
        (frame(0xc1, b"x"), "RSV1"),
        (frame(0xa1, b"x"), "RSV2"),
        (frame(0x91, b"x"), "RSV3"),
        (frame(0x83, b"x"), "reserved data opcode"),
        (frame(0x8b, b"x"), "reserved control opcode"),
        (frame(0x09, b"x"), "fragmented ping"),
        (frame(0x89, &[0; 126]), "long ping"),
        (unmasked, "unmasked"),
        (frame(0x80, b"x"), "continuation of nothing"),
        (frame(0x00, b"x"), "continuation of nothing"),
        (continued, "message within a message"),
        (vec![0x82, 0xfe, 0, 125], "length not minimal"),
        (
            vec![0x82, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff],
            "length not minimal",
        ),
        (
            vec![0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0],
            "length with the top bit",
        ),
        (frame(0x88, b"\x03"), "half a code"),
    ] {
        assert_eq!(error(&input).code(), 1002, "{what}");
    }
}

#[test]
fn close_codes() {
    for code in [1000u16, 1001, 1002, 1003, 1007, 1011, 1014, 3000, 4999] {
        let (items, error) = decode(&frame(0x88, &code.to_be_bytes()));
        assert_eq!(items, [Item::Close(Some((code, String::new())))]);
        assert_eq!(error, None);
    }
    for code in [0u16, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000] {
        assert_eq!(error(&frame(0x88, &code.to_be_bytes())).code(), 1002);
    }
    assert_eq!(decode(&frame(0x88, b"")), (vec![Item::Close(None)], None));
    assert_eq!(error(&frame(0x88, b"\x03\xe8\xff")), FrameError::Utf8);
}

#[test]
fn bad_utf8_is_found_as_soon_as_it_has_arrived() {
    assert_eq!(error(&frame(0x81, b"a\xffb")), FrameError::Utf8);
    assert_eq!(error(&frame(0x81, b"\xe2\x82")), FrameError::Utf8);
    // The end of the message is still to come.
    assert_eq!(error(&frame(0x01, b"a\xed\xa0\x80")), FrameError::Utf8);
    let long = frame(0x81, &[b"a\xff", &[b'a'; 200][..]].concat());
    assert_eq!(error(&long[..20]), FrameError::Utf8);
    assert_eq!(decode(&frame(0x82, b"\xff")).1, None);
}

#[test]
fn a_message_too_large_is_refused_at_its_header() {
    let large = frame(0x82, &vec![0; MAX + 1]);
    assert_eq!(error(&large[..14]), FrameError::TooLarge);
    let mut sum = frame(0x02, &vec![0; MAX - 1]);
    sum.extend(&frame(0x80, b"xy")[..6]);
    assert_eq!(error(&sum), FrameError::TooLarge);
    let mut fits = frame(0x02, &vec![0; MAX - 1]);
    fits.extend(frame(0x80, b"x"));
    assert_eq!(decode(&fits).0.len(), 1);
}

#[test]
fn compressed_messages_are_told_by_their_first_frame() {
    let rules = Rules {
        may_deflate: true,
        ..RULES
    };
    let decode = |input: &[u8]| Decoder::default().decode(input, rules);
    let deflated = |is_text, payload: &[u8]| {
        Some(Item::Deflated(Deflated {
            is_text,
            payload: payload.to_vec(),
        }))
    };
    let whole = decode(&frame(0xc1, b"\xff")).unwrap();
    assert_eq!(whole.item, deflated(true, b"\xff"));
    let fragments = [frame(0x42, b"a"), frame(0x00, b"\xff"), frame(0x80, b"c")];
    let input = fragments.concat();
    assert_eq!(decode(&input).unwrap().item, deflated(false, b"a\xffc"));
    // A plain message between compressed ones (RFC 7692, section 6).
    assert_eq!(decode(&frame(0x81, b"a")).unwrap().item, Some(text("a")));
    for forbidden in [
        frame(0xc9, b""),
        frame(0xc8, b""),
        frame(0xa1, b""),
        frame(0x91, b""),
        frame(0xf1, b""),
        [frame(0x41, b"a"), frame(0xc0, b"b")].concat(),
        [frame(0x01, b"a"), frame(0xc0, b"b")].concat(),
    ] {
        let error = decode(&forbidden).unwrap_err();
        assert_eq!(error.code(), 1002, "{forbidden:?}");
    }
    assert!(
        Decoder::default()
            .decode(&frame(0xc1, b"a"), RULES)
            .is_err()
    );
}

#[test]
fn a_flood_of_empty_fragments_has_an_end() {
    let empty = usize::from(EMPTY_FRAGMENTS_MAX);
    let few = [
        frame(0x02, b"a"),
        frame(0x00, b"").repeat(empty),
        frame(0x80, b"b"),
    ];
    assert_eq!(
        decode_by(&few.concat(), 1000).0,
        [Item::Message(Message::Binary(b"ab".to_vec()))]
    );
    let many = [frame(0x02, b"a"), frame(0x00, b"").repeat(empty + 1)];
    assert_eq!(decode_by(&many.concat(), 1000).1, Some(FrameError::Flood));
}
