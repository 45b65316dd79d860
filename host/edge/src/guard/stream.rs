//! A client's bytes on their way to hyper.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead, ReadBuf};

use super::Guard;
use crate::stream::{Begun, Stream, writes_to};

/// What no request has. hyper looks at a head when it has come to its end.
const NONSENSE: &[u8] = b"\0\r\n\r\n";

/// A connection that is read by hyper, with the guard before it.
pub(crate) struct Guarded {
    begun: Begun,
    guard: Guard,
    /// Whether hyper has been told that the request is none.
    told: bool,
}

impl Guarded {
    pub(crate) fn new(begun: Begun) -> Self {
        Self {
            begun,
            guard: Guard::new(),
            told: false,
        }
    }

    /// The connection, and what was read of it and not passed on.
    pub(crate) fn into_parts(self) -> (Stream, Bytes) {
        (self.begun.stream, self.begun.first)
    }
}

impl AsyncRead for Guarded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.guard.is_broken() {
            if !std::mem::replace(&mut self.told, true) {
                let len = NONSENSE.len().min(buffer.remaining());
                buffer.put_slice(NONSENSE.get(..len).unwrap_or_default());
            }
            return Poll::Ready(Ok(()));
        }
        if self.guard.is_held() {
            // The answer to the handshake goes on, or ends the connection.
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.begun).poll_read(context, buffer))?;
        let read = buffer.filled().get(before..).unwrap_or_default();
        let passed = self.guard.pass(read);
        if passed == read.len() {
            return Poll::Ready(Ok(()));
        }
        let rest = read.get(passed..).unwrap_or_default();
        if self.guard.is_held() {
            self.begun.first = [rest, &self.begun.first].concat().into();
        }
        buffer.set_filled(before + passed);
        match passed {
            // Nothing would be the end.
            0 => self.poll_read(context, buffer),
            _ => Poll::Ready(Ok(())),
        }
    }
}

writes_to!(Guarded, begun);
