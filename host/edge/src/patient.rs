//! Clients that take nothing of what is there for them. As long as the system's
//! buffers are full nobody looks at the response, which may long be over: without
//! this, a client could hold a connection for as long as it likes.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use crate::http::Ending;

/// How long a client has taken nothing. Owns a timer only while that is so.
#[derive(Default)]
pub(crate) struct Patience(Option<Pin<Box<Sleep>>>);

impl Patience {
    /// What came of writing: an error once that waits for longer than this, unless
    /// it is 0.
    pub(crate) fn check<T>(
        &mut self,
        context: &mut Context<'_>,
        patience_ms: u64,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.0 = None;
            return written;
        }
        if patience_ms == 0 {
            return Poll::Pending;
        }
        let waits = self
            .0
            .get_or_insert_with(|| Box::pin(sleep(Duration::from_millis(patience_ms))));
        ready!(waits.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

/// The bytes of an HTTP connection, which breaks when its client takes none of
/// them for too long.
pub(crate) struct Patient<S> {
    stream: S,
    ending: Rc<Ending>,
    patience: Patience,
}

impl<S> Patient<S> {
    /// Waits as long as the plugin of the last request allows.
    pub(crate) fn new(stream: S, ending: Rc<Ending>) -> Self {
        Self {
            stream,
            ending,
            patience: Patience::default(),
        }
    }

    fn written<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let patience_ms = self.ending.patience_ms.get();
        self.patience.check(context, patience_ms, written)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.written(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.written(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.written(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
