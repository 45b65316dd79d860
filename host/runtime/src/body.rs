//! Bodies on their way between the edge and a guest.

mod gather;

use std::pin::Pin;
use std::task::{Context, Poll};

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
