//! From a client's bytes to messages. A decoder at rest, between two messages,
//! owns nothing: what is kept of a half-received message is boxed.

use bytes::Bytes;
use holdfast_core::Message;

use super::header::{self, HEADER_BYTES_MAX, Header, Opcode};
use super::mask::unmask;
use super::{Deflated, FrameError, Item};

/// Fragments without a byte in one message: nothing else would end a flood of
/// them.
const EMPTY_FRAGMENTS_MAX: u16 = 1000;

/// Decodes what one client sends.
#[derive(Default)]
pub(crate) struct Decoder {
    partial: Option<Box<Partial>>,
}

/// What holds for what a client sends.
#[derive(Clone, Copy)]
pub(crate) struct Rules {
    /// The largest message, expanded or not.
    pub(crate) message_bytes_max: usize,
    /// Whether messages may be compressed.
    pub(crate) may_deflate: bool,
}

impl Rules {
    /// The largest payload. What can't be compressed gets a little larger by it.
    fn payload_bytes_max(self, deflated: bool) -> usize {
        let most = self.message_bytes_max;
        match deflated {
            true => most.saturating_add(most / 1000 + 64),
            false => most,
        }
    }
}

/// What came of some input.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Decoded {
    /// Bytes of the input that are done with. All of them if there is no item.
    pub(crate) used: usize,
    /// The first item, if one is complete.
    pub(crate) item: Option<Item>,
}

impl Decoder {
    /// Takes from `input` up to the end of one item. A message that is too large
    /// is refused when its length is announced. After an error nothing more can
    /// be decoded.
    pub(crate) fn decode(&mut self, input: &[u8], rules: Rules) -> Result<Decoded, FrameError> {
        let mut used = 0;
        if self.partial.is_none() {
            if let Some(decoded) = whole(input, rules)? {
                return Ok(decoded);
            }
            if input.is_empty() {
                return Ok(Decoded { used, item: None });
            }
        }
        let partial = self.partial.get_or_insert_default();
        loop {
            let rest = input.get(used..).unwrap_or_default();
            let Some(frame) = &mut partial.frame else {
                match partial.header(rest, rules)? {
                    Some(taken) => used += taken,
                    None => {
                        let used = input.len();
                        return Ok(Decoded { used, item: None });
                    }
                }
                continue;
            };
            let header = frame.header;
            let wanted = usize::try_from(header.len).unwrap_or(usize::MAX) - frame.taken;
            let chunk = rest.get(..wanted.min(rest.len())).unwrap_or_default();
            let offset = frame.taken;
            frame.taken += chunk.len();
            partial.payload(header, chunk, offset)?;
            used += chunk.len();
            if chunk.len() < wanted {
                return Ok(Decoded { used, item: None });
            }
            partial.frame = None;
            if let Some(item) = partial.finish(header)? {
                if partial.message.is_none() {
                    self.partial = None;
                }
                let item = Some(item);
                return Ok(Decoded { used, item });
            }
        }
    }

    /// Whether nothing of a message is kept.
    #[cfg(test)]
    pub(crate) fn is_at_rest(&self) -> bool {
        self.partial.is_none()
    }
}

/// The usual case: a whole, unfragmented frame. None if `input` is no such.
fn whole(input: &[u8], rules: Rules) -> Result<Option<Decoded>, FrameError> {
    let Some((header, header_len)) = header::parse(input, rules.may_deflate)? else {
        return Ok(None);
    };
    if !header.fin || header.opcode == Opcode::Continuation {
        return Ok(None);
    }
    let bytes_max = rules.payload_bytes_max(header.deflated);
    if header.len > bytes_max as u64 && !header.opcode.is_control() {
        return Err(FrameError::TooLarge);
    }
    let used = header_len + header.len as usize;
    let Some(masked) = input.get(header_len..used) else {
        return Ok(None);
    };
    let mut payload = masked.to_vec();
    unmask(&mut payload, header.mask, 0);
    let item = Some(item(header.opcode, header.deflated, payload)?);
    Ok(Some(Decoded { used, item }))
}

fn item(opcode: Opcode, deflated: bool, payload: Vec<u8>) -> Result<Item, FrameError> {
    if deflated {
        let is_text = opcode == Opcode::Text;
        return Ok(Item::Deflated(Deflated { is_text, payload }));
    }
    Ok(match opcode {
        Opcode::Text => {
            let text = String::from_utf8(payload).map_err(|_| FrameError::Utf8)?;
            Item::Message(Message::Text(text))
        }
        Opcode::Binary | Opcode::Continuation => Item::Message(Message::Binary(payload)),
        Opcode::Ping => Item::Ping(Bytes::from(payload)),
        Opcode::Pong => Item::Pong,
        Opcode::Close => Item::Close(close(&payload)?),
    })
}

/// Code and reason of a close frame (section 5.5.1).
fn close(payload: &[u8]) -> Result<Option<(u16, String)>, FrameError> {
    if payload.is_empty() {
        return Ok(None);
    }
    let Some((code, reason)) = payload.split_first_chunk() else {
        return Err(FrameError::Protocol("a close frame has half a code"));
    };
    let code = u16::from_be_bytes(*code);
    // A client may say 1002 and 1010, which a server's handler may not.
    if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(FrameError::Protocol("a close frame has a forbidden code"));
    }
    let reason = std::str::from_utf8(reason).map_err(|_| FrameError::Utf8)?;
    Ok(Some((code, reason.to_owned())))
}

/// What is kept of a message, or of a frame, that is not complete.
#[derive(Default)]
struct Partial {
    /// Bytes of a header that has not arrived in full.
    head: Vec<u8>,
    frame: Option<Frame>,
    /// Payload of the control frame that is arriving.
    control: Vec<u8>,
    message: Option<Assembly>,
}

/// The frame that is arriving.
struct Frame {
    header: Header,
    /// Bytes of the payload that were taken.
    taken: usize,
}

/// The message that is arriving.
struct Assembly {
    opcode: Opcode,
    deflated: bool,
    /// Fragments that had no byte.
    empty_count: u16,
    payload: Vec<u8>,
    /// Bytes of it that are known to be UTF-8, if it is text.
    valid: usize,
}

impl Partial {
    /// Takes a header from `input`; returns how many bytes of it. None if all
    /// of the input was taken and there is no complete header yet.
    fn header(&mut self, input: &[u8], rules: Rules) -> Result<Option<usize>, FrameError> {
        let kept = self.head.len();
        let more = input.len().min(HEADER_BYTES_MAX - kept);
        self.head
            .extend_from_slice(input.get(..more).unwrap_or_default());
        let Some((header, len)) = header::parse(&self.head, rules.may_deflate)? else {
            return Ok(None);
        };
        self.head.clear();
        self.begin(header, rules)?;
        Ok(Some(len.saturating_sub(kept)))
    }

    /// Begins a frame, if it may come now (section 5.4).
    fn begin(&mut self, header: Header, rules: Rules) -> Result<(), FrameError> {
        if !header.opcode.is_control() {
            let (before, deflated) = match (&self.message, header.opcode) {
                (Some(message), Opcode::Continuation) => (message.payload.len(), message.deflated),
                (None, Opcode::Continuation) => {
                    return Err(FrameError::Protocol("nothing to continue"));
                }
                (Some(_), _) => {
                    return Err(FrameError::Protocol("a message within a message"));
                }
                (None, opcode) => {
                    self.message = Some(Assembly {
                        opcode,
                        deflated: header.deflated,
                        empty_count: 0,
                        payload: Vec::new(),
                        valid: 0,
                    });
                    (0, header.deflated)
                }
            };
            if header.len == 0
                && let Some(message) = &mut self.message
            {
                message.empty_count += 1;
                if message.empty_count > EMPTY_FRAGMENTS_MAX {
                    return Err(FrameError::Flood);
                }
            }
            let bytes_max = rules.payload_bytes_max(deflated);
            if header.len > bytes_max.saturating_sub(before) as u64 {
                return Err(FrameError::TooLarge);
            }
        }
        self.frame = Some(Frame { header, taken: 0 });
        Ok(())
    }

    /// Takes a part of the frame's payload. Memory grows with what has arrived,
    /// not with what was announced.
    fn payload(&mut self, header: Header, chunk: &[u8], offset: usize) -> Result<(), FrameError> {
        if header.opcode.is_control() {
            append(&mut self.control, chunk, header.mask, offset);
        } else if let Some(message) = &mut self.message {
            append(&mut message.payload, chunk, header.mask, offset);
            message.check()?;
        }
        Ok(())
    }

    /// The item which the frame completes, if it does.
    fn finish(&mut self, header: Header) -> Result<Option<Item>, FrameError> {
        if header.opcode.is_control() {
            let payload = std::mem::take(&mut self.control);
            return item(header.opcode, false, payload).map(Some);
        }
        if !header.fin {
            return Ok(None);
        }
        match self.message.take() {
            Some(message) => item(message.opcode, message.deflated, message.payload).map(Some),
            None => Ok(None),
        }
    }
}

impl Assembly {
    /// Finds bytes that can't become UTF-8 as soon as they have arrived.
    fn check(&mut self) -> Result<(), FrameError> {
        if self.opcode != Opcode::Text || self.deflated {
            return Ok(());
        }
        let unchecked = self.payload.get(self.valid..).unwrap_or_default();
        match std::str::from_utf8(unchecked) {
            Ok(text) => self.valid += text.len(),
            Err(error) if error.error_len().is_some() => return Err(FrameError::Utf8),
            Err(error) => self.valid += error.valid_up_to(),
        }
        Ok(())
    }
}

fn append(payload: &mut Vec<u8>, chunk: &[u8], mask: [u8; 4], offset: usize) {
    let start = payload.len();
    payload.extend_from_slice(chunk);
    unmask(payload.get_mut(start..).unwrap_or_default(), mask, offset);
}

#[cfg(test)]
mod tests;
