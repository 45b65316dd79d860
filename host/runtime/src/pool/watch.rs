//! Watches a guest's future from outside, where it is seen even while the guest
//! computes or holds its store: how long it may go on, and how long it may
//! compute without ever waiting.

use std::pin::Pin;
use std::task::Context;
use std::time::Duration;

use tokio::time::{Instant, Sleep};

/// Decides when a guest has had its time.
pub(super) struct Watch {
    limit: Duration,
    computing_since: Option<Instant>,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Watch {
    pub(super) fn new(limit_ms: u64) -> Self {
        Self {
            limit: Duration::from_millis(limit_ms),
            computing_since: None,
            sleep: None,
        }
    }

    /// The moment until which something may go on that begins now.
    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + self.limit
    }

    /// To be called when the guest is pending; `interrupted` says that it was
    /// computing. Returns whether its time is over, and otherwise has the task
    /// woken when it will be.
    pub(super) fn is_over(
        &mut self,
        context: &mut Context<'_>,
        interrupted: bool,
        deadline: Option<Instant>,
    ) -> bool {
        if interrupted {
            let now = Instant::now();
            let since = *self.computing_since.get_or_insert(now);
            return now - since >= self.limit || deadline.is_some_and(|deadline| now >= deadline);
        }
        self.computing_since = None;
        let Some(deadline) = deadline else {
            self.sleep = None;
            return false;
        };
        let sleep = self
            .sleep
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        if sleep.deadline() != deadline {
            sleep.as_mut().reset(deadline);
        }
        sleep.as_mut().poll(context).is_ready()
    }
}
