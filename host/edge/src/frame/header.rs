//! The header of a client's frame (RFC 6455, section 5.2).

use super::{
    BINARY, CLOSE, CONTROL, CONTROL_BYTES_MAX, DEFLATED, FIN, FrameError, PING, PONG, TEXT,
};

/// The longest header of a masked frame, in bytes.
pub(super) const HEADER_BYTES_MAX: usize = 14;

const RESERVED: u8 = 0x70;
const MASKED: u8 = 0x80;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opcode {
    Continuation,
    Text,
    Binary,
    Close,
    Ping,
    Pong,
}

impl Opcode {
    pub(super) fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

/// A frame's header.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    /// Whether it is the last of its message.
    pub(super) fin: bool,
    pub(super) opcode: Opcode,
    /// Whether it begins a compressed message.
    pub(super) deflated: bool,
    /// Of the payload, in bytes.
    pub(super) len: u64,
    pub(super) mask: [u8; 4],
}

/// Length of the header of an unmasked frame with such a payload, in bytes.
pub(super) fn len(payload_len: usize) -> usize {
    match payload_len {
        0..=125 => 2,
        126..=0xffff => 4,
        _ => 10,
    }
}

/// Reads a header from the start of `input`; with it comes its length in bytes.
/// None if there are too few bytes. What is wrong already in the first two is
/// found without waiting for the others. `may_deflate` says that messages may be
/// compressed.
pub(super) fn parse(
    input: &[u8],
    may_deflate: bool,
) -> Result<Option<(Header, usize)>, FrameError> {
    let Some((&first, rest)) = input.split_first() else {
        return Ok(None);
    };
    let opcode = opcode(first & 0x0f)?;
    // The first frame of a message says for all of them whether it is.
    let deflated = first & RESERVED == DEFLATED
        && may_deflate
        && matches!(opcode, Opcode::Text | Opcode::Binary);
    if first & RESERVED != 0 && !deflated {
        return Err(FrameError::Protocol("a reserved bit is set"));
    }
    let fin = first & FIN != 0;
    if opcode.is_control() && !fin {
        return Err(FrameError::Protocol("a control frame is fragmented"));
    }
    let Some((&second, rest)) = rest.split_first() else {
        return Ok(None);
    };
    if second & MASKED == 0 {
        return Err(FrameError::Protocol("a frame is not masked"));
    }
    let short = second & !MASKED;
    if opcode.is_control() && usize::from(short) > CONTROL_BYTES_MAX {
        return Err(FrameError::Protocol("a control frame is too long"));
    }
    let (len, rest) = match short {
        126 => match rest.split_first_chunk() {
            Some((bytes, rest)) => (u64::from(u16::from_be_bytes(*bytes)), rest),
            None => return Ok(None),
        },
        127 => match rest.split_first_chunk() {
            Some((bytes, rest)) => (u64::from_be_bytes(*bytes), rest),
            None => return Ok(None),
        },
        short => (u64::from(short), rest),
    };
    if (short == 126 && len < 126) || (short == 127 && len <= 0xffff) {
        return Err(FrameError::Protocol("a length is not the shortest form"));
    }
    if len > i64::MAX as u64 {
        return Err(FrameError::Protocol("a length has its highest bit set"));
    }
    let Some((mask, rest)) = rest.split_first_chunk() else {
        return Ok(None);
    };
    let header = Header {
        fin,
        opcode,
        deflated,
        len,
        mask: *mask,
    };
    Ok(Some((header, input.len() - rest.len())))
}

fn opcode(opcode: u8) -> Result<Opcode, FrameError> {
    Ok(match opcode {
        0 => Opcode::Continuation,
        TEXT => Opcode::Text,
        BINARY => Opcode::Binary,
        CLOSE => Opcode::Close,
        PING => Opcode::Ping,
        PONG => Opcode::Pong,
        _ if opcode & CONTROL != 0 => {
            return Err(FrameError::Protocol("an unknown control frame"));
        }
        _ => return Err(FrameError::Protocol("an unknown data frame")),
    })
}
