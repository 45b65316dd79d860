//! The shut-down, bounded in time: one handle starts it, every loop hears of it.

use std::time::Duration;

use tokio::sync::watch;
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

    /// Whether it has started.
    pub fn is_started(&self) -> bool {
        self.0.borrow().is_some()
    }
}
