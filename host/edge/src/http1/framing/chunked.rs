//! Bodies in chunks (RFC 9112, section 7.1).

use super::{Taken, Unclear};

/// Hexadecimal digits of the largest chunk: more than fits is no chunk.
const DIGITS_MAX: u8 = 15;
/// Bytes of all extensions and trailers of a body: nobody needs many, and who sends
/// them has the host at work for nothing.
const EXTRA_BYTES_MAX: usize = 16 << 10;

/// A body that has arrived in part.
#[derive(Debug, Default)]
pub(in crate::http1) struct Chunked {
    part: Part,
    /// Bytes of the chunk that are still to come.
    left: u64,
    /// Bytes that were neither data nor sizes.
    extra: usize,
    trailers: Vec<u8>,
    digits: u8,
    /// Whether a CR has come, after which there has to be an LF.
    has_cr: bool,
    /// Whether the line of the trailers has a byte.
    has_byte: bool,
}

#[derive(Clone, Copy, Debug, Default)]
enum Part {
    /// The digits of a chunk's size.
    #[default]
    Size,
    /// What may follow them up to the end of the line.
    Extension,
    Data,
    /// The line break behind the data.
    DataEnd,
    Trailers,
}

impl Chunked {
    /// Takes bytes up to the end of a piece of data, or of the body.
    ///
    /// The errors come with how many bytes were in order before.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<Taken, (usize, Unclear)> {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            if let Part::Data = self.part {
                let rest = bytes.len() - at;
                let len = rest.min(usize::try_from(self.left).unwrap_or(usize::MAX));
                self.left -= len as u64;
                if self.left == 0 {
                    self.part = Part::DataEnd;
                }
                let used = at + len;
                return Ok(Taken {
                    used,
                    data: at..used,
                    is_over: false,
                });
            }
            let is_over = self.step(byte).map_err(|unclear| (at, unclear))?;
            at += 1;
            if is_over {
                return Ok(Taken {
                    used: at,
                    data: 0..0,
                    is_over,
                });
            }
        }
        Ok(Taken {
            used: at,
            ..Taken::default()
        })
    }

    /// The lines behind the last chunk, with their line breaks.
    pub(super) fn trailers(&self) -> &[u8] {
        &self.trailers
    }

    /// Takes a byte that is no data. True at the end of the body.
    fn step(&mut self, byte: u8) -> Result<bool, Unclear> {
        match (byte, std::mem::take(&mut self.has_cr)) {
            (b'\n', true) => return self.line_over(),
            (_, true) | (b'\n' | 0, false) => return Err(Unclear),
            (b'\r', false) => {
                self.has_cr = true;
                return Ok(false);
            }
            _ => {}
        }
        match self.part {
            Part::Size => match (char::from(byte).to_digit(16), byte) {
                (Some(digit), _) if self.digits < DIGITS_MAX => {
                    self.left = self.left << 4 | u64::from(digit);
                    self.digits += 1;
                }
                (None, b';') if self.digits > 0 => self.part = Part::Extension,
                _ => return Err(Unclear),
            },
            Part::Extension => self.count_extra()?,
            Part::Data | Part::DataEnd => return Err(Unclear),
            Part::Trailers => {
                self.count_extra()?;
                self.trailers.push(byte);
                self.has_byte = true;
            }
        }
        Ok(false)
    }

    fn count_extra(&mut self) -> Result<(), Unclear> {
        self.extra += 1;
        match self.extra <= EXTRA_BYTES_MAX {
            true => Ok(()),
            false => Err(Unclear),
        }
    }

    fn line_over(&mut self) -> Result<bool, Unclear> {
        match self.part {
            Part::Size | Part::Extension if self.digits == 0 => return Err(Unclear),
            Part::Size | Part::Extension => {
                self.part = match self.left {
                    0 => Part::Trailers,
                    _ => Part::Data,
                };
                self.digits = 0;
            }
            Part::Data | Part::DataEnd => self.part = Part::Size,
            Part::Trailers if !self.has_byte => return Ok(true),
            Part::Trailers => {
                self.trailers.extend_from_slice(b"\r\n");
                self.has_byte = false;
            }
        }
        Ok(false)
    }
}
