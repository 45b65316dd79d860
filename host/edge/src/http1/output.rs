//! What a connection of HTTP/1.1 has to write.
//!
//! A small response waits for the end of the round of tasks in which it was made,
//! and is then written by [`crate::outbox`], one after the other, as frames are:
//! clients are woken together, instead of one by one between two handlers. The
//! first of a round is written at once, since there may be no other.

use std::cell::{Cell, RefCell};
use std::io::{self, ErrorKind, IoSlice};
use std::os::fd::RawFd;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker, ready};
use std::time::Instant;

use bytes::{Buf, Bytes};
use tokio::io::AsyncWrite;

use crate::event_loop::Ticket;
use crate::ring::Sent;
use crate::stream::Stream;

/// A response that is larger gains nothing by waiting, and a piece of one that is
/// larger is not copied: its bytes cost more than the call.
const HELD_BYTES_MAX: usize = 4 << 10;

/// The writing side of a connection.
pub(super) struct Output {
    cork: Rc<Cork>,
    event_loop: Ticket,
}

/// What the connection's task and the loop's outbox share of it.
pub(crate) struct Cork {
    stream: RefCell<Stream>,
    waiting: RefCell<Waiting>,
    state: Cell<State>,
    /// Whether the outbox was told.
    is_due: Cell<bool>,
    /// Whether something has been written since this was asked last.
    has_moved: Cell<bool>,
    /// Of the task. Kept, since it is the same each time.
    waker: RefCell<Option<Waker>>,
}

/// Who writes what is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The outbox will, or there is nothing.
    Waits,
    /// The task: the socket was full.
    Blocked,
    /// Nobody: the socket is broken.
    Broken(ErrorKind),
}

/// What waits to be written, in this order. Owns no memory when that is nothing.
#[derive(Default)]
struct Waiting {
    small: Vec<u8>,
    large: Bytes,
    behind: &'static [u8],
}

impl Output {
    pub(super) fn new(stream: Stream, event_loop: Ticket) -> Self {
        let cork = Cork {
            stream: RefCell::new(stream),
            waiting: RefCell::default(),
            state: Cell::new(State::Waits),
            is_due: Cell::new(false),
            has_moved: Cell::new(false),
            waker: RefCell::default(),
        };
        Self {
            cork: Rc::new(cork),
            event_loop,
        }
    }

    /// The connection, when it has taken what was held.
    ///
    /// # Errors
    /// If it is broken.
    pub(super) async fn release(self) -> io::Result<Stream> {
        std::future::poll_fn(|context| self.cork.poll_flush(context)).await?;
        // The outbox has weak references to it only.
        let cork = Rc::into_inner(self.cork).ok_or(ErrorKind::NotConnected)?;
        Ok(cork.stream.into_inner())
    }

    /// Reads once, and hands what was read to `take`, also if that is nothing.
    pub(super) fn poll_read<T>(
        &self,
        context: &mut Context<'_>,
        take: impl FnOnce(&[u8]) -> T,
    ) -> Poll<io::Result<T>> {
        let mut stream = self.cork.stream.borrow_mut();
        self.event_loop.poll_read(context, &mut stream, take)
    }

    /// Adds to what is to be written.
    pub(super) fn add<T>(&self, add: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        let mut waiting = self.cork.waiting.borrow_mut();
        debug_assert!(!waiting.has_piece(), "it would come before that");
        add(&mut waiting.small)
    }

    /// Adds a piece of a body, and what comes behind it. Before anything else is
    /// added, it has to be looked whether this [is full](Self::is_full).
    pub(super) fn add_piece(&self, piece: Bytes, behind: &'static [u8]) {
        let mut waiting = self.cork.waiting.borrow_mut();
        debug_assert!(!waiting.has_piece(), "it would come before that");
        if piece.len() <= HELD_BYTES_MAX {
            waiting.small.extend_from_slice(&piece);
            waiting.small.extend_from_slice(behind);
        } else {
            waiting.large = piece;
            waiting.behind = behind;
        }
    }

    /// Whether something has to be written before more is added.
    pub(super) fn is_full(&self) -> bool {
        self.cork.waiting.borrow().is_full()
    }

    /// Whether the socket was full when something was written last, or is broken.
    pub(super) fn is_blocked(&self) -> bool {
        self.cork.state.get() != State::Waits
    }

    /// Whether something has been written since this was asked last.
    pub(super) fn has_moved(&self) -> bool {
        self.cork.has_moved.replace(false)
    }

    /// Writes all there is.
    pub(super) fn poll_flush(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.cork.poll_flush(context)
    }

    /// There is nothing more to write for the moment. What there is may wait for
    /// the end of the round, if that is little.
    pub(super) fn poll_pause(
        &self,
        context: &mut Context<'_>,
        now: Instant,
    ) -> Poll<io::Result<()>> {
        let cork = &self.cork;
        if self.is_blocked() || self.is_full() {
            return cork.poll_flush(context);
        }
        if cork.waiting.borrow().small.is_empty() {
            return cork.stream.borrow_mut().poll_send(context);
        }
        if cork.is_due.get() {
            return Poll::Ready(Ok(()));
        }
        if !self.event_loop.enter_round() {
            return cork.poll_flush(context);
        }
        match &mut *cork.waker.borrow_mut() {
            Some(known) => known.clone_from(context.waker()),
            none => *none = Some(context.waker().clone()),
        }
        cork.is_due.set(true);
        self.event_loop.uncork_later(Rc::downgrade(cork));
        self.event_loop.write_if_late(now);
        Poll::Ready(Ok(()))
    }
}

impl Cork {
    /// Writes what is held, at the end of a round.
    pub(crate) fn uncork(&self) {
        self.is_due.set(false);
        // The task registers its own waker when it finds the socket full.
        let mut context = Context::from_waker(Waker::noop());
        if !matches!(self.poll_flush(&mut context), Poll::Ready(Ok(())))
            && let Some(waker) = &*self.waker.borrow()
        {
            waker.wake_by_ref();
        }
    }

    /// What is held, for whoever sends it together with others, and the socket. None
    /// if that is no way. It is to be [given back](Self::settle) at once.
    pub(crate) fn lend(&self) -> Option<(RawFd, Vec<u8>)> {
        let mut waiting = self.waiting.borrow_mut();
        if self.state.get() != State::Waits || waiting.has_piece() || waiting.small.is_empty() {
            return None;
        }
        let socket = self.stream.borrow().tcp_socket()?;
        Some((socket, std::mem::take(&mut waiting.small)))
    }

    /// Takes back what was lent, and goes on with what was not sent of it.
    pub(crate) fn settle(&self, mut lent: Vec<u8>, sent: Sent) {
        if let Some(Ok(len)) = sent {
            self.has_moved.set(true);
            if len == lent.len() {
                self.is_due.set(false);
                return;
            }
            lent.drain(..len.min(lent.len()));
        }
        self.waiting.borrow_mut().small = lent;
        self.uncork();
    }

    fn poll_flush(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let State::Broken(kind) = self.state.get() {
            return Poll::Ready(Err(kind.into()));
        }
        let mut stream = self.stream.borrow_mut();
        let written = self.write_all(&mut stream, context);
        self.state.set(match &written {
            Poll::Ready(Ok(())) => State::Waits,
            Poll::Ready(Err(error)) => State::Broken(error.kind()),
            Poll::Pending => State::Blocked,
        });
        written
    }

    fn write_all(&self, stream: &mut Stream, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut waiting = self.waiting.borrow_mut();
        while !waiting.is_empty() {
            let written = match ready!(waiting.poll_write(stream, context))? {
                0 => return Poll::Ready(Err(ErrorKind::WriteZero.into())),
                written => written,
            };
            self.has_moved.set(true);
            waiting.advance(written);
        }
        stream.poll_send(context)
    }
}

impl Waiting {
    fn is_empty(&self) -> bool {
        self.small.is_empty() && !self.has_piece()
    }

    fn is_full(&self) -> bool {
        self.small.len() > HELD_BYTES_MAX || self.has_piece()
    }

    /// Whether something of a piece is left, if only what comes behind it.
    fn has_piece(&self) -> bool {
        !self.large.is_empty() || !self.behind.is_empty()
    }

    fn poll_write(
        &self,
        stream: &mut Stream,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        if !self.has_piece() {
            return match stream.write_now(&[IoSlice::new(&self.small)]) {
                Some(written) => Poll::Ready(written),
                None => Pin::new(stream).poll_write(context, &self.small),
            };
        }
        let slices = [&self.small, &self.large[..], self.behind].map(IoSlice::new);
        match stream.write_now(&slices) {
            Some(written) => Poll::Ready(written),
            None => Pin::new(stream).poll_write_vectored(context, &slices),
        }
    }

    /// Forgets what is written.
    fn advance(&mut self, written: usize) {
        let small = written.min(self.small.len());
        match small == self.small.len() {
            true => self.small = Vec::new(),
            false => drop(self.small.drain(..small)),
        }
        let large = (written - small).min(self.large.len());
        self.large.advance(large);
        if self.large.is_empty() {
            self.large = Bytes::new();
        }
        let behind = written - small - large;
        self.behind = self.behind.get(behind..).unwrap_or_default();
    }
}

/// One that the outbox has to look at.
pub(crate) type Due = Weak<Cork>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_forgotten_in_its_order() {
        let mut waiting = Waiting {
            small: b"ab".to_vec(),
            large: Bytes::from_static(b"cde"),
            behind: b"\r\n",
        };
        for (written, left) in [(1, "bcde\r\n"), (2, "de\r\n"), (3, "\n"), (1, "")] {
            waiting.advance(written);
            let all = [&waiting.small, &waiting.large[..], waiting.behind].concat();
            assert_eq!(all, left.as_bytes());
            assert_eq!(waiting.is_empty(), left.is_empty());
            // Nothing may be added before any of it.
            assert_eq!(waiting.is_full(), !left.is_empty());
        }
    }
}
