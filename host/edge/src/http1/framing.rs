//! Where a request begins and ends, and nothing else of it.
//!
//! It is stricter than RFC 9112 lets a lenient server be: lines that end with a
//! bare LF, a Content-Length beside a Transfer-Encoding, spaces where none belong.
//! Two programs in a row that read such a request differently see different
//! requests (*request smuggling*), and we are seldom alone: so whatever is not
//! plain is no request, and its connection ends.
//!
//! ```text
//!            ┌──────────── CRLF CRLF, no body ───────────┐
//!            ▼                                           │
//!  bytes ─► head ──┬── length ──► body ──── all of it ───┤
//!                  ├── chunked ─► size, data, …, trailers┘
//!                  └── upgrade ─► nothing: no HTTP comes behind it
//! ```

mod chunked;
mod head;

use std::ops::Range;

use chunked::Chunked;
pub(super) use head::{Head, Next};

/// It is not plain where a request begins or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unclear;

/// A body that has arrived in part.
#[derive(Debug)]
pub(super) enum Body {
    /// Bytes that are still to come.
    Sized(u64),
    Chunked(Box<Chunked>),
}

/// What was taken of a body.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// How many of the bytes are used.
    pub(super) used: usize,
    /// Which of them are data.
    pub(super) data: Range<usize>,
    /// Whether the body is complete.
    pub(super) is_over: bool,
}

impl Body {
    /// The body behind a head, if there is one.
    pub(super) fn behind(next: &Next) -> Option<Self> {
        match next {
            Next::Body(len) => Some(Self::Sized(*len)),
            Next::Chunked => Some(Self::Chunked(Box::default())),
            Next::Head | Next::Nothing => None,
        }
    }

    /// Bytes of all of it, where that is known.
    pub(super) fn len(&self) -> Option<u64> {
        match self {
            Self::Sized(len) => Some(*len),
            Self::Chunked(_) => None,
        }
    }

    /// Takes bytes up to the end of a piece of data, or of the body.
    ///
    /// The errors come with how many bytes were in order before.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<Taken, (usize, Unclear)> {
        match self {
            Self::Sized(left) => {
                let used = bytes
                    .len()
                    .min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= used as u64;
                Ok(Taken {
                    used,
                    data: 0..used,
                    is_over: *left == 0,
                })
            }
            Self::Chunked(chunked) => chunked.take(bytes),
        }
    }

    /// The lines behind the last chunk, with their line breaks.
    pub(super) fn trailers(&self) -> &[u8] {
        match self {
            Self::Sized(_) => &[],
            Self::Chunked(chunked) => chunked.trailers(),
        }
    }
}

/// For tests and fuzzing: follows requests that come in pieces. Says how many bytes
/// are in order, and whether what comes behind them is not.
pub(crate) fn follow<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (usize, bool) {
    let (mut head, mut body) = (Head::default(), None::<Body>);
    let mut followed = 0;
    for mut piece in pieces {
        while !piece.is_empty() {
            let taken = match &mut body {
                None => head.take(piece),
                Some(arriving) => arriving
                    .take(piece)
                    .map(|taken| (taken.used, taken.is_over.then_some(Next::Head))),
            };
            let (used, next) = match taken {
                Ok(taken) => taken,
                Err((used, Unclear)) => return (followed + used, true),
            };
            followed += used;
            piece = piece.get(used..).unwrap_or_default();
            match next {
                Some(Next::Nothing) => return (followed, false),
                Some(next) => body = Body::behind(&next),
                None => {}
            }
        }
    }
    (followed, false)
}

#[cfg(test)]
mod tests;
