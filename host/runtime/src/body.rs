//! Bodies on their way between the edge and a guest.

mod gather;
mod progress;

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use gather::gather;
use holdfast_core::Settings;
use holdfast_core::event::{Body as EdgeBody, BodyError};
use holdfast_core::metrics::LimitHit;
use http::Response;
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Full};
pub(crate) use progress::Progress;
use tokio::sync::oneshot;
use tokio::time::{Sleep, sleep};
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

/// What is known of a response's body, and who wants to know.
pub(crate) struct Watched {
    /// Whether the guest has failed: one for all its bodies.
    pub(crate) has_failed: Arc<AtomicBool>,
    /// Whether the client takes it.
    pub(crate) progress: Progress,
    /// Dropped when nobody wants more of it.
    pub(crate) _listener: oneshot::Sender<()>,
    /// Of its plugin.
    pub(crate) settings: Arc<Settings>,
}

/// A guest's response for the edge. The body breaks off if the guest has failed,
/// or if it is too large, and holds the listener for as long as somebody wants
/// more of it.
pub(crate) async fn answer(
    response: Response<impl GuestBody>,
    watched: Watched,
) -> Response<EdgeBody> {
    let (head, body) = response.into_parts();
    let body = Checked::new(body, watched);
    Response::from_parts(head, gather(body).await)
}

/// Whether a response may have so many bytes; a limit of 0 is none.
pub(crate) fn may_have(len: usize, bytes_max: u64) -> bool {
    len as u64 <= bytes_left(bytes_max)
}

fn bytes_left(bytes_max: u64) -> u64 {
    match bytes_max {
        0 => u64::MAX,
        bytes_max => bytes_max,
    }
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
    watched: Watched,
    bytes_left: u64,
    /// When it has to be complete, if there is a limit.
    end: Option<Pin<Box<Sleep>>>,
    is_over: bool,
}

impl<B> Checked<B> {
    fn new(inner: B, watched: Watched) -> Self {
        let limits = &watched.settings.http;
        let end = match limits.response_timeout_ms {
            0 => None,
            timeout_ms => Some(Box::pin(sleep(Duration::from_millis(timeout_ms)))),
        };
        Self {
            inner,
            bytes_left: bytes_left(limits.response_bytes_max),
            end,
            watched,
            is_over: false,
        }
    }

    /// It reaches a limit of the plugin.
    fn break_off(&mut self, reason: &str) {
        self.is_over = true;
        let settings = &self.watched.settings;
        if settings.may_log(reason.len()).is_some() {
            let (tenant, plugin) = (&*settings.tenant_name, &*settings.name);
            let generation = settings.generation;
            tracing::warn!(
                tenant,
                plugin,
                generation,
                "a response breaks off: {reason}"
            );
        }
    }

    /// Counts a piece.
    fn take(&mut self, frame: Frame<Bytes>) -> Result<Frame<Bytes>, Error> {
        self.watched.progress.note_taken();
        let len = frame.data_ref().map_or(0, Bytes::len) as u64;
        match self.bytes_left.checked_sub(len) {
            Some(left) => {
                self.bytes_left = left;
                Ok(frame)
            }
            None => {
                let settings = &self.watched.settings;
                settings.metrics.note_limit(LimitHit::Response);
                let bytes_max = settings.http.response_bytes_max;
                self.break_off(&format!("it has more than {bytes_max} bytes"));
                Err(Error::HttpResponseBodySize(Some(bytes_max)))
            }
        }
    }
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
        if let Some(end) = &mut self.end
            && end.as_mut().poll(context).is_ready()
        {
            let timeout_ms = self.watched.settings.http.response_timeout_ms;
            self.break_off(&format!("it takes longer than {timeout_ms} ms"));
            return Poll::Ready(Some(Err(Error::HttpResponseTimeout)));
        }
        self.watched.progress.note_wanted();
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(context));
        if let Some(frame) = frame {
            return Poll::Ready(Some(frame.and_then(|frame| self.take(frame))));
        }
        self.is_over = true;
        if self.watched.has_failed.load(Ordering::Relaxed) {
            let text = "the guest has failed".into();
            return Poll::Ready(Some(Err(Error::InternalError(Some(text)))));
        }
        Poll::Ready(None)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use holdfast_core::limits::{Limits, OnError, RawLimits, SlowConsumer};
    use holdfast_core::plugin::Handlers;
    use holdfast_core::{PluginId, TenantId, Volume};

    use super::*;

    fn limited(
        inner: WasiBody,
        has_failed: Arc<AtomicBool>,
        limits: &RawLimits,
    ) -> Checked<WasiBody> {
        let limits = Limits::resolve(limits, SlowConsumer::default(), OnError::default()).unwrap();
        let settings = Settings {
            id: PluginId(0),
            generation: 1,
            tenant: TenantId(0),
            name: "a".into(),
            tenant_name: "default".into(),
            tenant_limits: Arc::default(),
            handlers: Handlers::default(),
            connection: limits.connection,
            http: limits.http,
            access_log: true,
            metrics: Arc::default(),
            log: Arc::new(Volume::new(limits.log.bytes_per_second_max)),
        };
        let watched = Watched {
            has_failed,
            progress: Progress::default(),
            _listener: oneshot::channel().0,
            settings: Arc::new(settings),
        };
        Checked::new(inner, watched)
    }

    fn checked(inner: WasiBody, has_failed: Arc<AtomicBool>, bytes_max: u64) -> Checked<WasiBody> {
        let limits = RawLimits {
            response_bytes_max: Some(bytes_max),
            ..RawLimits::default()
        };
        limited(inner, has_failed, &limits)
    }

    #[test]
    fn a_body_that_takes_too_long_breaks_off() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let _context = runtime.enter();
        let limits = RawLimits {
            response_timeout_ms: Some(20),
            ..RawLimits::default()
        };
        let never = http_body_util::StreamBody::new(futures_util::stream::pending());
        let body = limited(never.boxed_unsync(), Arc::default(), &limits);
        let begin = tokio::time::Instant::now();
        assert!(runtime.block_on(body.collect()).is_err());
        let took = begin.elapsed();
        assert!(took >= Duration::from_millis(20), "{took:?}");
    }

    #[test]
    fn a_body_that_is_too_large_breaks_off() {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let runtime = runtime.unwrap();
        for (bytes_max, is_allowed) in [(0, true), (5, true), (4, false)] {
            let full = http_body_util::Full::new(Bytes::from_static(b"12345"));
            let full = full.map_err(|never| match never {}).boxed_unsync();
            let body = checked(full, Arc::default(), bytes_max);
            assert_eq!(runtime.block_on(body.collect()).is_ok(), is_allowed);
        }
    }

    #[test]
    fn the_body_of_a_guest_that_fails_is_not_complete() {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let runtime = runtime.unwrap();
        for failed in [false, true] {
            let has_failed = Arc::new(AtomicBool::new(failed));
            // All bodies of the guest break off, not the first alone.
            for _ in 0..2 {
                let empty = http_body_util::Empty::new().map_err(|never| match never {});
                let body = checked(empty.boxed_unsync(), Arc::clone(&has_failed), 0);
                assert!(!body.is_end_stream());
                assert_eq!(runtime.block_on(body.collect()).is_err(), failed);
            }
        }
    }
}
