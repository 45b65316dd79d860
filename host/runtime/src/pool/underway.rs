//! An event from the moment it is handed over until its outcome is known.

use std::rc::Rc;
use std::time::Instant;

use holdfast_core::event::Outcome;
use holdfast_core::metrics::{EventKind, EventOutcome};

use super::Pool;

/// Counts an event at its end, however that comes.
pub(super) struct Underway {
    pool: Rc<Pool>,
    kind: EventKind,
    since: Instant,
    has_ended: bool,
}

impl Underway {
    pub(super) fn new(pool: Rc<Pool>, kind: EventKind) -> Self {
        Self {
            since: pool.share.clock().begin_event(),
            pool,
            kind,
            has_ended: false,
        }
    }

    /// Counts what has come of it.
    pub(super) fn end(mut self, outcome: &Outcome) {
        self.has_ended = true;
        self.pool.plugin.note(&self.pool.ended, outcome);
        self.note(EventOutcome::of(outcome));
    }

    fn note(&self, outcome: EventOutcome) {
        let clock = self.pool.share.clock();
        let end = match outcome {
            // That was a guest's turn, which has ended just now.
            EventOutcome::Ok | EventOutcome::Rejected => clock.last_turn(),
            _ => clock.now(),
        };
        let duration = end.saturating_duration_since(self.since);
        self.pool.recorder.note(self.kind, outcome, duration);
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        if !self.has_ended {
            self.note(EventOutcome::Abandoned);
        }
    }
}
