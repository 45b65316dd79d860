//! What the engine drives of a body that a guest writes.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use wasmtime::component::{
    FutureConsumer, FutureProducer, Resource, Source, StreamConsumer, StreamResult,
};
use wasmtime::{AsContextMut, StoreContextMut};
use wasmtime_wasi_http::p3::bindings::http::types::{ErrorCode, Trailers};

use super::{Reading, Shared, lock, wake};
use crate::guest::Guest;

/// Takes the bytes. Dropped when the guest has closed its end.
pub(crate) struct Writer(pub(super) Arc<Shared>);

/// What was taken.
pub(crate) enum Taken {
    /// So many bytes.
    Read(usize),
    /// Nothing yet: there is no room.
    Blocked,
    /// Nothing any more.
    Dropped,
}

impl Writer {
    /// Takes of what is offered as much as there is room for. Who has to wait is
    /// woken.
    pub(crate) fn take(&self, offered: &[u8], waker: impl FnOnce() -> Waker) -> Taken {
        let mut flow = lock(&self.0);
        if !matches!(flow.reading, Reading::Open) {
            return Taken::Dropped;
        }
        let Some(room) = flow.room(offered.len()) else {
            let reader = flow.wakers.reader.take();
            drop(flow);
            wake(reader);
            return Taken::Dropped;
        };
        if room == 0 && !(offered.is_empty() && flow.bytes.is_empty()) {
            flow.wakers.writer = Some(waker());
            return Taken::Blocked;
        }
        if flow.bytes.is_empty() {
            // Most bodies are one piece, which then is kept as it is.
            flow.bytes.reserve_exact(room);
        }
        flow.bytes
            .extend_from_slice(offered.get(..room).unwrap_or(offered));
        let reader = flow.wakers.reader.take();
        drop(flow);
        wake(reader);
        Taken::Read(room)
    }
}

impl StreamConsumer<Guest> for Writer {
    type Item = u8;

    fn poll_consume(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        store: StoreContextMut<'_, Guest>,
        source: Source<'_, u8>,
        finish: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        let mut source = source.as_direct(store);
        let offered = source.remaining();
        Poll::Ready(Ok(match self.take(offered, || context.waker().clone()) {
            Taken::Dropped => StreamResult::Dropped,
            Taken::Blocked if finish => StreamResult::Cancelled,
            Taken::Blocked => return Poll::Pending,
            Taken::Read(len) => {
                source.mark_read(len);
                StreamResult::Completed
            }
        }))
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

/// Takes what follows the bytes, once.
pub(crate) struct Closer(pub(super) Option<Arc<Shared>>);

impl FutureConsumer<Guest> for Closer {
    type Item = Result<Option<Resource<Trailers>>, ErrorCode>;

    fn poll_consume(
        mut self: Pin<&mut Self>,
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
    /// Takes it, unless it was taken before.
    pub(crate) fn close(&mut self, ending: Result<Option<http::HeaderMap>, ErrorCode>) {
        let Some(shared) = self.0.take() else { return };
        let mut flow = lock(&shared);
        if !matches!(flow.reading, Reading::Open) {
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
pub(crate) struct Witness(pub(super) Arc<Shared>);

impl FutureProducer<Guest> for Witness {
    type Item = Result<(), ErrorCode>;

    fn poll_produce(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        _store: StoreContextMut<'_, Guest>,
        finish: bool,
    ) -> Poll<wasmtime::Result<Option<Self::Item>>> {
        match self.poll(|| context.waker().clone()) {
            Poll::Pending if finish => Poll::Ready(Ok(None)),
            Poll::Pending => Poll::Pending,
            Poll::Ready(sent) => Poll::Ready(Ok(Some(sent))),
        }
    }
}

impl Witness {
    /// How it went, once that is known.
    pub(crate) fn poll(&self, waker: impl FnOnce() -> Waker) -> Poll<Result<(), ErrorCode>> {
        let mut flow = lock(&self.0);
        Poll::Ready(match &flow.reading {
            Reading::Open => {
                flow.wakers.witness = Some(waker());
                return Poll::Pending;
            }
            Reading::Done => Ok(()),
            Reading::Failed(code) => Err(code.clone()),
            Reading::GivenUp => Err(ErrorCode::ConnectionTerminated),
        })
    }
}
