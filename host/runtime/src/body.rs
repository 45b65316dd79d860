//! Bodies on their way between the edge and a guest.

mod gather;

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use holdfast_core::event::{Body as EdgeBody, BodyError};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use wasmtime_wasi_http::{Error, WasiBody};

pub(crate) use gather::{Gathered, gather};

/// A request's body for a guest.
pub(crate) fn to_guest(body: EdgeBody) -> WasiBody {
    body.map_err(|error| Error::InternalError(Some(error.to_string())))
        .boxed_unsync()
}

/// A response's body from a guest.
fn from_guest(body: WasiBody) -> EdgeBody {
    body.map_err(|error| Box::new(error) as BodyError)
        .boxed_unsync()
}

/// A body that holds something as long as it is wanted.
pub(crate) struct Held<T> {
    inner: EdgeBody,
    _held: T,
}

impl<T> Held<T> {
    pub(crate) fn new(inner: EdgeBody, held: T) -> Self {
        Self { inner, _held: held }
    }
}

/// A body that does not end like a complete one when its guest has failed. The
/// library lets it: what is left when a store goes is an end without an error.
pub(crate) struct Checked {
    inner: WasiBody,
    has_failed: Arc<AtomicBool>,
}

impl Checked {
    pub(crate) fn new(inner: WasiBody, has_failed: Arc<AtomicBool>) -> Self {
        Self { inner, has_failed }
    }
}

impl Body for Checked {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(context));
        if frame.is_none() && self.has_failed.swap(false, Ordering::Relaxed) {
            let text = "the guest has failed".into();
            return Poll::Ready(Some(Err(Error::InternalError(Some(text)))));
        }
        Poll::Ready(frame)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl<T: Unpin> Body for Held<T> {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        Pin::new(&mut self.inner).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_of_a_guest_that_fails_is_not_complete() {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let runtime = runtime.unwrap();
        for failed in [false, true] {
            let has_failed = Arc::new(AtomicBool::new(failed));
            let empty = http_body_util::Empty::new().map_err(|never| match never {});
            let body = Checked::new(empty.boxed_unsync(), has_failed);
            assert!(!body.is_end_stream());
            assert_eq!(runtime.block_on(body.collect()).is_err(), failed);
        }
    }
}
