//! The shut-down, bounded in time: one handle starts it, every loop hears of it.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::coop::has_budget_remaining;
use tokio::time::Instant;

/// Makes the two ends of a shut-down that has not started.
pub fn drain() -> (Trigger, Drain) {
    let (sender, receiver) = watch::channel(None);
    (Trigger(sender), Drain(receiver))
}

/// Starts the shut-down.
#[derive(Debug)]
pub struct Trigger(watch::Sender<Option<Instant>>);

impl Trigger {
    /// Starts it, if it has not started. Requests and sockets have `timeout` to
    /// come to an end.
    pub fn start(&self, timeout: Duration) {
        let deadline = Instant::now() + timeout;
        self.0.send_if_modified(|started| {
            let is_first = started.is_none();
            started.get_or_insert(deadline);
            is_first
        });
    }
}

/// Hears of the shut-down.
#[derive(Clone, Debug)]
pub struct Drain(watch::Receiver<Option<Instant>>);

impl Drain {
    /// Waits until it starts; returns its deadline. Without a [`Trigger`] it
    /// never starts.
    pub async fn started(&mut self) -> Instant {
        if let Ok(deadline) = self.0.wait_for(Option::is_some).await
            && let Some(deadline) = *deadline
        {
            return deadline;
        }
        std::future::pending().await
    }

    /// Waits for a future, or until this starts; returns its deadline then. The
    /// future comes first.
    ///
    /// For futures that are polled often: to look at this each time would cost more
    /// than some of them.
    pub(crate) async fn or<F: Future>(
        mut self,
        mut future: Pin<&mut F>,
    ) -> Result<F::Output, Instant> {
        let seen = self.0.clone();
        let mut started = pin!(self.started());
        // It wakes this task once it was polled, and that stays so.
        let mut is_known = false;
        poll_fn(|context| {
            if let Poll::Ready(output) = future.as_mut().poll(context) {
                return Poll::Ready(Ok(output));
            }
            if is_known && matches!(seen.has_changed(), Ok(false)) {
                return Poll::Pending;
            }
            let deadline = started.as_mut().poll(context);
            is_known = has_budget_remaining();
            deadline.map(Err)
        })
        .await
    }

    /// Whether it has started.
    pub fn is_started(&self) -> bool {
        self.0.borrow().is_some()
    }
}
