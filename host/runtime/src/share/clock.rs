//! The clock of an event loop, which is read no more often than it has to be:
//! several things happen to an event at the same moment.

use std::cell::Cell;
use std::time::Instant;

/// What the clock of one event loop has shown.
pub(crate) struct Clock {
    at: Cell<Instant>,
    /// Whether nothing has happened since.
    is_fresh: Cell<bool>,
    /// Whether the event that is handed over next begins there.
    follows: Cell<bool>,
}

impl Default for Clock {
    fn default() -> Self {
        Self {
            at: Cell::new(Instant::now()),
            is_fresh: Cell::new(false),
            follows: Cell::new(false),
        }
    }
}

impl Clock {
    /// Reads the clock.
    pub(crate) fn now(&self) -> Instant {
        let now = Instant::now();
        self.at.set(now);
        self.pass();
        now
    }

    /// The next event is handed over at the moment which the clock has shown
    /// last.
    pub(crate) fn follow(&self) {
        self.follows.set(true);
    }

    /// When an event begins that is handed over now, and polled at once. If its
    /// guest is, too, the clock need not be read again.
    pub(crate) fn begin_event(&self) -> Instant {
        let begun = match self.follows.get() {
            true => self.at.get(),
            false => self.now(),
        };
        self.pass();
        self.is_fresh.set(true);
        begun
    }

    /// When the guest begins that is polled now.
    pub(super) fn begin_turn(&self) -> Instant {
        match self.is_fresh.replace(false) {
            true => self.at.get(),
            false => self.now(),
        }
    }

    /// The time. If an event has just begun, the clock need not be read again for it.
    pub(crate) fn look(&self) -> Instant {
        match self.is_fresh.get() {
            true => self.at.get(),
            false => Instant::now(),
        }
    }

    /// From now on something else may happen before a guest is polled, or before
    /// an event is handed over.
    pub(crate) fn pass(&self) {
        self.is_fresh.set(false);
        self.follows.set(false);
    }

    /// When a guest was polled last, its beginning while that goes on. For what
    /// guests do on this loop that is as good as now.
    pub(crate) fn last_turn(&self) -> Instant {
        self.at.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_that_follows_at_once_begins_with_its_event() {
        let clock = Clock::default();
        let begun = clock.begin_event();
        assert_eq!(clock.begin_turn(), begun);
        assert!(clock.begin_turn() > begun, "only the first");
        let begun = clock.begin_event();
        clock.pass();
        assert!(clock.begin_turn() > begun, "it had to wait");
        let ended = clock.now();
        assert_eq!(clock.last_turn(), ended);
        assert!(clock.begin_turn() > ended, "the end of one is no beginning");
    }

    #[test]
    fn an_event_that_follows_begins_where_the_last_one_ended() {
        let clock = Clock::default();
        let ended = clock.now();
        clock.follow();
        assert_eq!(clock.begin_event(), ended);
        assert_eq!(clock.begin_turn(), ended);
        let begun = clock.begin_event();
        assert!(begun > ended, "only one");
        assert!(clock.begin_event() > begun, "whose guest was not polled");
        let ended = clock.now();
        clock.follow();
        clock.pass();
        assert!(clock.begin_event() > ended, "one that was turned away");
    }
}
