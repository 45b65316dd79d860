//! Tells when an answer is complete, and that it is the right one.

use std::rc::Rc;

use anyhow::{Context, Result, bail};

const HEAD_MAX: usize = 16 << 10;
/// A line of a chunked body: a size, or the end of a chunk.
const LINE_MAX: usize = 1024;

/// What is expected on one connection, and how much of it has come.
#[derive(Clone)]
pub(super) enum Answer {
    /// Just these bytes.
    Exact { bytes: Rc<[u8]>, seen: usize },
    /// A response of HTTP/1.1 (RFC 9112).
    Response(Response),
}

impl Answer {
    pub(super) fn exactly(bytes: Vec<u8>) -> Self {
        Self::Exact {
            bytes: bytes.into(),
            seen: 0,
        }
    }

    /// Takes what has come. Whether the answer is complete now; then the next
    /// one is expected. Nothing may come beyond it.
    pub(super) fn take(&mut self, received: &[u8]) -> Result<bool> {
        match self {
            Self::Exact { bytes, seen } => {
                let end = *seen + received.len();
                if bytes.get(*seen..end) != Some(received) {
                    bail!("the answer is not the one expected");
                }
                *seen = if end == bytes.len() { 0 } else { end };
                Ok(*seen == 0)
            }
            Self::Response(response) => response.take(received),
        }
    }
}

/// How far a response has come.
#[derive(Clone)]
pub(super) struct Response {
    /// The length its body has to have, if that is known.
    expected: Option<usize>,
    length: usize,
    state: State,
}

#[derive(Clone)]
enum State {
    Head(Vec<u8>),
    /// Bytes of a body with a `Content-Length` that are still to come.
    Fixed(usize),
    /// The line with the size of a chunk (section 7.1).
    Size(Vec<u8>),
    /// Bytes of a chunk that are still to come, with the line end after it.
    Chunk(usize),
    /// A line after the last chunk.
    Trailer(Vec<u8>),
    Complete,
}

impl Response {
    pub(super) fn new(expected: Option<usize>) -> Self {
        Self {
            expected,
            length: 0,
            state: State::Head(Vec::new()),
        }
    }

    fn take(&mut self, mut received: &[u8]) -> Result<bool> {
        while !received.is_empty() {
            received = self.step(received)?;
            if matches!(self.state, State::Complete) {
                if !received.is_empty() {
                    bail!("there is something after the response");
                }
                if self.expected.is_some_and(|length| length != self.length) {
                    bail!("the body has {} bytes", self.length);
                }
                *self = Self::new(self.expected);
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Takes a part of what has come; returns the rest.
    fn step<'a>(&mut self, received: &'a [u8]) -> Result<&'a [u8]> {
        match &mut self.state {
            State::Head(head) => {
                let Some(rest) = take_until(head, received, b"\r\n\r\n", HEAD_MAX)? else {
                    return Ok(&[]);
                };
                (self.state, self.length) = after_head(head)?;
                Ok(rest)
            }
            State::Fixed(left) => {
                let (_, rest) = received.split_at(received.len().min(*left));
                *left -= received.len() - rest.len();
                if *left == 0 {
                    self.state = State::Complete;
                }
                Ok(rest)
            }
            State::Size(line) => {
                let Some(rest) = take_until(line, received, b"\r\n", LINE_MAX)? else {
                    return Ok(&[]);
                };
                let size = chunk_size(line)?;
                self.length += size;
                self.state = match size {
                    0 => State::Trailer(Vec::new()),
                    _ => State::Chunk(size + b"\r\n".len()),
                };
                Ok(rest)
            }
            State::Chunk(left) => {
                let (_, rest) = received.split_at(received.len().min(*left));
                *left -= received.len() - rest.len();
                if *left == 0 {
                    self.state = State::Size(Vec::new());
                }
                Ok(rest)
            }
            State::Trailer(line) => {
                let Some(rest) = take_until(line, received, b"\r\n", LINE_MAX)? else {
                    return Ok(&[]);
                };
                self.state = match line.as_slice() {
                    b"\r\n" => State::Complete,
                    _ => State::Trailer(Vec::new()),
                };
                Ok(rest)
            }
            State::Complete => Ok(received),
        }
    }
}

/// Moves bytes to `kept` until that ends with `end`; returns the rest, or none
/// if the end has not come.
fn take_until<'a>(
    kept: &mut Vec<u8>,
    received: &'a [u8],
    end: &[u8],
    limit: usize,
) -> Result<Option<&'a [u8]>> {
    // The end may have begun in what came before.
    let from = kept.len().saturating_sub(end.len() - 1);
    let before = kept.len();
    kept.extend_from_slice(received);
    let tail = kept.get(from..).unwrap_or_default();
    let Some(found) = tail.windows(end.len()).position(|window| window == end) else {
        if kept.len() > limit {
            bail!("the head or a line of the response is endless");
        }
        return Ok(None);
    };
    let length = from + found + end.len();
    kept.truncate(length);
    Ok(received.get(length - before..))
}

/// What follows a head, and the length of the body if that is said.
fn after_head(head: &[u8]) -> Result<(State, usize)> {
    let head = std::str::from_utf8(head).context("the head is not text")?;
    let status = head.lines().next().unwrap_or_default();
    if !status.starts_with("HTTP/1.1 200") {
        bail!("the answer is {status}");
    }
    for line in head.lines().skip(1) {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        if name.eq_ignore_ascii_case("content-length") {
            let length: usize = value.trim().parse().context("no Content-Length")?;
            let state = match length {
                0 => State::Complete,
                _ => State::Fixed(length),
            };
            return Ok((state, length));
        }
        if name.eq_ignore_ascii_case("transfer-encoding") {
            return Ok((State::Size(Vec::new()), 0));
        }
    }
    bail!("a response without a length")
}

fn chunk_size(line: &[u8]) -> Result<usize> {
    let text = std::str::from_utf8(line).context("the size of a chunk is not text")?;
    let digits = text.split([';', '\r']).next().unwrap_or_default();
    usize::from_str_radix(digits.trim(), 16).context("the size of a chunk is no number")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many responses are complete if the bytes come in pieces of `size`.
    fn completed(bytes: &[u8], size: usize, expected: Option<usize>) -> usize {
        let mut response = Response::new(expected);
        let pieces = bytes.chunks(size);
        pieces.filter(|piece| response.take(piece).unwrap()).count()
    }

    #[test]
    fn a_response_is_complete_however_it_is_cut() {
        let fixed = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
        let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
            a\r\n0123456789\r\n5;x=y\r\nhello\r\n0\r\nt: v\r\n\r\n";
        for size in 1..chunked.len() + 1 {
            assert_eq!(completed(fixed, size, Some(5)), 1, "{size}");
            assert_eq!(completed(chunked, size, Some(15)), 1, "{size}");
        }
        let twice = [&fixed[..], &fixed[..]].concat();
        assert_eq!(completed(&twice, fixed.len(), Some(5)), 2);
    }

    #[test]
    fn a_wrong_answer_is_an_error() {
        let take = |bytes: &[u8]| Response::new(Some(4)).take(bytes);
        assert!(take(b"HTTP/1.1 500 Oh\r\ncontent-length: 4\r\n\r\nfour").is_err());
        assert!(take(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello").is_err());
        assert!(take(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfour!").is_err());
        let mut exact = Answer::exactly(b"hello".to_vec());
        assert!(!exact.take(b"hel").unwrap());
        assert!(exact.take(b"lo").unwrap());
        assert!(exact.take(b"hullo").is_err());
    }
}
