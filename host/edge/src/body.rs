//! Bodies that stream, held against a limit.

pub(crate) mod open;

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use holdfast_core::event::{Body, BodyError};
use holdfast_core::limits::HttpLimits;
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt;
use tokio::time::{Sleep, sleep, timeout};

use crate::http1;

/// The body of a request, as its protocol has it.
#[derive(Debug)]
pub(crate) enum Coming {
    Nothing,
    Http1(http1::Incoming),
    Http2(hyper::body::Incoming),
}

impl http_body::Body for Coming {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match &mut *self {
            Self::Nothing => Poll::Ready(None),
            Self::Http1(body) => Pin::new(body).poll_frame(context),
            Self::Http2(body) => Pin::new(body).poll_frame(context).map_err(Into::into),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Nothing => true,
            Self::Http1(body) => body.is_end_stream(),
            Self::Http2(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Nothing => SizeHint::with_exact(0),
            Self::Http1(body) => body.size_hint(),
            Self::Http2(body) => body.size_hint(),
        }
    }
}

/// A request's body is larger than the plugin allows.
#[derive(Debug, thiserror::Error)]
#[error("the body is larger than {0} bytes")]
pub(crate) struct TooLarge(u64);

/// What was wrong with a body while it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It has turned out to be too large.
    TooLarge,
    /// Nothing came for too long.
    Slow,
    /// It is not framed as it should be, or has broken off.
    Broken,
}

const TOO_LARGE: u8 = 1;
const SLOW: u8 = 2;
const BROKEN: u8 = 3;

/// Whether a body that is coming is in order so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watched(Arc<AtomicU8>);

impl Watched {
    /// What was wrong with it, if anything was.
    pub(crate) fn fault(&self) -> Option<Fault> {
        match self.0.load(Ordering::Relaxed) {
            TOO_LARGE => Some(Fault::TooLarge),
            SLOW => Some(Fault::Slow),
            BROKEN => Some(Fault::Broken),
            _ => None,
        }
    }

    fn note(&self, fault: Fault) {
        let fault = match fault {
            Fault::TooLarge => TOO_LARGE,
            Fault::Slow => SLOW,
            Fault::Broken => BROKEN,
        };
        self.0.store(fault, Ordering::Relaxed);
    }

    /// A response's body that breaks off when something is wrong with that of
    /// the request: the client then sees that the exchange has failed.
    pub(crate) fn guard(self, body: Body) -> Body {
        Guarded {
            body,
            watched: self,
        }
        .boxed_unsync()
    }
}

/// The request's body for the guest. With it comes a [`Watched`] if there is any.
pub(crate) fn limited(
    body: Coming,
    limits: &HttpLimits,
) -> Result<(Body, Option<Watched>), TooLarge> {
    if body.is_end_stream() {
        return Ok((Body::default(), None));
    }
    let bytes_max = limits.body_bytes_max;
    if body.size_hint().exact().is_some_and(|len| len > bytes_max) {
        return Err(TooLarge(bytes_max));
    }
    let watched = Watched::default();
    let limited = Limited {
        body,
        bytes_left: bytes_max,
        bytes_max,
        idle_timeout: Duration::from_millis(limits.body_idle_timeout_ms),
        idle: None,
        watched: watched.clone(),
    };
    Ok((limited.boxed_unsync(), Some(watched)))
}

/// Whether all of a body is to be there before a guest is called. Otherwise who
/// sends a few bytes slowly would hold an instance for as long.
pub(crate) fn is_short(body: &Body, limits: &HttpLimits) -> bool {
    let len = body.size_hint().exact();
    len.is_some_and(|len| (1..=limits.body_buffer_bytes).contains(&len))
}

/// Awaits all of a body. None if it does not come: its [`Watched`] says why.
pub(crate) async fn gather(body: Body, watched: Watched, idle_timeout_ms: u64) -> Option<Body> {
    let gathered = body.collect();
    let gathered = match idle_timeout_ms {
        0 => gathered.await,
        // In whole: a few bytes now and then are not enough.
        ms => match timeout(Duration::from_millis(ms), gathered).await {
            Ok(gathered) => gathered,
            Err(_) => {
                watched.note(Fault::Slow);
                return None;
            }
        },
    };
    let never = |never: std::convert::Infallible| match never {};
    Some(gathered.ok()?.map_err(never).boxed_unsync())
}

struct Limited {
    body: Coming,
    bytes_left: u64,
    bytes_max: u64,
    /// Zero for none.
    idle_timeout: Duration,
    /// While nothing comes.
    idle: Option<Pin<Box<Sleep>>>,
    watched: Watched,
}

impl Limited {
    /// Notes what is wrong, and wants no more of it, which its connection hears.
    fn fail(&mut self, fault: Fault) {
        self.watched.note(fault);
        self.body = Coming::Nothing;
    }

    /// Notes that nothing has come. Ready when that lasts for too long.
    fn poll_idle(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.idle_timeout.is_zero() {
            return Poll::Pending;
        }
        let idle_timeout = self.idle_timeout;
        self.idle
            .get_or_insert_with(|| Box::pin(sleep(idle_timeout)))
            .as_mut()
            .poll(context)
    }
}

impl http_body::Body for Limited {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = match Pin::new(&mut self.body).poll_frame(context) {
            Poll::Ready(frame) => frame,
            Poll::Pending => {
                ready!(self.poll_idle(context));
                self.fail(Fault::Slow);
                return Poll::Ready(Some(Err("nothing came of the body for too long".into())));
            }
        };
        self.idle = None;
        let frame = match frame {
            Some(Ok(frame)) => frame,
            Some(Err(error)) => {
                self.watched.note(Fault::Broken);
                return Poll::Ready(Some(Err(error)));
            }
            None => return Poll::Ready(None),
        };
        let len = frame.data_ref().map_or(0, Bytes::len) as u64;
        match self.bytes_left.checked_sub(len) {
            Some(left) => {
                self.bytes_left = left;
                Poll::Ready(Some(Ok(frame)))
            }
            None => {
                self.fail(Fault::TooLarge);
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
    watched: Watched,
}

impl http_body::Body for Guarded {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if self.watched.fault().is_some() {
            return Poll::Ready(Some(Err("the request's body has failed".into())));
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
