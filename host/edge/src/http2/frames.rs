//! Looks at the frames of an HTTP/2 connection as they come in, and counts those
//! that cost their sender nothing and the host something.
//!
//! What the h2 crate bounds itself is left to it: streams, header lists, frames
//! that continue one, windows, streams that are reset before it has seen them.
//! It answers any number of PING and SETTINGS frames, though, and a client may
//! begin requests and reset them for ever, one after the other (CVE-2023-44487).

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use holdfast_core::Bucket;
use holdfast_core::limits::Http2Limits;
use holdfast_core::metrics::Flood;
use tokio::io::{AsyncRead, ReadBuf};

use crate::hub::Hub;
use crate::stream::{Begun, writes_to};

/// Bytes with which a connection begins, before the first frame (RFC 9113,
/// section 3.4).
const PREFACE_LEN: usize = 24;
const HEAD_LEN: usize = 9;

// Types of frames (section 6), and flags.
const DATA: u8 = 0x0;
const HEADERS: u8 = 0x1;
const RST_STREAM: u8 = 0x3;
const SETTINGS: u8 = 0x4;
const PING: u8 = 0x6;
const WINDOW_UPDATE: u8 = 0x8;
const CONTINUATION: u8 = 0x9;
const END_STREAM: u8 = 0x1;
const PADDED: u8 = 0x8;

/// A client has sent too many frames of a kind in a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Excess {
    #[error("the client resets more than {0} streams in a second")]
    Resets(u32),
    /// With the kind of the frame that was one too many.
    #[error("the client sends more than {0} control frames in a second")]
    Control(u32, u8),
}

impl Excess {
    /// What it is to whoever counts.
    fn flood(self) -> Flood {
        match self {
            Self::Resets(_) => Flood::Resets,
            Self::Control(_, SETTINGS) => Flood::Settings,
            Self::Control(_, PING) => Flood::Pings,
            Self::Control(..) => Flood::Other,
        }
    }
}

/// The frames of one connection.
struct Frames {
    /// Bytes that belong to no head.
    skip: usize,
    head: [u8; HEAD_LEN],
    /// So many bytes of the head are there.
    head_len: usize,
    resets: Bucket,
    resets_max: u32,
    control: Bucket,
    control_max: u32,
}

impl Frames {
    fn new(limits: &Http2Limits) -> Self {
        let now = Instant::now();
        Self {
            skip: PREFACE_LEN,
            head: [0; HEAD_LEN],
            head_len: 0,
            resets: Bucket::new(now),
            resets_max: limits.resets_per_second_max,
            control: Bucket::new(now),
            control_max: limits.control_frames_per_second_max,
        }
    }

    /// Looks at the next bytes.
    fn see(&mut self, mut bytes: &[u8]) -> Result<(), Excess> {
        while !bytes.is_empty() {
            let skipped = self.skip.min(bytes.len());
            self.skip -= skipped;
            bytes = bytes.get(skipped..).unwrap_or_default();
            let missing = self.head.get_mut(self.head_len..).unwrap_or_default();
            let taken = missing.len().min(bytes.len());
            let (taken, rest) = bytes.split_at(taken);
            for (place, byte) in missing.iter_mut().zip(taken) {
                *place = *byte;
            }
            self.head_len += taken.len();
            bytes = rest;
            if self.head_len == HEAD_LEN {
                self.head_len = 0;
                self.count()?;
            }
        }
        Ok(())
    }

    /// Counts the frame whose head is there (section 4.1).
    fn count(&mut self) -> Result<(), Excess> {
        let [high, middle, low, kind, flags, ..] = self.head;
        self.skip = u32::from_be_bytes([0, high, middle, low]) as usize;
        let is_empty = self.skip == 0;
        let is_free = match kind {
            // Padding is nothing, too, and who pads much does it in vain.
            DATA => (is_empty && flags & END_STREAM == 0) || flags & PADDED != 0,
            CONTINUATION => is_empty,
            RST_STREAM => {
                let taken = self.resets.take(self.resets_max, Instant::now());
                return taken.map_err(|_| Excess::Resets(self.resets_max));
            }
            // They are bounded by what they do, and who reads much has to send
            // many.
            HEADERS | WINDOW_UPDATE => false,
            // PRIORITY, SETTINGS, PUSH_PROMISE, PING, GOAWAY, and unknown ones.
            _ => true,
        };
        if !is_free {
            return Ok(());
        }
        let taken = self.control.take(self.control_max, Instant::now());
        taken.map_err(|_| Excess::Control(self.control_max, kind))
    }
}

/// For fuzzing: see [`super::watch`].
pub(super) fn watch<'a>(mut pieces: impl Iterator<Item = &'a [u8]>, limits: &Http2Limits) {
    let mut frames = Frames::new(limits);
    // That there are too many is as good as that there are not.
    let _ = pieces.try_for_each(|piece| frames.see(piece));
}

/// A stream whose frames are counted. Reading from it fails when there are too
/// many.
pub(super) struct Watched {
    stream: Begun,
    frames: Frames,
    hub: Arc<Hub>,
}

impl Watched {
    pub(super) fn new(stream: Begun, limits: &Http2Limits, hub: &Arc<Hub>) -> Self {
        Self {
            hub: Arc::clone(hub),
            stream,
            frames: Frames::new(limits),
        }
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        let new = buffer.filled().get(before..).unwrap_or_default();
        let seen = self.frames.see(new);
        let seen = seen.inspect_err(|excess| self.hub.metrics().note_flood(excess.flood()));
        Poll::Ready(seen.map_err(io::Error::other))
    }
}

writes_to!(Watched, stream);

#[cfg(test)]
mod tests {
    use super::*;

    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

    fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
        let len = payload.len() as u8;
        [&[0, 0, len, kind, flags, 0, 0, 0, 1], payload].concat()
    }

    fn frames() -> Frames {
        let mut frames = Frames::new(&Http2Limits {
            resets_per_second_max: 3,
            control_frames_per_second_max: 5,
            ..Http2Limits::default()
        });
        frames.see(PREFACE).unwrap();
        frames
    }

    #[test]
    fn each_kind_has_its_limit() {
        for (kind, flags, payload, most, excess) in [
            (RST_STREAM, 0, &[0; 4][..], 3, Some(Excess::Resets(3))),
            (0x2, 0, &[0; 5], 5, Some(Excess::Control(5, 0x2))),
            (0x4, 0, &[], 5, Some(Excess::Control(5, SETTINGS))),
            (0x6, 0, &[0; 8], 5, Some(Excess::Control(5, PING))),
            (0x42, 0, &[3; 200], 5, Some(Excess::Control(5, 0x42))),
            (DATA, 0, &[], 5, Some(Excess::Control(5, DATA))),
            (DATA, PADDED, &[0], 5, Some(Excess::Control(5, DATA))),
            (
                CONTINUATION,
                0,
                &[],
                5,
                Some(Excess::Control(5, CONTINUATION)),
            ),
            (DATA, END_STREAM, &[], 50, None),
            (DATA, 0, &[0], 50, None),
            (HEADERS, 0, &[0; 9], 50, None),
            (WINDOW_UPDATE, 0, &[0; 4], 50, None),
        ] {
            let mut frames = frames();
            let frame = frame(kind, flags, payload);
            for _ in 0..most {
                frames.see(&frame).unwrap();
            }
            assert_eq!(frames.see(&frame).err(), excess, "{kind}");
        }
    }

    #[test]
    fn a_frame_may_come_in_pieces() {
        let (ping, data) = (frame(0x6, 0, &[0; 8]), frame(DATA, 0, &[6; 100]));
        let bytes = [&ping[..], &data, &ping, &ping, &data, &ping, &ping, &ping].concat();
        for len in 1..bytes.len() {
            let mut frames = frames();
            let seen = bytes.chunks(len).try_for_each(|piece| frames.see(piece));
            assert_eq!(seen, Err(Excess::Control(5, PING)), "{len}");
        }
    }
}
