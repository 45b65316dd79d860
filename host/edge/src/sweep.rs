//! Idle clients: one sweep over all WebSockets of a loop instead of a timer for
//! each of them.
//!
//! After a quarter to half of its idle time-out of silence a client is pinged,
//! each at another moment, so that many that came together do not all answer at
//! once. After all of it the connection is closed with 1001, "going away" (RFC
//! 6455, section 7.4.1): nothing was wrong, and coming back is welcome. The sweep
//! is a little late, by an eighth of the time-out at most.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use holdfast_core::event::CloseCause;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::connection::closure;
use crate::sockets::{Slot, Sockets};

/// Sweeps in one idle time-out: the pings are spread over a quarter of them.
const SWEEPS_PER_TIMEOUT: u64 = 16;
/// Shortest and longest time between two sweeps.
const INTERVAL_MIN_MS: u64 = 10;
const INTERVAL_MAX_MS: u64 = 10_000;

/// How often a loop is swept: as its shortest idle time-out demands.
pub(crate) struct Pace {
    interval_ms: AtomicU64,
    /// Wakes the sweep when it has to be earlier than it thought.
    hurry: Notify,
}

impl Pace {
    pub(crate) fn new() -> Self {
        Self {
            interval_ms: AtomicU64::new(INTERVAL_MAX_MS),
            hurry: Notify::new(),
        }
    }

    /// Notes the idle time-out of a connection, in milliseconds, 0 for none: a
    /// new one, or one that a reload has changed.
    pub(crate) fn note(&self, idle_timeout_ms: u64) {
        if self.quicken(interval_ms(idle_timeout_ms)) {
            self.hurry.notify_one();
        }
    }

    /// True if the interval was longer.
    fn quicken(&self, interval_ms: u64) -> bool {
        self.interval_ms.fetch_min(interval_ms, Ordering::AcqRel) > interval_ms
    }

    /// Sweeps for ever.
    pub(crate) async fn sweep(&self, sockets: &Sockets) {
        let mut swept_at = Instant::now();
        loop {
            let hurried = self.hurry.notified();
            let interval = Duration::from_millis(self.interval_ms.load(Ordering::Acquire));
            if timeout_at(swept_at + interval, hurried).await.is_ok() {
                continue;
            }
            swept_at = Instant::now();
            // It is found out anew: the shortest time-out may have gone.
            self.interval_ms.swap(INTERVAL_MAX_MS, Ordering::AcqRel);
            let mut start = 0;
            let look = |slot: &mut Slot| {
                let idle_timeout_ms = slot.look(swept_at);
                self.quicken(interval_ms(idle_timeout_ms));
            };
            while let Some(end) = sockets.look(start, look) {
                start = end;
                tokio::task::yield_now().await;
            }
        }
    }
}

fn interval_ms(idle_timeout_ms: u64) -> u64 {
    match idle_timeout_ms {
        0 => INTERVAL_MAX_MS,
        idle_ms => (idle_ms / SWEEPS_PER_TIMEOUT).clamp(INTERVAL_MIN_MS, INTERVAL_MAX_MS),
    }
}

/// Silence after which a client is pinged: some time between a quarter and half
/// of its idle time-out, by the random id of its connection.
fn patience(idle: Duration, id: u128) -> Duration {
    idle / 4 + idle / 4 * (id as u32 % 1024) / 1023
}

impl Slot {
    /// Pings or closes a client that has been silent for too long. Returns the
    /// idle time-out in milliseconds, 0 for none.
    fn look(&mut self, now: Instant) -> u64 {
        let idle_ms = self.connection.settings().connection.idle_timeout_ms;
        if idle_ms == 0 {
            return 0;
        }
        if self.connection.was_heard() {
            self.heard_at = now;
            self.pinged = false;
            return idle_ms;
        }
        let idle = Duration::from_millis(idle_ms);
        let silence = now - self.heard_at;
        if silence >= idle {
            self.connection
                .close(closure(CloseCause::Idle, 1001, "idle for too long"));
        } else if silence >= patience(idle, self.connection.key.id.0) && !self.pinged {
            self.pinged = true;
            self.connection.ping();
        }
        idle_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pings_are_spread_over_a_quarter_of_the_time_out() {
        let idle = Duration::from_secs(120);
        assert_eq!(patience(idle, 0), Duration::from_secs(30));
        assert_eq!(patience(idle, 1023), Duration::from_secs(60));
        let middle = patience(idle, 1024 * 7 + 511);
        assert!((44..46).contains(&middle.as_secs()), "{middle:?}");
    }
}
