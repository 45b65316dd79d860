//! What the engine drives of a body that a guest writes.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use wasmtime::component::{
    FutureConsumer, FutureProducer, Resource, Source, StreamConsumer, StreamResult,
};
use wasmtime::{AsContextMut, StoreContextMut};
use wasmtime_wasi_http::p3::bindings::http::types::{ErrorCode, Trailers};

use super::{Reading, Shared, lock, wake};
use crate::guest::Guest;

/// Takes the bytes. Dropped when the guest has closed its end.
pub(super) struct Writer(pub(super) Arc<Shared>);

impl StreamConsumer<Guest> for Writer {
    type Item = u8;

    fn poll_consume(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        store: StoreContextMut<'_, Guest>,
        source: Source<'_, u8>,
        finish: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        let mut flow = lock(&self.0);
        if !matches!(flow.reading, Reading::Open) {
            return Poll::Ready(Ok(StreamResult::Dropped));
        }
        let mut source = source.as_direct(store);
        let offered = source.remaining();
        let Some(room) = flow.room(offered.len()) else {
            let reader = flow.wakers.reader.take();
            drop(flow);
            wake(reader);
            return Poll::Ready(Ok(StreamResult::Dropped));
        };
        if room == 0 && !(offered.is_empty() && flow.bytes.is_empty()) {
            if finish {
                return Poll::Ready(Ok(StreamResult::Cancelled));
            }
            flow.wakers.writer = Some(context.waker().clone());
            return Poll::Pending;
        }
        if flow.bytes.is_empty() {
            // Most bodies are one piece, which then is kept as it is.
            flow.bytes.reserve_exact(room);
        }
        flow.bytes
            .extend_from_slice(offered.get(..room).unwrap_or(offered));
        source.mark_read(room);
        let reader = flow.wakers.reader.take();
        drop(flow);
        wake(reader);
        Poll::Ready(Ok(StreamResult::Completed))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let mut flow = lock(&self.0);
        flow.end();
        let reader = flow.wakers.reader.take();
        drop(flow);
        wake(reader);
    }
}

/// Takes what follows the bytes.
pub(super) struct Closer(pub(super) Arc<Shared>);

impl FutureConsumer<Guest> for Closer {
    type Item = Result<Option<Resource<Trailers>>, ErrorCode>;

    fn poll_consume(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
        mut store: StoreContextMut<'_, Guest>,
        mut source: Source<'_, Self::Item>,
        _finish: bool,
    ) -> Poll<wasmtime::Result<()>> {
        let mut ending = None;
        source.read(store.as_context_mut(), &mut ending)?;
        let ending = match ending {
            Some(Ok(Some(trailers))) => {
                let trailers = store.data_mut().http_0_3().take_fields(trailers)?;
                Ok(Some(trailers.into()))
            }
            Some(Ok(None)) | None => Ok(None),
            Some(Err(code)) => Err(code),
        };
        self.close(ending);
        Poll::Ready(Ok(()))
    }
}

impl Closer {
    fn close(&self, ending: Result<Option<http::HeaderMap>, ErrorCode>) {
        let mut flow = lock(&self.0);
        if flow.ending.is_some() || !matches!(flow.reading, Reading::Open) {
            return;
        }
        flow.ending = Some(ending);
        let reader = flow.wakers.reader.take();
        drop(flow);
        wake(reader);
    }
}

impl Drop for Closer {
    fn drop(&mut self) {
        // For a guest that goes without having said anything.
        self.close(Ok(None));
    }
}

/// Tells the guest how it went.
pub(super) struct Witness(pub(super) Arc<Shared>);

impl FutureProducer<Guest> for Witness {
    type Item = Result<(), ErrorCode>;

    fn poll_produce(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        _store: StoreContextMut<'_, Guest>,
        finish: bool,
    ) -> Poll<wasmtime::Result<Option<Self::Item>>> {
        let mut flow = lock(&self.0);
        let sent = match &flow.reading {
            Reading::Open if finish => return Poll::Ready(Ok(None)),
            Reading::Open => {
                flow.wakers.witness = Some(context.waker().clone());
                return Poll::Pending;
            }
            Reading::Done => Ok(()),
            Reading::Failed(code) => Err(code.clone()),
            Reading::GivenUp => Err(ErrorCode::ConnectionTerminated),
        };
        Poll::Ready(Ok(Some(sent)))
    }
}
