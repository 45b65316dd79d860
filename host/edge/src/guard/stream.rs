//! A client's bytes on their way to hyper.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::sync::Semaphore;

use super::Guard;
use crate::cork::Corked;
use crate::stream::{Begun, writes_to};

/// What no request has. hyper looks at a head when it has come to its end.
const NONSENSE: &[u8] = b"\0\r\n\r\n";

/// A connection that is read by hyper, with the guard before it.
pub(crate) struct Guarded {
    begun: Begun<Corked>,
    guard: Guard,
    /// Whether hyper has been told that the request is none.
    told: bool,
    /// Gives turns to the clients of the loop which have sent several requests at
    /// once.
    turns: Arc<Semaphore>,
    /// While one waits for its turn.
    turn: Option<Turn>,
}

type Turn = Pin<Box<dyn Future<Output = ()>>>;

/// Waits until it is the turn of one more request. One of them begins, and the
/// system is asked for other clients' input, before the next does.
async fn turn(turns: Arc<Semaphore>) {
    // It is never closed.
    let turn = turns.acquire().await;
    tokio::task::yield_now().await;
    drop(turn);
}

impl Guarded {
    pub(crate) fn new(begun: Begun<Corked>, turns: &Arc<Semaphore>) -> Self {
        Self {
            begun,
            guard: Guard::new(),
            told: false,
            turns: Arc::clone(turns),
            turn: None,
        }
    }

    /// The connection, and what was read of it and not passed on.
    pub(crate) fn into_parts(self) -> (Corked, Bytes) {
        (self.begun.stream, self.begun.first)
    }
}

impl Guarded {
    /// Reads from the client; keeps what can't be passed on yet. Says how much is
    /// passed on, if this is not the end.
    fn poll_read_more(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Option<usize>>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.begun.stream).poll_read(context, buffer))?;
        let read = buffer.filled().get(before..).unwrap_or_default();
        if read.is_empty() {
            return Poll::Ready(Ok(None));
        }
        let passed = self.guard.pass(read);
        let rest = read.get(passed..).unwrap_or_default();
        self.begun.first = Bytes::copy_from_slice(rest);
        buffer.set_filled(before + passed);
        Poll::Ready(Ok(Some(passed)))
    }

    /// Reads from what is there already. A request that came together with the one
    /// before it waits for its turn.
    fn poll_read_first(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Option<usize>> {
        if self.guard.is_between() {
            let turns = &self.turns;
            let turn = self
                .turn
                .get_or_insert_with(|| Box::pin(turn(Arc::clone(turns))));
            ready!(turn.as_mut().poll(context));
            self.turn = None;
        }
        let len = self.begun.first.len().min(buffer.remaining());
        let bytes = self.begun.first.get(..len).unwrap_or_default();
        let passed = self.guard.pass(bytes);
        buffer.put_slice(bytes.get(..passed).unwrap_or_default());
        self.begun.first.advance(passed);
        if self.begun.first.is_empty() {
            self.begun.first = Bytes::new();
        }
        Poll::Ready(Some(passed))
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
        let passed = match self.begun.first.is_empty() {
            true => ready!(self.poll_read_more(context, buffer))?,
            false => ready!(self.poll_read_first(context, buffer)),
        };
        match passed {
            // Nothing would be the end.
            Some(0) => self.poll_read(context, buffer),
            _ => Poll::Ready(Ok(())),
        }
    }
}

writes_to!(Guarded, begun);
