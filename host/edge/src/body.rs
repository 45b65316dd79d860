//! Bodies that stream, held against a limit.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use holdfast_core::event::{Body, BodyError};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;

/// A request's body is larger than the plugin allows.
#[derive(Debug, thiserror::Error)]
#[error("the body is larger than {0} bytes")]
pub(crate) struct TooLarge(u64);

/// Whether a body of unknown length has turned out to be too large.
#[derive(Clone, Debug, Default)]
pub(crate) struct Overflow(Arc<AtomicBool>);

impl Overflow {
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// A response's body that breaks off when the request turns out too large:
    /// the client then sees that the exchange has failed.
    pub(crate) fn guard(self, body: Body) -> Body {
        Guarded {
            body,
            overflow: self,
        }
        .boxed_unsync()
    }
}

/// The request's body for the guest. With it comes an [`Overflow`] if its length
/// is not known beforehand.
pub(crate) fn limited(
    body: Incoming,
    bytes_max: u64,
) -> Result<(Body, Option<Overflow>), TooLarge> {
    if body.is_end_stream() {
        return Ok((Body::default(), None));
    }
    match body.size_hint().exact() {
        Some(len) if len > bytes_max => Err(TooLarge(bytes_max)),
        // The protocol itself sees to it that no more comes than announced.
        Some(_) => Ok((body.map_err(BodyError::from).boxed_unsync(), None)),
        None => {
            let overflow = Overflow::default();
            let limited = Limited {
                body,
                bytes_left: bytes_max,
                bytes_max,
                overflow: overflow.clone(),
            };
            Ok((limited.boxed_unsync(), Some(overflow)))
        }
    }
}

struct Limited {
    body: Incoming,
    bytes_left: u64,
    bytes_max: u64,
    overflow: Overflow,
}

impl http_body::Body for Limited {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = match ready!(Pin::new(&mut self.body).poll_frame(context)) {
            Some(Ok(frame)) => frame,
            Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
            None => return Poll::Ready(None),
        };
        let len = frame.data_ref().map_or(0, Bytes::len) as u64;
        match self.bytes_left.checked_sub(len) {
            Some(left) => {
                self.bytes_left = left;
                Poll::Ready(Some(Ok(frame)))
            }
            None => {
                self.overflow.0.store(true, Ordering::Relaxed);
                Poll::Ready(Some(Err(TooLarge(self.bytes_max).into())))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

struct Guarded {
    body: Body,
    overflow: Overflow,
}

impl http_body::Body for Guarded {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if self.overflow.is_set() {
            return Poll::Ready(Some(Err("the request's body is too large".into())));
        }
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
