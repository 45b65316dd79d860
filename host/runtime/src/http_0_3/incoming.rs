//! A body on its way from the host to a guest.

use std::any::{Any, TypeId};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame};
use tokio::sync::oneshot;
use wasmtime::component::{
    Destination, FutureProducer, FutureReader, Resource, StreamProducer, StreamReader, StreamResult,
};
use wasmtime::{AsContextMut, StoreContextMut};
use wasmtime_wasi_http::p3::bindings::http::types::{ErrorCode, Trailers};
use wasmtime_wasi_http::{Error, WasiBody};

use super::View;
use super::error::code;
use super::fields::FieldMap;
use super::outgoing::Ending;
use super::outgoing::ends::Closer;
use crate::guest::Guest;

/// The stream and what follows it.
pub(super) fn read<B>(
    mut store: StoreContextMut<'_, Guest>,
    body: B,
) -> wasmtime::Result<(StreamReader<u8>, Ending)>
where
    B: Into<WasiBody>,
{
    let (incoming, tail) = Incoming::open(body.into());
    let stream = StreamReader::new(store.as_context_mut(), incoming)?;
    let ending = FutureReader::new(store, tail)?;
    Ok((stream, ending))
}

/// What comes after the last byte.
pub(crate) type End = Result<Option<HeaderMap>, Error>;

/// Gives the bytes.
pub(crate) struct Incoming {
    body: WasiBody,
    /// None when the end was told.
    end: Option<oneshot::Sender<End>>,
}

impl Incoming {
    /// The bytes of a body, and what follows them.
    pub(super) fn open(body: WasiBody) -> (Self, Tail) {
        let (sender, end) = oneshot::channel();
        let end_sender = Some(sender);
        let incoming = Self {
            body,
            end: end_sender,
        };
        (incoming, Tail(end))
    }

    /// The body of a stream which the guest hands on without reading it.
    pub(super) fn into_body(mut self) -> WasiBody {
        std::mem::take(&mut self.body)
    }

    pub(crate) fn end(&mut self, end: End) -> StreamResult {
        if let Some(sender) = self.end.take() {
            // The guest may not want to know.
            let _ = sender.send(end);
        }
        StreamResult::Dropped
    }

    /// Whether nothing follows.
    pub(crate) fn is_at_end(&self) -> bool {
        self.body.is_end_stream()
    }

    /// Bytes, or the end.
    pub(crate) fn poll_bytes(&mut self, context: &mut Context<'_>) -> Poll<Result<Bytes, End>> {
        loop {
            return Poll::Ready(match Pin::new(&mut self.body).poll_frame(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => Err(Ok(None)),
                Poll::Ready(Some(Err(error))) => Err(Err(error)),
                Poll::Ready(Some(Ok(frame))) => {
                    match frame.into_data().map_err(Frame::into_trailers) {
                        Ok(bytes) if bytes.is_empty() => continue,
                        Ok(bytes) => Ok(bytes),
                        Err(Ok(trailers)) => Err(Ok(Some(trailers))),
                        Err(Err(_)) => Err(Err(Error::HttpProtocolError)),
                    }
                }
            });
        }
    }
}

impl StreamProducer<Guest> for Incoming {
    type Item = u8;
    type Buffer = Bytes;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        mut store: StoreContextMut<'a, Guest>,
        mut destination: Destination<'a, u8, Bytes>,
        finish: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        let room = destination.remaining(store.as_context_mut());
        if room == Some(0) && self.is_at_end() {
            return Poll::Ready(Ok(self.end(Ok(None))));
        }
        let mut bytes = match self.poll_bytes(context) {
            Poll::Ready(Ok(bytes)) => bytes,
            Poll::Ready(Err(end)) => return Poll::Ready(Ok(self.end(end))),
            Poll::Pending if finish => return Poll::Ready(Ok(StreamResult::Cancelled)),
            Poll::Pending => return Poll::Pending,
        };
        // A guest that only asks whether there is something gets it with its
        // next read.
        let room = room.unwrap_or(0).min(bytes.len());
        let now = bytes.split_to(room);
        destination.set_buffer(bytes);
        if !now.is_empty() {
            let mut destination = destination.as_direct(store, now.len());
            if let Some(target) = destination.remaining().get_mut(..now.len()) {
                target.copy_from_slice(&now);
            }
            destination.mark_written(now.len());
        }
        Poll::Ready(Ok(StreamResult::Completed))
    }

    fn try_into(me: Pin<Box<Self>>, kind: TypeId) -> Result<Box<dyn Any>, Pin<Box<Self>>> {
        match kind == TypeId::of::<Self>() {
            true => {
                let me: Box<Self> = Pin::into_inner(me);
                Ok(me)
            }
            false => Err(me),
        }
    }
}

/// Gives what follows.
pub(crate) struct Tail(oneshot::Receiver<End>);

impl FutureProducer<Guest> for Tail {
    type Item = Result<Option<Resource<Trailers>>, ErrorCode>;

    fn poll_produce(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        mut store: StoreContextMut<'_, Guest>,
        finish: bool,
    ) -> Poll<wasmtime::Result<Option<Self::Item>>> {
        match self.poll(context, &mut store.data_mut().http_0_3()) {
            Poll::Pending if finish => Poll::Ready(Ok(None)),
            Poll::Pending => Poll::Pending,
            Poll::Ready(ending) => Poll::Ready(ending.map(Some)),
        }
    }
}

/// What follows, as a guest gets it.
pub(crate) type Ended = Result<Option<Resource<Trailers>>, ErrorCode>;

impl Tail {
    /// Has the same follow another body.
    pub(super) async fn pass_on(self, mut closer: Closer) {
        let end = self.0.await.unwrap_or(Ok(None));
        closer.close(end.map_err(|error| code(&error)));
    }

    /// What follows, once it is known.
    pub(crate) fn poll(
        &mut self,
        context: &mut Context<'_>,
        view: &mut View<'_>,
    ) -> Poll<wasmtime::Result<Ended>> {
        let end = match Pin::new(&mut self.0).poll(context) {
            // The guest has closed the stream before its end.
            Poll::Ready(Err(_)) => Ok(None),
            Poll::Ready(Ok(end)) => end,
            Poll::Pending => return Poll::Pending,
        };
        Poll::Ready(Ok(match end {
            Ok(Some(trailers)) => {
                let trailers = FieldMap::received(trailers);
                Ok(Some(view.table.fields.push(trailers)?))
            }
            Ok(None) => Ok(None),
            Err(error) => Err(code(&error)),
        }))
    }
}
