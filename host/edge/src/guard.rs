//! Looks at each request before hyper does, and is stricter than it.
//!
//! hyper takes some forms which RFC 9112 lets a lenient server take: lines that
//! end with a bare LF, a Content-Length beside a Transfer-Encoding. Two programs
//! in a row that read such a request differently see different requests
//! (*request smuggling*), and we are seldom alone: so whatever is not plain gets
//! 400, and the connection is closed.
//!
//! One request is passed on at a time: those which a client has sent behind it
//! wait for their turn, one of all clients of the loop after the other, so that
//! who sends thousands at once keeps nobody waiting who sends one.
//!
//! Only the framing is looked at: what is a line, where a message ends. When it
//! is not plain, hyper is given nonsense in place of what comes next, and then
//! nothing more, so that the one parser there is refuses the request and gives
//! the one answer. Methods, targets and fields are hyper's business.
//!
//! ```text
//!            ┌──────────── CRLF CRLF, no body ───────────┐
//!            ▼                                           │
//!  bytes ─► head ──┬── length ──► body ──── all of it ───┤
//!                  ├── chunked ─► size, data, …, trailers┘
//!                  └── upgrade ─► held: no HTTP comes behind it
//! ```

mod chunked;
mod head;
mod stream;

use chunked::Chunked;
use head::{Head, Next};
pub(crate) use stream::Guarded;

/// It is not plain where a request begins or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unclear;

/// Follows the requests of one connection.
#[derive(Debug)]
pub(crate) struct Guard {
    state: State,
    /// What was seen of the head that is arriving.
    head: Head,
    is_between: bool,
}

#[derive(Debug)]
enum State {
    Head,
    /// Bytes of a body that are still to come.
    Body(u64),
    Chunked(Chunked),
    /// A WebSocket handshake was passed on: what follows it is no HTTP.
    Held,
    /// Nothing more is passed on.
    Broken,
}

impl Guard {
    /// For a connection on which no request has come yet.
    pub(crate) fn new() -> Self {
        Self {
            state: State::Head,
            head: Head::default(),
            is_between: false,
        }
    }

    /// How many of the next bytes can be passed on, up to the end of one request.
    /// None if there is nothing that can be, for ever.
    pub(crate) fn pass(&mut self, bytes: &[u8]) -> usize {
        let mut passed = 0;
        self.is_between = false;
        while let Some(rest) = bytes.get(passed..)
            && !rest.is_empty()
            && !self.is_between
        {
            let before = passed;
            match self.step(rest) {
                Ok(used) => passed += used,
                Err((used, Unclear)) => {
                    passed += used;
                    self.state = State::Broken;
                }
            }
            if passed == before {
                break;
            }
        }
        passed
    }

    /// Whether what was passed on last was the end of a request.
    pub(crate) fn is_between(&self) -> bool {
        self.is_between
    }

    /// Whether a WebSocket handshake was passed on, and what follows it is not.
    pub(crate) fn is_held(&self) -> bool {
        matches!(self.state, State::Held)
    }

    /// Whether hyper has to be told that the request is none.
    pub(crate) fn is_broken(&self) -> bool {
        matches!(self.state, State::Broken)
    }

    /// Takes some of the bytes, none if nothing more may be passed on.
    fn step(&mut self, bytes: &[u8]) -> Result<usize, (usize, Unclear)> {
        match &mut self.state {
            State::Held | State::Broken => Ok(0),
            State::Head => {
                let (used, next) = self.head.take(bytes)?;
                match next {
                    None => {}
                    Some(Next::Head) => self.is_between = true,
                    Some(Next::Body(len)) => self.state = State::Body(len),
                    Some(Next::Chunked) => self.state = State::Chunked(Chunked::default()),
                    Some(Next::Nothing) => self.state = State::Held,
                }
                Ok(used)
            }
            State::Body(left) => {
                let used = bytes
                    .len()
                    .min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= used as u64;
                if *left == 0 {
                    self.state = State::Head;
                    self.is_between = true;
                }
                Ok(used)
            }
            State::Chunked(chunked) => {
                let (used, is_over) = chunked.take(bytes)?;
                if is_over {
                    self.state = State::Head;
                    self.is_between = true;
                }
                Ok(used)
            }
        }
    }
}

#[cfg(test)]
mod tests;
