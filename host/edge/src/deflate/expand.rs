//! From compressed payloads to messages.

use zlib_rs::{Inflate, InflateFlush, Status};

use super::window::Window;
use super::{BITS_MAX, TAIL};

/// Room for output at first, for each byte of input.
const RATIO: usize = 4;

/// Expands what the clients of one event loop send. Made when it is first
/// needed; has some 50 KB.
#[derive(Default)]
pub(crate) struct Expander(Option<Box<Inflate>>);

/// Why a payload can't be expanded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExpandError {
    /// It is no deflate stream, or refers to what is not there.
    Invalid,
    /// There is more in it than allowed.
    TooLarge,
}

/// Output, of `bytes_max` bytes at most.
struct Output {
    bytes: Vec<u8>,
    len: usize,
    bytes_max: usize,
}

impl Expander {
    /// The message in a payload, of at most `bytes_max` bytes: that is looked at
    /// while it is expanded. `before` is what it may refer to.
    pub(crate) fn expand(
        &mut self,
        payload: &[u8],
        bytes_max: usize,
        before: Option<&Window>,
    ) -> Result<Vec<u8>, ExpandError> {
        let inflate = self
            .0
            .get_or_insert_with(|| Box::new(Inflate::new(false, BITS_MAX)));
        let before = before.map_or(&[][..], Window::bytes);
        let mut output = Output {
            bytes: Vec::new(),
            len: 0,
            bytes_max,
        };
        output.grow(payload.len().saturating_mul(RATIO).max(64));
        begin(inflate, before)?;
        for part in [payload, &TAIL] {
            take(inflate, part, before, &mut output)?;
        }
        output.bytes.truncate(output.len);
        if output.bytes.len() < output.bytes.capacity() / 2 {
            output.bytes.shrink_to_fit();
        }
        Ok(output.bytes)
    }
}

/// Begins a stream that may refer to what was before.
fn begin(inflate: &mut Inflate, before: &[u8]) -> Result<(), ExpandError> {
    inflate.reset(false);
    if before.is_empty() {
        return Ok(());
    }
    let begun = inflate.set_dictionary(before);
    begun.map(|_| ()).map_err(|_| ExpandError::Invalid)
}

/// Expands a part of the payload.
fn take(
    inflate: &mut Inflate,
    mut part: &[u8],
    before: &[u8],
    output: &mut Output,
) -> Result<(), ExpandError> {
    loop {
        if output.len > output.bytes_max {
            return Err(ExpandError::TooLarge);
        }
        if output.len == output.bytes.len() {
            output.grow(output.len.saturating_mul(2));
        }
        let (read, written) = (inflate.total_in(), inflate.total_out());
        let room = output.bytes.get_mut(output.len..).unwrap_or_default();
        let status = inflate
            .decompress(part, room, InflateFlush::SyncFlush)
            .map_err(|_| ExpandError::Invalid)?;
        let read = (inflate.total_in() - read) as usize;
        let written = (inflate.total_out() - written) as usize;
        part = part.get(read..).unwrap_or_default();
        output.len += written;
        if status == Status::StreamEnd {
            // A client may end its stream and begin another (section 7.2.3.5),
            // in the same message even.
            let seen = [before, output.bytes.get(..output.len).unwrap_or_default()].concat();
            let last = seen.len().saturating_sub(1 << BITS_MAX);
            begin(inflate, seen.get(last..).unwrap_or_default())?;
        }
        let has_room = output.len < output.bytes.len();
        if part.is_empty() && has_room {
            return Ok(());
        }
        if read == 0 && written == 0 && has_room {
            return Err(ExpandError::Invalid);
        }
    }
}

impl Output {
    /// Makes room for `len` bytes in all, but for no more than one too many.
    fn grow(&mut self, len: usize) {
        self.bytes.resize(len.min(self.bytes_max + 1), 0);
    }
}
