//! How fast a client may send: what comes faster waits in the kernel, and then
//! with the client.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use holdfast_core::Bucket;
use holdfast_core::metrics::{LimitHit, PluginMetrics};
use tokio::time::{Sleep, sleep_until};

/// What a client has sent lately. Nothing is kept of one without a limit.
#[derive(Default)]
pub(crate) struct Throttle(Option<Box<State>>);

struct State {
    bucket: Bucket,
    /// Until when nothing is read.
    pause: Option<Pin<Box<Sleep>>>,
}

impl Throttle {
    /// Whether the next message may be taken, of `per_second`, 0 for no limit.
    /// Pending wakes the task when it may.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some(pause) = self.0.as_mut().and_then(|state| state.pause.as_mut()) else {
            return Poll::Ready(());
        };
        let polled = pause.as_mut().poll(context);
        if polled.is_ready()
            && let Some(state) = &mut self.0
        {
            state.pause = None;
        }
        polled
    }

    /// Counts a message, which is taken in any case; the next may have to wait, and
    /// that is counted, too.
    pub(crate) fn count(&mut self, per_second: u32, metrics: &PluginMetrics) {
        if per_second == 0 {
            self.0 = None;
            return;
        }
        let now = Instant::now();
        let state = self.0.get_or_insert_with(|| {
            Box::new(State {
                bucket: Bucket::new(now),
                pause: None,
            })
        });
        let until = state.bucket.spend(per_second, now);
        state.pause = until.map(|until| Box::pin(sleep_until(until.into())));
        if state.pause.is_some() {
            metrics.note_limit(LimitHit::Pace);
        }
    }
}
