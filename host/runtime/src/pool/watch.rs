//! Watches a guest's future from outside, where it is seen even while the guest
//! computes or holds its store: how long it may go on, and how long it may
//! compute without ever waiting.

use std::pin::Pin;
use std::task::Context;
use std::time::Duration;

use tokio::task::coop::has_budget_remaining;
use tokio::time::{Instant, Sleep};

use crate::share::Pause;

/// Decides when a guest has had its time.
pub(super) struct Watch {
    limit: Duration,
    computing_since: Option<Instant>,
    sleep: Option<Pin<Box<Sleep>>>,
    /// Whether the sleep wakes the task, and has not yet.
    is_set: bool,
}

impl Watch {
    pub(super) fn new(limit_ms: u64) -> Self {
        Self {
            limit: Duration::from_millis(limit_ms),
            computing_since: None,
            sleep: None,
            is_set: false,
        }
    }

    /// The moment until which something may go on that begins now.
    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + self.limit
    }

    /// To be called when the guest is pending. Returns whether its time is over, and otherwise has the task
    /// woken when it will be.
    pub(super) fn is_over(
        &mut self,
        context: &mut Context<'_>,
        pause: Pause,
        deadline: Option<Instant>,
    ) -> bool {
        let deadline = match pause {
            Pause::Interrupted => {
                let now = Instant::now();
                let since = *self.computing_since.get_or_insert(now);
                return now - since >= self.limit
                    || deadline.is_some_and(|deadline| now >= deadline);
            }
            Pause::NoTurn => {
                // Nobody polls it for as long as that takes.
                let until = self.computing_since.map(|since| since + self.limit);
                deadline.into_iter().chain(until).min()
            }
            Pause::Waits => {
                self.computing_since = None;
                deadline
            }
        };
        loop {
            // A timer that goes off too early is cheaper than one that is moved
            // with each event.
            let sleep = match (&mut self.sleep, deadline) {
                (None, None) => return false,
                (None, Some(deadline)) => {
                    let sleep = Box::pin(tokio::time::sleep_until(deadline));
                    self.sleep.insert(sleep)
                }
                (Some(sleep), Some(deadline)) if sleep.deadline() > deadline => {
                    sleep.as_mut().reset(deadline);
                    self.is_set = false;
                    sleep
                }
                (Some(sleep), _) if self.is_set && !sleep.is_elapsed() => return false,
                (Some(sleep), _) => sleep,
            };
            // Without budget it is not set, and the task is woken at once.
            let has_budget = has_budget_remaining();
            if sleep.as_mut().poll(context).is_pending() {
                self.is_set = has_budget;
                return false;
            }
            self.is_set = false;
            self.sleep = None;
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return true;
            }
        }
    }
}
