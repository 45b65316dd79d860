//! Compressed messages: the extension permessage-deflate (RFC 7692).
//!
//! No connection owns a compressor. One is borrowed for each message, of the few
//! that the host has; where messages may refer to those before (*context
//! takeover*), the connection keeps the last bytes of these as they were, and
//! they are shown to the compressor again. That takes a little more time than to
//! keep its state, and a fiftieth of the memory; a connection without context
//! keeps nothing at all. What is received is treated alike.

mod compress;
mod expand;
mod negotiate;
mod window;

pub(crate) use compress::{Compressors, Frames};
pub(crate) use expand::{ExpandError, Expander};
pub(crate) use negotiate::{Offer, negotiate, offers};
pub(crate) use window::Windows;

/// Windows have sizes from 2 to the power of these (section 7.1.2). The least of
/// the RFC is 8, which zlib can't produce.
const BITS_MIN: u8 = 9;
const BITS_MAX: u8 = 15;
/// Cut off from the end of each message (section 7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// What host and client have agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Agreed {
    /// Window of the host's messages, in bits.
    pub(crate) server_bits: u8,
    /// Whether the host's messages may refer to those before.
    pub(crate) server_context: bool,
    /// Window of the client's messages in bits, if they may refer to those
    /// before.
    pub(crate) client_context: Option<u8>,
}

impl Agreed {
    /// In few bits; 0 is for no agreement.
    pub(crate) fn pack(agreed: Option<Self>) -> u16 {
        agreed.map_or(0, |agreed| {
            u16::from(agreed.server_bits)
                | u16::from(agreed.client_context.unwrap_or(0)) << 4
                | u16::from(agreed.server_context) << 8
        })
    }

    /// The contrary of [`Self::pack`].
    pub(crate) fn unpack(packed: u16) -> Option<Self> {
        (packed != 0).then(|| Self {
            server_bits: (packed & 0xf) as u8,
            server_context: packed & 0x100 != 0,
            client_context: Some((packed >> 4 & 0xf) as u8).filter(|&bits| bits != 0),
        })
    }
}

#[cfg(test)]
mod tests;
