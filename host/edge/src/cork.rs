//! Small responses of HTTP/1.1 that wait for the end of the round of tasks in
//! which they were made, and are then written one after the other by
//! [`crate::outbox`], as frames are: clients are woken together, instead of one
//! by one between two handlers.
//!
//! The first of a round is written at once, since there may be no other.

use std::cell::{Cell, RefCell};
use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker, ready};
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::event_loop::Ticket;
use crate::stream::Stream;

/// A response that is larger gains nothing: its bytes cost more than the call.
const HELD_BYTES_MAX: usize = 4 << 10;

/// A connection of which small writes are held back.
pub(crate) struct Corked {
    cork: Rc<Cork>,
    event_loop: Ticket,
}

/// What the connection's task and the loop's outbox share of it.
pub(crate) struct Cork {
    stream: RefCell<Stream>,
    /// What waits to be written; owns no memory when that is nothing.
    held: RefCell<Vec<u8>>,
    state: Cell<State>,
    /// Of the task, while the outbox has something to write for it.
    waker: Cell<Option<Waker>>,
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

impl Corked {
    pub(crate) fn new(stream: Stream, event_loop: Ticket) -> Self {
        let cork = Cork {
            stream: RefCell::new(stream),
            held: RefCell::default(),
            state: Cell::new(State::Waits),
            waker: Cell::default(),
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
    pub(crate) async fn release(self) -> io::Result<Stream> {
        std::future::poll_fn(|context| self.cork.poll_write_held(context)).await?;
        // The outbox has weak references to it only.
        let cork = Rc::into_inner(self.cork).ok_or(ErrorKind::NotConnected)?;
        Ok(cork.stream.into_inner())
    }

    /// Holds these bytes back, if they may wait.
    fn hold(&self, context: &Context<'_>, slices: &[IoSlice<'_>]) -> Option<usize> {
        let len = slices.iter().map(|slice| slice.len()).sum::<usize>();
        let mut held = self.cork.held.borrow_mut();
        if held.len() + len > HELD_BYTES_MAX || !self.event_loop.enter_round() {
            return None;
        }
        if held.is_empty() {
            self.cork.waker.set(Some(context.waker().clone()));
            self.event_loop.uncork_later(Rc::downgrade(&self.cork));
        }
        slices
            .iter()
            .for_each(|slice| held.extend_from_slice(slice));
        drop(held);
        self.event_loop.write_if_late(Instant::now());
        Some(len)
    }

    fn poll_write_slices(
        &self,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.cork.state.get() != State::Waits {
            ready!(self.cork.poll_write_held(context))?;
        }
        if let Some(len) = self.hold(context, slices) {
            return Poll::Ready(Ok(len));
        }
        ready!(self.cork.poll_write_held(context))?;
        let mut stream = self.cork.stream.borrow_mut();
        match slices {
            [slice] => Pin::new(&mut *stream).poll_write(context, slice),
            _ => Pin::new(&mut *stream).poll_write_vectored(context, slices),
        }
    }
}

impl Cork {
    /// Writes what is held, at the end of a round.
    pub(crate) fn uncork(&self) {
        // The task registers its own waker when it finds the socket full.
        let mut context = Context::from_waker(Waker::noop());
        let written = self.poll_write_held(&mut context);
        let waker = self.waker.take();
        if !matches!(written, Poll::Ready(Ok(())))
            && let Some(waker) = waker
        {
            waker.wake();
        }
    }

    fn poll_write_held(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let State::Broken(kind) = self.state.get() {
            return Poll::Ready(Err(kind.into()));
        }
        let mut held = self.held.borrow_mut();
        if held.is_empty() {
            return Poll::Ready(Ok(()));
        }
        let mut stream = self.stream.borrow_mut();
        let written = write_all(&mut stream, context, &mut held);
        self.state.set(match &written {
            Poll::Ready(Ok(())) => State::Waits,
            Poll::Ready(Err(error)) => State::Broken(error.kind()),
            Poll::Pending => State::Blocked,
        });
        written
    }
}

/// Writes all of the bytes, and forgets those that are written.
fn write_all(
    stream: &mut Stream,
    context: &mut Context<'_>,
    bytes: &mut Vec<u8>,
) -> Poll<io::Result<()>> {
    while !bytes.is_empty() {
        let written = match stream.write_now(&[IoSlice::new(bytes)]) {
            Some(written) => written?,
            None => ready!(Pin::new(&mut *stream).poll_write(context, bytes))?,
        };
        match written {
            0 => return Poll::Ready(Err(ErrorKind::WriteZero.into())),
            written if written == bytes.len() => *bytes = Vec::new(),
            written => drop(bytes.drain(..written)),
        }
    }
    stream.poll_send(context)
}

impl AsyncRead for Corked {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.cork.stream.borrow_mut()).poll_read(context, buffer)
    }
}

impl AsyncWrite for Corked {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_slices(context, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_slices(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// What waits for the end of the round is as good as flushed, unless the
    /// socket is full: then its task waits until it has taken all.
    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.cork.state.get() != State::Waits {
            return self.cork.poll_write_held(context);
        }
        match self.cork.held.borrow().is_empty() {
            true => self.cork.stream.borrow_mut().poll_send(context),
            false => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.cork.poll_write_held(context))?;
        Pin::new(&mut *self.cork.stream.borrow_mut()).poll_shutdown(context)
    }
}

/// One that the outbox has to look at.
pub(crate) type Due = Weak<Cork>;
