//! Bodies on their way between the edge and a guest.

mod gather;

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use gather::gather;
use holdfast_core::event::{Body as EdgeBody, BodyError};
use http::Response;
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Full};
use tokio::sync::oneshot;
use wasmtime_wasi_http::{Error, WasiBody};

/// A request's body for a guest.
pub(crate) fn to_guest(body: EdgeBody) -> WasiBody {
    if body.is_end_stream() {
        return WasiBody::default();
    }
    body.map_err(|error| Error::InternalError(Some(error.to_string())))
        .boxed_unsync()
}

/// A body from a guest, of either version of `wasi:http`.
pub(crate) trait GuestBody:
    Body<Data = Bytes, Error = Error> + Send + Unpin + Sized + 'static
{
}

impl<B> GuestBody for B where B: Body<Data = Bytes, Error = Error> + Send + Unpin + 'static {}

/// A response's body from a guest.
fn from_guest(body: impl GuestBody) -> EdgeBody {
    body.map_err(|error| Box::new(error) as BodyError)
        .boxed_unsync()
}

/// A guest's response for the edge. The body breaks off if the guest has failed,
/// and holds the listener for as long as somebody wants more of it.
pub(crate) async fn answer(
    response: Response<impl GuestBody>,
    has_failed: Arc<AtomicBool>,
    listener: oneshot::Sender<()>,
) -> Response<EdgeBody> {
    let (head, body) = response.into_parts();
    let body = Checked {
        inner: body,
        has_failed,
        is_over: false,
        _listener: listener,
    };
    Response::from_parts(head, gather(body).await)
}

/// A body for the edge whose bytes are all there.
pub(crate) fn whole(bytes: Bytes) -> EdgeBody {
    match bytes.is_empty() {
        true => EdgeBody::default(),
        false => Full::new(bytes)
            .map_err(|never| match never {})
            .boxed_unsync(),
    }
}

/// A body that does not end like a complete one when its guest has failed. The
/// library lets it: what is left when a store goes is an end without an error.
struct Checked<B> {
    inner: B,
    /// One for all bodies of a guest.
    has_failed: Arc<AtomicBool>,
    is_over: bool,
    _listener: oneshot::Sender<()>,
}

impl<B: GuestBody> Body for Checked<B> {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(context));
        self.is_over = frame.is_none();
        if self.is_over && self.has_failed.load(Ordering::Relaxed) {
            let text = "the guest has failed".into();
            return Poll::Ready(Some(Err(Error::InternalError(Some(text)))));
        }
        Poll::Ready(frame)
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
            // All bodies of the guest break off, not the first alone.
            for _ in 0..2 {
                let empty = http_body_util::Empty::new().map_err(|never| match never {});
                let body = Checked {
                    inner: empty.boxed_unsync(),
                    has_failed: Arc::clone(&has_failed),
                    is_over: false,
                    _listener: oneshot::channel().0,
                };
                assert!(!body.is_end_stream());
                assert_eq!(runtime.block_on(body.collect()).is_err(), failed);
            }
        }
    }
}
