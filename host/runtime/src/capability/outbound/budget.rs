//! How many outbound requests the events of one instance may still make: each
//! event brings its own. Which of several events in one instance makes a request
//! can't be told in every version of `wasi:http`, so those that run at the same
//! time share what they have.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// What the events of one instance may spend. One thread uses it at a time.
#[derive(Debug)]
pub(crate) struct Budget {
    per_event: u32,
    events: AtomicU32,
    left: AtomicU64,
}

impl Budget {
    /// For an instance without events; its start function is like one.
    pub(super) fn new(per_event: u32) -> Self {
        Self {
            per_event,
            events: AtomicU32::new(0),
            left: AtomicU64::new(per_event.into()),
        }
    }

    /// An event begins.
    pub(crate) fn begin(&self) {
        let events = self.events.load(Ordering::Relaxed);
        let before = match events {
            0 => 0,
            _ => self.left.load(Ordering::Relaxed),
        };
        let left = before.saturating_add(self.per_event.into());
        self.left.store(left, Ordering::Relaxed);
        self.events
            .store(events.saturating_add(1), Ordering::Relaxed);
    }

    /// An event ends: those which are left have no more than is theirs.
    pub(crate) fn end(&self) {
        let events = self.events.load(Ordering::Relaxed).saturating_sub(1);
        self.events.store(events, Ordering::Relaxed);
        let most = u64::from(events.max(1)) * u64::from(self.per_event);
        let left = self.left.load(Ordering::Relaxed);
        self.left.store(left.min(most), Ordering::Relaxed);
    }

    /// Whether one more request may be made.
    pub(super) fn take(&self) -> bool {
        let left = self.left.load(Ordering::Relaxed).checked_sub(1);
        left.map(|left| self.left.store(left, Ordering::Relaxed))
            .is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many requests may be made now.
    fn spend(budget: &Budget) -> usize {
        std::iter::repeat_with(|| budget.take())
            .take_while(|it| *it)
            .count()
    }

    #[test]
    fn each_event_brings_its_own() {
        let budget = Budget::new(3);
        assert_eq!(spend(&budget), 3, "the start function");
        for _ in 0..2 {
            budget.begin();
            assert_eq!(spend(&budget), 3);
            budget.end();
        }
        budget.begin();
        budget.end();
        budget.begin();
        assert_eq!(spend(&budget), 3, "nothing is saved up");
    }

    #[test]
    fn events_at_the_same_time_share() {
        let budget = Budget::new(2);
        budget.begin();
        budget.begin();
        budget.begin();
        assert!(budget.take());
        budget.end();
        assert_eq!(spend(&budget), 4);
        budget.begin();
        assert_eq!(spend(&budget), 2);
        budget.end();
        budget.end();
        budget.end();
        assert_eq!(spend(&budget), 0, "nothing comes back");
        budget.begin();
        assert_eq!(spend(&budget), 2);
    }
}
