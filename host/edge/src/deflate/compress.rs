//! From messages to compressed frames.

use std::cell::RefCell;
use std::sync::Mutex;

use bytes::Bytes;
use holdfast_core::MessageRef;
use zlib_rs::{Deflate, DeflateFlush};

use super::window::Window;
use super::{Agreed, BITS_MAX, BITS_MIN, TAIL};
use crate::frame;
use crate::lock::lock;

/// Higher levels take more time than bytes are worth within a message.
const LEVEL: i32 = 3;
/// How much longer a message may get and still be sent compressed, in bytes.
const LONGER_BYTES_MAX: usize = 16;
/// The same, as a part of the message, if those after it may refer to it then and
/// be the shorter.
const LONGER_PART_MAX: usize = 256;
/// What a compressor keeps of its output buffer, in bytes.
const OUTPUT_BYTES_KEPT: usize = 64 << 10;
const SIZES: usize = (BITS_MAX - BITS_MIN) as usize + 1;

/// The host's compressors, by the size of their window. There are as many as
/// threads have ever compressed at the same time; each has some 300 KB.
#[derive(Default)]
pub(crate) struct Compressors([Mutex<Vec<Compressor>>; SIZES]);

struct Compressor {
    deflate: Deflate,
    output: Vec<u8>,
}

impl Compressors {
    /// The compressed frame of a message; none if it is not worth it.
    pub(crate) fn compress(
        &self,
        message: MessageRef<'_>,
        bits: u8,
        before: Option<&Window>,
    ) -> Option<Bytes> {
        let idle = self.0.get(usize::from(bits.checked_sub(BITS_MIN)?))?;
        let mut compressor = lock(idle).pop().unwrap_or_else(|| Compressor::new(bits));
        let len = message.payload().len();
        let longer_max = match before {
            None => LONGER_BYTES_MAX,
            Some(_) => LONGER_BYTES_MAX + len / LONGER_PART_MAX,
        };
        let before = before.map_or(&[][..], Window::bytes);
        let compressed = compressor.compress(before, message.payload(), len + longer_max);
        let frame = compressed.map(|payload| frame::encode_deflated(message, payload));
        compressor.output.truncate(OUTPUT_BYTES_KEPT);
        compressor.output.shrink_to(OUTPUT_BYTES_KEPT);
        lock(idle).push(compressor);
        frame
    }
}

impl Compressor {
    fn new(bits: u8) -> Self {
        Self {
            deflate: Deflate::new(LEVEL, false, bits),
            output: Vec::new(),
        }
    }

    /// None if that would take more than `bytes_max`.
    fn compress(&mut self, before: &[u8], payload: &[u8], bytes_max: usize) -> Option<&[u8]> {
        self.deflate.reset();
        if !before.is_empty() {
            self.deflate.set_dictionary(before).ok()?;
        }
        // With room for one byte too many: if that is left, all has come out.
        let room = bytes_max + TAIL.len() + 1;
        if self.output.len() < room {
            self.output.resize(room, 0);
        }
        let output = self.output.get_mut(..room)?;
        self.deflate
            .compress(payload, output, DeflateFlush::SyncFlush)
            .ok()?;
        let is_all_in = self.deflate.total_in() == payload.len() as u64;
        let len = usize::try_from(self.deflate.total_out()).ok()?;
        if !is_all_in || len >= room {
            return None;
        }
        output.get(..len)?.strip_suffix(&TAIL)
    }
}

/// The frames of one message for many connections: each form is made once.
pub(crate) struct Frames<'a> {
    message: MessageRef<'a>,
    compressors: &'a Compressors,
    plain: Bytes,
    /// By the size of the window.
    deflated: RefCell<Vec<(u8, Option<Bytes>)>>,
}

impl<'a> Frames<'a> {
    /// For a message.
    pub(crate) fn new(message: MessageRef<'a>, compressors: &'a Compressors) -> Self {
        Self {
            message,
            compressors,
            plain: frame::encode(message),
            deflated: RefCell::default(),
        }
    }

    /// What everybody understands.
    pub(crate) fn plain(&self) -> Bytes {
        self.plain.clone()
    }

    /// What is to be sent to somebody who understands more. It refers to nothing
    /// before it, but if messages to him may do so, `window` notes it.
    pub(crate) fn agreed(
        &self,
        agreed: Agreed,
        bytes_min: usize,
        window: Option<&mut Window>,
    ) -> Bytes {
        if self.message.payload().len() < bytes_min {
            return self.plain();
        }
        let Some(deflated) = self.deflated(agreed.server_bits) else {
            return self.plain();
        };
        if let Some(window) = window {
            window.add(self.message.payload(), agreed.server_bits);
        }
        deflated
    }

    fn deflated(&self, bits: u8) -> Option<Bytes> {
        let mut deflated = self.deflated.borrow_mut();
        if let Some((_, frame)) = deflated.iter().find(|(its, _)| *its == bits) {
            return frame.clone();
        }
        let frame = self.compressors.compress(self.message, bits, None);
        deflated.push((bits, frame.clone()));
        frame
    }
}
