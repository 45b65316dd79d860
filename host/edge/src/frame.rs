//! Frames of the WebSocket protocol (RFC 6455, section 5), server side.
//!
//! Bytes in, items out, and the other way round. Nothing here reads, writes,
//! waits, or knows of connections. A frame is encoded once and may then be
//! shared by any number of queues.

mod decode;
mod header;
mod mask;

use bytes::Bytes;
use holdfast_core::{Message, MessageRef};

pub(crate) use decode::{Decoder, Rules};

/// The longest payload of a control frame, in bytes (section 5.5).
pub(crate) const CONTROL_BYTES_MAX: usize = 125;
/// The longest reason in a close frame, in bytes: its code takes two.
pub(crate) const REASON_BYTES_MAX: usize = CONTROL_BYTES_MAX - 2;

const FIN: u8 = 0x80;
/// Says that a message is compressed (RFC 7692, section 6).
const DEFLATED: u8 = 0x40;
const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xa;
/// Set in the opcode of every control frame (section 5.5).
const CONTROL: u8 = 0x8;

/// What a client has sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Item {
    /// A complete message, its fragments joined.
    Message(Message),
    /// The same, compressed: the text is not checked, and may be none. Only
    /// where that was agreed on.
    Deflated(Deflated),
    /// A ping with its payload, which the pong repeats.
    Ping(Bytes),
    /// A pong.
    Pong,
    /// A close frame; code and reason, if it has any.
    Close(Option<(u16, String)>),
}

/// A complete message, compressed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Deflated {
    pub(crate) is_text: bool,
    pub(crate) payload: Vec<u8>,
}

/// Why no further frame can be read from a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FrameError {
    /// The client broke the protocol: 1002.
    #[error("{0}")]
    Protocol(&'static str),
    /// A text message or a reason is not UTF-8: 1007.
    #[error("text is not valid UTF-8")]
    Utf8,
    /// A compressed message can't be expanded: 1007.
    #[error("compressed data is not valid")]
    Deflate,
    /// A message has too many fragments without a byte: 1008.
    #[error("too many empty fragments")]
    Flood,
    /// A message is larger than the limit: 1009.
    #[error("the message is too large")]
    TooLarge,
}

impl FrameError {
    /// The status code that says so (section 7.4.1).
    pub(crate) fn code(self) -> u16 {
        match self {
            Self::Protocol(_) => 1002,
            Self::Utf8 | Self::Deflate => 1007,
            Self::Flood => 1008,
            Self::TooLarge => 1009,
        }
    }
}

/// The frame of a whole message: unmasked and unfragmented, in one allocation.
pub(crate) fn encode(message: MessageRef<'_>) -> Bytes {
    frame(opcode(message), message.payload())
}

/// The frame of a message whose compressed payload this is.
pub(crate) fn encode_deflated(message: MessageRef<'_>, payload: &[u8]) -> Bytes {
    frame(DEFLATED | opcode(message), payload)
}

fn opcode(message: MessageRef<'_>) -> u8 {
    match message {
        MessageRef::Text(_) => TEXT,
        MessageRef::Binary(_) => BINARY,
    }
}

/// A ping without payload.
pub(crate) fn ping() -> Bytes {
    Bytes::from_static(&[FIN | PING, 0])
}

/// The pong that answers a ping.
pub(crate) fn pong(payload: &[u8]) -> Bytes {
    frame(PONG, payload)
}

/// A close frame; without a code its payload is empty.
pub(crate) fn close(code: Option<u16>, reason: &str) -> Bytes {
    let Some(code) = code else {
        return Bytes::from_static(&[FIN | CLOSE, 0]);
    };
    let mut payload = code.to_be_bytes().to_vec();
    payload.extend_from_slice(reason.as_bytes());
    frame(CLOSE, &payload)
}

/// Whether an encoded frame is a control frame.
pub(crate) fn is_control(frame: &[u8]) -> bool {
    frame.first().is_some_and(|first| first & CONTROL != 0)
}

/// Whether an encoded frame is a compressed message.
pub(crate) fn is_deflated(frame: &[u8]) -> bool {
    frame.first().is_some_and(|first| first & DEFLATED != 0)
}

/// Whether an endpoint may send this status code in a close frame (section
/// 7.4; 1012 to 1014 by the registry it establishes).
pub(crate) fn is_sendable(code: u16) -> bool {
    matches!(code, 1000 | 1001 | 1003 | 1007..=1014 | 3000..=4999)
}

fn frame(opcode: u8, payload: &[u8]) -> Bytes {
    // Two bytes, and eight of length at most.
    let mut frame = Vec::with_capacity(payload.len() + header::len(payload.len()));
    frame.push(FIN | opcode);
    match payload.len() {
        len @ 0..=125 => frame.push(len as u8),
        len @ 126..=0xffff => {
            frame.push(126);
            frame.extend_from_slice(&(len as u16).to_be_bytes());
        }
        len => {
            frame.push(127);
            frame.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(payload);
    Bytes::from(frame)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_have_the_shortest_length_and_no_mask() {
        for (len, header) in [
            (0, &[0x82, 0][..]),
            (125, &[0x82, 125]),
            (126, &[0x82, 126, 0, 126]),
            (0xffff, &[0x82, 126, 0xff, 0xff]),
            (0x1_0000, &[0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            let payload = vec![7; len];
            let frame = encode(MessageRef::Binary(&payload));
            assert_eq!(&frame[..header.len()], header);
            assert_eq!(&frame[header.len()..], &payload);
        }
        assert_eq!(&encode(MessageRef::Text("é"))[..], b"\x81\x02\xc3\xa9");
    }

    #[test]
    fn close_frames_carry_code_and_reason() {
        assert_eq!(&close(None, "")[..], b"\x88\0");
        assert_eq!(&close(Some(1001), "bye")[..], b"\x88\x05\x03\xe9bye");
    }

    #[test]
    fn only_codes_for_endpoints_are_sendable() {
        for code in [1000, 1001, 1003, 1007, 1011, 1014, 3000, 4999] {
            assert!(is_sendable(code), "{code}");
        }
        for code in [0, 999, 1002, 1004, 1005, 1006, 1015, 1016, 2999, 5000] {
            assert!(!is_sendable(code), "{code}");
        }
    }
}
