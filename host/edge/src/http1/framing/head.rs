//! The lines of a request's head.

use super::Unclear;
use crate::fields::{has_token, number};

/// The longest line that is looked at: those of which the framing depends are
/// short.
const LINE_BYTES_MAX: usize = 128;

/// What follows a head.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::http1) enum Next {
    /// Another head.
    Head,
    /// A body of so many bytes.
    Body(u64),
    /// A body in chunks.
    Chunked,
    /// No HTTP.
    Nothing,
}

/// A head that has arrived in part.
#[derive(Debug, Default)]
pub(in crate::http1) struct Head {
    /// The first bytes of the line that is arriving.
    line: Vec<u8>,
    /// Bytes of that line, without the CR that may be its last.
    len: usize,
    /// Whether a CR has come, after which there has to be an LF.
    has_cr: bool,
    /// Whether the request line is over.
    has_begun: bool,
    content_length: Option<u64>,
    is_chunked: bool,
    is_upgrade: bool,
}

impl Head {
    /// Takes bytes up to the end of the head, and says what follows it.
    ///
    /// The errors come with how many bytes were in order before.
    pub(in crate::http1) fn take(
        &mut self,
        bytes: &[u8],
    ) -> Result<(usize, Option<Next>), (usize, Unclear)> {
        let mut at = 0;
        while let Some(rest) = bytes.get(at..)
            && let Some(&byte) = rest.first()
        {
            let next = match self.whole_line(rest) {
                Some(line) => {
                    // The LF is the byte that is refused.
                    at += line.len() + 1;
                    self.line_over(line, line.len())
                }
                None => self.step(byte),
            };
            let next = next.map_err(|unclear| (at, unclear))?;
            at += 1;
            if next.is_some() {
                *self = Self {
                    line: std::mem::take(&mut self.line),
                    ..Self::default()
                };
                return Ok((at, next));
            }
        }
        Ok((at, None))
    }

    /// The usual case: a line that is there in whole, with its CRLF.
    fn whole_line<'a>(&self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        if self.len > 0 || self.has_cr {
            return None;
        }
        let is_special = |&byte: &u8| matches!(byte, 0 | b'\n' | b'\r' | b'#');
        let len = bytes.iter().position(|byte| {
            // A `#` is special in the request line alone.
            is_special(byte) && (*byte != b'#' || !self.has_begun)
        })?;
        let (line, rest) = bytes.split_at_checked(len)?;
        rest.starts_with(b"\r\n").then_some(line)
    }

    /// Takes one byte.
    fn step(&mut self, byte: u8) -> Result<Option<Next>, Unclear> {
        match (byte, self.has_cr) {
            (b'\n', true) => {
                self.has_cr = false;
                let len = std::mem::take(&mut self.len);
                let mut line = std::mem::take(&mut self.line);
                let next = self.line_over(&line, len);
                line.clear();
                self.line = line;
                return next;
            }
            (b'\r', false) => self.has_cr = true,
            // A bare LF, a bare CR, or what no line may have (RFC 9112, sections
            // 2.2 and 5; RFC 9110, section 5.5).
            (_, true) | (b'\n' | 0, false) => return Err(Unclear),
            // A target has no fragment (section 3.2).
            (b'#', false) if !self.has_begun => return Err(Unclear),
            (byte, false) => {
                self.len += 1;
                if self.line.len() < LINE_BYTES_MAX {
                    self.line.push(byte);
                }
            }
        }
        Ok(None)
    }

    /// The end of a line of `len` bytes, of which at least the first are known;
    /// of the head, if it is empty.
    fn line_over(&mut self, line: &[u8], len: usize) -> Result<Option<Next>, Unclear> {
        if len == 0 {
            // Empty lines before a request are passed over (section 2.2).
            return match self.has_begun {
                true => self.over().map(Some),
                false => Ok(None),
            };
        }
        if self.has_begun {
            // As much as is known of it if it comes in pieces.
            let line = line.get(..LINE_BYTES_MAX).unwrap_or(line);
            self.field(line, len <= LINE_BYTES_MAX)?;
        }
        self.has_begun = true;
        Ok(None)
    }

    /// Looks at the fields on which the framing depends (section 6). They are
    /// looked for without regard of what is before the colon but letters, so that
    /// those which others may take for them are refused.
    fn field(&mut self, line: &[u8], is_short: bool) -> Result<(), Unclear> {
        let colon = line.iter().position(|&byte| byte == b':');
        // So long a name may be one of those, with something in between.
        if colon.is_none() && !is_short && may_be_like(line) {
            return Err(Unclear);
        }
        let letter = line.iter().find(|byte| byte.is_ascii_alphabetic());
        if !letter.is_some_and(|letter| b"ctuCTU".contains(letter)) {
            return Ok(());
        }
        let (name, value) = match colon {
            Some(colon) => line.split_at_checked(colon).ok_or(Unclear)?,
            None => return Ok(()),
        };
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        if name.eq_ignore_ascii_case(b"content-length") {
            // Twice the same would be allowed, but is as suspicious.
            if !is_short || self.content_length.is_some() {
                return Err(Unclear);
            }
            self.content_length = Some(number(value).ok_or(Unclear)?);
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if !is_short || self.is_chunked || !value.eq_ignore_ascii_case(b"chunked") {
                return Err(Unclear);
            }
            self.is_chunked = true;
        } else if name.eq_ignore_ascii_case(b"upgrade") {
            if !is_short {
                return Err(Unclear);
            }
            self.is_upgrade |= has_token(value, "websocket");
        } else if WORDS
            .iter()
            .any(|word| letters(name).eq(word.iter().copied()))
        {
            return Err(Unclear);
        }
        Ok(())
    }

    /// Whether nothing has come of it.
    pub(in crate::http1) fn is_untouched(&self) -> bool {
        !self.has_begun && self.len == 0 && !self.has_cr
    }

    fn over(&self) -> Result<Next, Unclear> {
        match (self.is_chunked, self.content_length) {
            // Section 6.3: this ought to be handled as an error.
            (true, Some(_)) => Err(Unclear),
            (true, None) => Ok(Next::Chunked),
            (false, Some(1..)) if self.is_upgrade => Err(Unclear),
            (false, Some(len @ 1..)) => Ok(Next::Body(len)),
            (false, Some(0) | None) if self.is_upgrade => Ok(Next::Nothing),
            (false, Some(0) | None) => Ok(Next::Head),
        }
    }
}

/// The letters of the names of fields that say how long a body is. A name that has
/// them, with anything else between them (a space, a tab, an underscore), may be
/// taken for the field.
const WORDS: [&[u8]; 2] = [b"contentlength", b"transferencoding"];

/// The letters in a name.
fn letters(name: &[u8]) -> impl Iterator<Item = u8> {
    let letters = name.iter().filter(|byte| byte.is_ascii_alphabetic());
    letters.map(u8::to_ascii_lowercase)
}

/// Whether what is known of a name could go on to be one of those.
fn may_be_like(begin: &[u8]) -> bool {
    let begins = |word: &&[u8]| {
        letters(begin)
            .zip(word.iter())
            .all(|(one, other)| one == *other)
    };
    let len = letters(begin).count();
    WORDS.iter().any(|word| len <= word.len() && begins(word))
}
