//! Bodies that are still coming while a guest has them which can do nothing else
//! meanwhile. Each holds an instance for as long as its client likes, so that of a
//! plugin there are no more than some at a time; what is too much is collected
//! first, as far as it is short.

use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use holdfast_core::event::{Body, BodyError};
use holdfast_core::limits::HttpLimits;
use holdfast_core::{PluginId, Settings};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::{Fault, Watched};
use crate::lock::lock;

/// One for the process.
#[derive(Default)]
pub(crate) struct OpenBodies(Mutex<HashMap<(PluginId, u32), Weak<Semaphore>>>);

impl OpenBodies {
    /// The places of one generation of a plugin.
    pub(crate) fn of(&self, settings: &Settings) -> Arc<Semaphore> {
        let mut all = lock(&self.0);
        let key = (settings.id, settings.generation);
        if let Some(places) = all.get(&key).and_then(Weak::upgrade) {
            return places;
        }
        all.retain(|_, places| places.strong_count() > 0);
        let places = Arc::new(Semaphore::new(settings.http.open_bodies_max as usize));
        all.insert(key, Arc::downgrade(&places));
        places
    }
}

/// What came of waiting for a body.
pub(crate) enum Begun {
    /// It may go to the guest: it is all there, or has a place.
    Body(Body),
    /// Something is wrong with it: its [`Watched`] says what.
    Faulty,
    /// So much of it is there that the rest needs a place, and none is free.
    NoPlace,
}

/// The body of which the rest comes while the guest has it.
pub(crate) fn placed(body: Body, place: OwnedSemaphorePermit) -> Body {
    begun(VecDeque::new(), body, Some(place))
}

/// Awaits all of a body, or a place for it. For the first, the client has as long
/// as for a short body.
pub(crate) async fn begin(
    mut body: Body,
    watched: Watched,
    limits: &HttpLimits,
    places: Arc<Semaphore>,
) -> Begun {
    let mut parts = VecDeque::new();
    let time = match limits.body_idle_timeout_ms {
        0 => Duration::MAX,
        ms => Duration::from_millis(ms),
    };
    let mut place = std::pin::pin!(places.acquire_owned());
    let mut left = limits.body_buffer_bytes;
    let collecting = async {
        while left > 0 {
            let frame = tokio::select! {
                biased;
                place = &mut place => return Some(End::Place(place)),
                frame = body.frame() => frame,
            };
            let frame = match frame {
                None => return Some(End::Whole),
                Some(frame) => frame.ok()?,
            };
            let len = frame.data_ref().map_or(0, Bytes::len) as u64;
            left = left.saturating_sub(len);
            parts.push_back(frame);
        }
        Some(End::Long)
    };
    let end = match timeout(time, collecting).await {
        Ok(Some(end)) => end,
        Ok(None) => return Begun::Faulty,
        Err(_) => {
            watched.note(Fault::Slow);
            return Begun::Faulty;
        }
    };
    let place = match end {
        End::Whole => return Begun::Body(begun(parts, body, None)),
        End::Place(place) => place,
        End::Long => match timeout(time, place).await {
            Ok(place) => place,
            Err(_) => return Begun::NoPlace,
        },
    };
    Begun::Body(begun(parts, body, place.ok()))
}

/// Why the collecting of a body has ended.
enum End {
    Whole,
    /// It has as much as may be collected.
    Long,
    Place(Result<OwnedSemaphorePermit, AcquireError>),
}

fn begun(parts: VecDeque<Frame<Bytes>>, rest: Body, place: Option<OwnedSemaphorePermit>) -> Body {
    Opened { parts, rest, place }.boxed_unsync()
}

struct Opened {
    /// What is there.
    parts: VecDeque<Frame<Bytes>>,
    rest: Body,
    /// Until the rest is there as well.
    place: Option<OwnedSemaphorePermit>,
}

impl http_body::Body for Opened {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Some(part) = self.parts.pop_front() {
            return Poll::Ready(Some(Ok(part)));
        }
        let polled = Pin::new(&mut self.rest).poll_frame(context);
        let is_end = !matches!(polled, Poll::Pending | Poll::Ready(Some(Ok(_))));
        if is_end || self.rest.is_end_stream() {
            self.place = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.parts.is_empty() && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let parts = self.parts.iter().filter_map(Frame::data_ref);
        let there = parts.map(|bytes| bytes.len() as u64).sum::<u64>();
        let rest = self.rest.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower().saturating_add(there));
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper.saturating_add(there));
        }
        hint
    }
}
