//! A body on its way from a guest to the host. One end is given to the engine:
//! what takes the guest's bytes, what takes what follows them, and what tells
//! the guest how it went. The other end, [`Outgoing`], is read by whoever sends
//! the message.

pub(crate) mod ends;
#[cfg(test)]
mod tests;

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use wasmtime::component::{FutureReader, Resource, StreamReader};
use wasmtime::{AsContextMut, StoreContextMut};
use wasmtime_wasi_http::Error;
use wasmtime_wasi_http::p3::bindings::http::types::{ErrorCode, Trailers};

use crate::guest::Guest;

/// Bytes which are taken from a guest before anybody asks for them. When so many
/// are waiting, its next write waits too.
const BYTES_MAX: usize = 64 << 10;

/// What follows a body's bytes, as a guest gives it.
pub(super) type Ending = FutureReader<Result<Option<Resource<Trailers>>, ErrorCode>>;

/// Tells a guest whether its message was sent.
pub(super) type Sent = FutureReader<Result<(), ErrorCode>>;

/// A guest's body as the host reads it. Dropping it has the guest's writes fail.
pub(crate) struct Outgoing(Arc<Shared>);

type Shared = Mutex<Flow>;

/// What both ends share.
#[derive(Default)]
struct Flow {
    /// Written and not yet read.
    bytes: Vec<u8>,
    length: Length,
    /// Whether all bytes are written.
    is_written: bool,
    /// What follows the bytes, when the guest has said it.
    ending: Option<Result<Option<HeaderMap>, ErrorCode>>,
    /// Where reading has come to.
    reading: Reading,
    wakers: Wakers,
}

/// What the message's Content-Length says, and what has come so far.
#[derive(Default)]
struct Length {
    declared: Option<u64>,
    written: u64,
    read: u64,
    /// The error for a body of another length.
    mismatch: Option<fn(Option<u64>) -> ErrorCode>,
}

#[derive(Clone, Debug, Default)]
enum Reading {
    #[default]
    Open,
    /// To its end.
    Done,
    /// The guest has written something else than it said.
    Failed(ErrorCode),
    /// Nobody reads any more.
    GivenUp,
}

/// Who waits for the other end.
#[derive(Default)]
struct Wakers {
    reader: Option<Waker>,
    writer: Option<Waker>,
    witness: Option<Waker>,
}

/// A body that a guest has just given to the host with a message.
pub(super) struct Made {
    pub(super) contents: Option<StreamReader<u8>>,
    pub(super) ending: Ending,
    /// What the header fields say.
    pub(super) length: Option<u64>,
    /// The error for a body of another length.
    pub(super) mismatch: fn(Option<u64>) -> ErrorCode,
}

/// The ends of a body which belong to the guest's side.
pub(super) struct Ends {
    pub(super) writer: Option<ends::Writer>,
    pub(super) closer: ends::Closer,
    pub(super) witness: ends::Witness,
}

impl Outgoing {
    /// Begins to take the body.
    pub(super) fn new(
        mut store: StoreContextMut<'_, Guest>,
        made: Made,
    ) -> wasmtime::Result<(Self, Sent)> {
        let (body, ends) = Self::open(made.contents.is_some(), made.length, made.mismatch);
        if let (Some(contents), Some(writer)) = (made.contents, ends.writer) {
            contents.pipe(store.as_context_mut(), writer)?;
        }
        made.ending.pipe(store.as_context_mut(), ends.closer)?;
        let sent = FutureReader::new(store, ends.witness)?;
        Ok((body, sent))
    }

    /// A body and its other ends.
    pub(super) fn open(
        has_contents: bool,
        length: Option<u64>,
        mismatch: fn(Option<u64>) -> ErrorCode,
    ) -> (Self, Ends) {
        let flow = Flow {
            length: Length {
                // Without contents it is the length of something else, such as
                // what GET would have got where this answers HEAD.
                declared: length.filter(|_| has_contents),
                mismatch: Some(mismatch),
                ..Length::default()
            },
            is_written: !has_contents,
            ..Flow::default()
        };
        let shared = Arc::new(Mutex::new(flow));
        let ends = Ends {
            writer: has_contents.then(|| ends::Writer(Arc::clone(&shared))),
            closer: ends::Closer(Some(Arc::clone(&shared))),
            witness: ends::Witness(Arc::clone(&shared)),
        };
        (Self(shared), ends)
    }

    /// The whole body, if it has come to its end and nothing of it was read.
    pub(crate) fn take_whole(&mut self) -> Option<Bytes> {
        let mut flow = lock(&self.0);
        let is_whole = flow.is_written && flow.length.read == 0;
        if !is_whole || !matches!(flow.ending, Some(Ok(None))) || flow.has_failed() {
            return None;
        }
        flow.ending = None;
        flow.reading = Reading::Done;
        let bytes = std::mem::take(&mut flow.bytes);
        let witness = flow.wakers.witness.take();
        drop(flow);
        wake(witness);
        Some(bytes.into())
    }
}

impl Flow {
    fn has_failed(&self) -> bool {
        matches!(self.reading, Reading::Failed(_))
    }

    /// How much of what is offered may be written now. None if it would be more
    /// than the guest said.
    fn room(&mut self, offered: usize) -> Option<usize> {
        let room = offered.min(BYTES_MAX.saturating_sub(self.bytes.len()));
        let written = self.length.written.saturating_add(room as u64);
        if self.length.declared.is_some_and(|length| written > length) {
            self.fail(written);
            return None;
        }
        self.length.written = written;
        Some(room)
    }

    fn end(&mut self) {
        self.is_written = true;
        let written = self.length.written;
        if self.length.declared.is_some_and(|length| written != length) {
            self.fail(written);
        }
    }

    fn fail(&mut self, written: u64) {
        if let (Reading::Open, Some(mismatch)) = (&self.reading, self.length.mismatch) {
            self.reading = Reading::Failed(mismatch(Some(written)));
        }
    }

    /// The next frame for the reader.
    fn next(&mut self) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if !self.bytes.is_empty() {
            let bytes = std::mem::take(&mut self.bytes);
            self.length.read = self.length.read.saturating_add(bytes.len() as u64);
            return Poll::Ready(Some(Ok(Frame::data(bytes.into()))));
        }
        match &self.reading {
            Reading::Open => {}
            Reading::Failed(code) => return Poll::Ready(Some(Err(code.clone().into()))),
            Reading::Done | Reading::GivenUp => return Poll::Ready(None),
        }
        if !self.is_written {
            return Poll::Pending;
        }
        let Some(ending) = self.ending.take() else {
            return Poll::Pending;
        };
        self.reading = Reading::Done;
        Poll::Ready(match ending {
            Ok(None) => None,
            Ok(Some(trailers)) => Some(Ok(Frame::trailers(trailers))),
            Err(code) => {
                self.reading = Reading::Failed(code.clone());
                Some(Err(code.into()))
            }
        })
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let mut flow = lock(&self.0);
        let next = flow.next();
        if next.is_pending() {
            flow.wakers.reader = Some(context.waker().clone());
            return next;
        }
        let writer = flow.wakers.writer.take();
        let witness = flow.wakers.witness.take();
        drop(flow);
        wake(writer);
        wake(witness);
        next
    }

    fn is_end_stream(&self) -> bool {
        let flow = lock(&self.0);
        match flow.reading {
            Reading::Open => {
                flow.bytes.is_empty() && flow.is_written && matches!(flow.ending, Some(Ok(None)))
            }
            Reading::Done => true,
            Reading::Failed(_) | Reading::GivenUp => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        let length = &lock(&self.0).length;
        match length.declared {
            Some(declared) => SizeHint::with_exact(declared.saturating_sub(length.read)),
            None => SizeHint::default(),
        }
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        let mut flow = lock(&self.0);
        if let Reading::Open = flow.reading {
            flow.reading = Reading::GivenUp;
        }
        let writer = flow.wakers.writer.take();
        let witness = flow.wakers.witness.take();
        drop(flow);
        wake(writer);
        wake(witness);
    }
}

fn lock(shared: &Shared) -> MutexGuard<'_, Flow> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}
