//! A response as bytes (RFC 9112, section 6): its head, and what its body is
//! framed by.

use std::io::Write;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use holdfast_core::RequestId;
use holdfast_core::request_id::FIELD;
use http::header::{CONNECTION, CONTENT_LENGTH, DATE, TRAILER, TRANSFER_ENCODING};
use http::response::Parts;
use http::{HeaderMap, HeaderName, StatusCode, Version};
use http_body::SizeHint;

use super::head::Traits;
use super::output::Output;
use crate::fields::{has_token, number, write_number};

static REQUEST_ID: HeaderName = FIELD;

/// Room for a usual head.
const HEAD_BYTES: usize = 384;

/// How the end of a body is told.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// There is none.
    Nothing,
    /// By its length, of which so much is left.
    Sized(u64),
    /// By a last chunk, behind which there may be these fields.
    Chunked(Vec<HeaderName>),
    /// By the end of the connection.
    Close,
}

/// A body is not what its head has said.
#[derive(Debug, thiserror::Error)]
#[error("the body of a response is shorter than its length")]
pub(super) struct TooShort;

/// Writes a head. `body` says how long the body is, `keeps_alive` whether we would
/// keep the connection. Returns how the body is framed, and whether it is kept.
pub(super) fn write_head(
    out: &mut Vec<u8>,
    head: &Parts,
    body: &SizeHint,
    traits: &Traits,
    keeps_alive: bool,
    date: &[u8],
    request_id: Option<&RequestId>,
) -> (Framing, bool) {
    out.reserve(HEAD_BYTES);
    out.extend_from_slice(match traits.version {
        // Who speaks HTTP/1.0 may know no other.
        Version::HTTP_10 => b"HTTP/1.0 ",
        _ => b"HTTP/1.1 ",
    });
    out.extend_from_slice(head.status.as_str().as_bytes());
    out.push(b' ');
    let reason = head.status.canonical_reason().unwrap_or_default();
    out.extend_from_slice(reason.as_bytes());
    out.extend_from_slice(b"\r\n");
    let said = write_fields(out, &head.headers, request_id);
    let framing = frame(head, &said, body, traits);
    let keeps_alive = keeps_alive && framing != Framing::Close && !said.says_close;
    if head.status != StatusCode::SWITCHING_PROTOCOLS {
        match (keeps_alive, traits.version) {
            (true, Version::HTTP_10) => out.extend_from_slice(b"connection: keep-alive\r\n"),
            (false, _) if !said.says_close => out.extend_from_slice(b"connection: close\r\n"),
            _ => {}
        }
    }
    let len = match &framing {
        Framing::Chunked(_) => {
            out.extend_from_slice(b"transfer-encoding: chunked\r\n");
            None
        }
        Framing::Sized(len) => Some(*len),
        // The length that a GET would get is said if it is known.
        Framing::Nothing if traits.is_head && may_have_body(head.status) => {
            said.length().or(body.exact().filter(|len| *len > 0))
        }
        Framing::Nothing if head.status == StatusCode::NOT_MODIFIED => said.length(),
        Framing::Nothing | Framing::Close => None,
    };
    if let Some(len) = len {
        out.extend_from_slice(b"content-length: ");
        write_number(out, len);
        out.extend_from_slice(b"\r\n");
    }
    if !said.has_date {
        write_field(out, &DATE, date);
    }
    out.extend_from_slice(b"\r\n");
    (framing, keeps_alive)
}

/// What header fields say of which the framing depends.
#[derive(Default)]
struct Said {
    /// Lengths, of which there should be one.
    lengths: u32,
    length: Option<u64>,
    says_close: bool,
    has_date: bool,
}

impl Said {
    fn length(&self) -> Option<u64> {
        self.length.filter(|_| self.lengths == 1)
    }
}

/// Writes the fields, but for those that say how the body is framed, and with what the
/// request is called.
fn write_fields(out: &mut Vec<u8>, fields: &HeaderMap, request_id: Option<&RequestId>) -> Said {
    if let Some(id) = request_id {
        write_field(out, &REQUEST_ID, id.as_bytes());
    }
    let mut said = Said::default();
    for (name, value) in fields {
        if *name == REQUEST_ID && request_id.is_some() {
            continue;
        } else if *name == CONTENT_LENGTH {
            said.lengths += 1;
            said.length = number(value.as_bytes());
            continue;
        } else if *name == TRANSFER_ENCODING {
            continue;
        } else if *name == CONNECTION {
            said.says_close |= has_token(value.as_bytes(), "close");
        } else if *name == DATE {
            said.has_date = true;
        }
        write_field(out, name, value.as_bytes());
    }
    said
}

fn write_field(out: &mut Vec<u8>, name: &HeaderName, value: &[u8]) {
    out.extend_from_slice(name.as_str().as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// Decides how the body is framed.
fn frame(head: &Parts, said: &Said, body: &SizeHint, traits: &Traits) -> Framing {
    if traits.is_head || !may_have_body(head.status) {
        return Framing::Nothing;
    }
    match said.length().or(body.exact()) {
        Some(len) => Framing::Sized(len),
        None if traits.version == Version::HTTP_11 => {
            Framing::Chunked(match traits.takes_trailers {
                true => named_trailers(&head.headers),
                false => Vec::new(),
            })
        }
        None => Framing::Close,
    }
}

/// RFC 9110, section 6.4.1.
fn may_have_body(status: StatusCode) -> bool {
    !status.is_informational()
        && status != StatusCode::NO_CONTENT
        && status != StatusCode::NOT_MODIFIED
}

fn named_trailers(headers: &HeaderMap) -> Vec<HeaderName> {
    let lists = headers.get_all(TRAILER).iter();
    let names = lists.filter_map(|list| list.to_str().ok());
    let names = names.flat_map(|list| list.split(','));
    let names = names.filter_map(|name| HeaderName::try_from(name.trim()).ok());
    names.filter(may_trail).collect()
}

/// Whether a field may come behind a body: none of which the framing or the meaning
/// of the message depends (RFC 9110, section 6.5.1).
fn may_trail(name: &HeaderName) -> bool {
    const NEVER: [&str; 14] = [
        "authorization",
        "cache-control",
        "connection",
        "content-encoding",
        "content-length",
        "content-range",
        "content-type",
        "host",
        "max-forwards",
        "set-cookie",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ];
    !NEVER.contains(&name.as_str())
}

impl Framing {
    /// Whether nothing more of the body is to be written.
    pub(super) fn is_over(&self) -> bool {
        matches!(self, Self::Nothing | Self::Sized(0))
    }

    /// Writes a piece of the body. What is more than its length is not written.
    pub(super) fn write_piece(&mut self, mut piece: Bytes, output: &Output) {
        match self {
            Self::Nothing => {}
            Self::Sized(left) => {
                piece.truncate(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= piece.len() as u64;
                output.add_piece(piece, b"");
            }
            // One without bytes would be the last.
            Self::Chunked(_) if piece.is_empty() => {}
            Self::Chunked(_) => {
                output.add(|out| {
                    let _ = write!(out, "{:x}\r\n", piece.len());
                });
                output.add_piece(piece, b"\r\n");
            }
            Self::Close => output.add_piece(piece, b""),
        }
    }

    /// Writes what comes behind the last piece.
    ///
    /// # Errors
    /// If something is missing.
    pub(super) fn finish(
        &mut self,
        trailers: Option<&HeaderMap>,
        output: &Output,
    ) -> Result<(), TooShort> {
        match std::mem::replace(self, Self::Nothing) {
            Self::Sized(1..) => return Err(TooShort),
            Self::Chunked(named) => output.add(|out| {
                out.extend_from_slice(b"0\r\n");
                for (name, value) in trailers.into_iter().flatten() {
                    if named.contains(name) {
                        write_field(out, name, value.as_bytes());
                    }
                }
                out.extend_from_slice(b"\r\n");
            }),
            Self::Nothing | Self::Sized(0) | Self::Close => {}
        }
        Ok(())
    }
}

/// What is thought of the request to which there is an answer, although it could not
/// be read.
pub(super) fn unread() -> Traits {
    Traits {
        version: Version::HTTP_11,
        is_head: false,
        keeps_alive: false,
        expects_continue: false,
        takes_trailers: false,
    }
}

/// The field that tells when a response was made.
#[derive(Debug, Default)]
pub(crate) struct Date {
    text: Vec<u8>,
    /// As long as it holds.
    until: Option<Instant>,
}

impl Date {
    /// The text for now (RFC 9110, section 5.6.7).
    pub(crate) fn text(&mut self, now: Instant) -> &[u8] {
        if self.until.is_none_or(|until| until <= now) {
            let time = SystemTime::now();
            let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
            let rest = Duration::from_secs(1)
                .saturating_sub(Duration::from_nanos(u64::from(since.subsec_nanos())));
            // Looked at again before a second is over, since clocks are set.
            self.until = Some(now + rest);
            self.text = httpdate::fmt_http_date(time).into_bytes();
        }
        &self.text
    }
}

#[cfg(test)]
mod tests;
