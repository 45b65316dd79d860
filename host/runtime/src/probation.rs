//! What has become of a generation's events, and whether the first of them show
//! that it should not have been deployed.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use holdfast_core::PluginId;
use holdfast_core::deploy::Probation;
use holdfast_core::event::{Failure, Outcome};
use holdfast_core::metrics::{Part, SplitCounter};

/// Hears of each generation that fails its probation.
pub(crate) type Alarm = OnceLock<Box<dyn Fn(PluginId, u32) + Send + Sync>>;

/// The events of one generation on all event loops.
pub(crate) struct Tally {
    probation: Probation,
    /// Events that have come to an end in the guest.
    pub(crate) events: SplitCounter,
    /// Those of them that trapped or ran out of time.
    failed: AtomicU64,
    is_given_up: AtomicBool,
    migrations: Mutex<Migrations>,
}

/// Migrations of connections to a generation that have failed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Migrations {
    pub(crate) failed: u64,
    pub(crate) last_error: Option<String>,
}

impl Tally {
    pub(crate) fn new(probation: Probation) -> Self {
        Self {
            probation,
            events: SplitCounter::default(),
            failed: AtomicU64::new(0),
            is_given_up: AtomicBool::new(false),
            migrations: Mutex::default(),
        }
    }

    pub(crate) fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    pub(crate) fn migrations(&self) -> Migrations {
        let migrations = self.migrations.lock();
        migrations.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Counts an event among those of an event loop. True once: when the generation
    /// has failed its probation.
    #[must_use]
    pub(crate) fn note(&self, events: &Part, outcome: &Outcome) -> bool {
        let has_failed = match outcome {
            // These say nothing about the guest, which has not had them, or not
            // to their end.
            Outcome::Failed(Failure::NoHandler | Failure::Overloaded(_) | Failure::Disrupted) => {
                return false;
            }
            Outcome::Failed(Failure::Trap(_) | Failure::Timeout(_)) => true,
            // An error of the handler's own is an answer like others.
            Outcome::Failed(Failure::Handler(_))
            | Outcome::Response(_)
            | Outcome::Accepted(_)
            | Outcome::Rejected(_)
            | Outcome::Done => false,
        };
        events.add(1);
        if !has_failed {
            return false;
        }
        let failed = self.failed.fetch_add(1, Ordering::Relaxed) + 1;
        self.events.get() <= u64::from(self.probation.events)
            && self
                .probation
                .is_failed(u32::try_from(failed).unwrap_or(u32::MAX))
            && !self.is_given_up.swap(true, Ordering::Relaxed)
    }

    /// Counts a failed migration, and keeps its error. True for the first.
    pub(crate) fn note_migration(&self, error: String) -> bool {
        let migrations = self.migrations.lock();
        let mut migrations = migrations.unwrap_or_else(PoisonError::into_inner);
        migrations.failed += 1;
        migrations.last_error = Some(error);
        migrations.failed == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(events: u32, failed_percent: u8) -> Tally {
        Tally::new(Probation {
            events,
            failed_percent,
        })
    }

    fn trap() -> Outcome {
        Outcome::Failed(Failure::Trap("unreachable".into()))
    }

    #[test]
    fn a_generation_that_traps_fails_its_probation_once() {
        let tally = tally(4, 50);
        let events = tally.events.part();
        assert!(!tally.note(&events, &Outcome::Done));
        assert!(!tally.note(&events, &trap()));
        assert!(!tally.note(&events, &Outcome::Failed(Failure::Timeout(1))));
        assert!(tally.note(&events, &trap()), "three of four");
        assert!(!tally.note(&events, &trap()));
        assert_eq!((tally.events.get(), tally.failed()), (5, 4));
    }

    #[test]
    fn only_the_first_events_count() {
        let tally = tally(2, 50);
        let events = tally.events.part();
        assert!(!tally.note(&events, &Outcome::Done));
        assert!(!tally.note(&events, &Outcome::Done));
        assert!((0..10).all(|_| !tally.note(&events, &trap())));
    }

    #[test]
    fn an_operator_can_do_without() {
        let tally = tally(10, 0);
        let events = tally.events.part();
        assert!((0..20).all(|_| !tally.note(&events, &trap())));
    }

    #[test]
    fn what_says_nothing_about_the_guest_is_not_counted() {
        let tally = tally(1, 1);
        let events = tally.events.part();
        for failure in [
            Failure::NoHandler,
            Failure::Overloaded(String::new()),
            Failure::Disrupted,
        ] {
            assert!(!tally.note(&events, &Outcome::Failed(failure)));
        }
        assert_eq!(tally.events.get(), 0);
        let error = Outcome::Failed(Failure::Handler("no".into()));
        assert!(!tally.note(&events, &error), "an answer like others");
        assert_eq!((tally.events.get(), tally.failed()), (1, 0));
    }
}
