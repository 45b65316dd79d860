//! Events by what they were and what has come of them.

use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::histogram::{Histogram, HistogramCounts};
use super::split::bump;
use crate::event::{Event, Failure, Outcome};

pub(super) const KIND_COUNT: usize = EventKind::ALL.len();
pub(super) const OUTCOME_COUNT: usize = EventOutcome::ALL.len();

/// The kind of an [`Event`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// An HTTP request.
    Http,
    /// A WebSocket handshake.
    Accept,
    /// A WebSocket is open.
    Open,
    /// A message.
    Message,
    /// A WebSocket has ended.
    Close,
}

impl EventKind {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Http,
        Self::Accept,
        Self::Open,
        Self::Message,
        Self::Close,
    ];

    /// That of an event.
    pub fn of(event: &Event) -> Self {
        match event {
            Event::Http(_) => Self::Http,
            Event::Accept(_) => Self::Accept,
            Event::Open(_) => Self::Open,
            Event::Message(..) => Self::Message,
            Event::Close(..) => Self::Close,
        }
    }

    /// What a metric calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Accept => "accept",
            Self::Open => "open",
            Self::Message => "message",
            Self::Close => "close",
        }
    }
}

/// What has come of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventOutcome {
    /// The handler has done its work.
    Ok,
    /// The handler has refused a handshake.
    Rejected,
    /// See [`Failure::NoHandler`].
    NoHandler,
    /// See [`Failure::Trap`].
    Trap,
    /// See [`Failure::Timeout`].
    Timeout,
    /// See [`Failure::Disrupted`].
    Disrupted,
    /// See [`Failure::Overloaded`].
    Overloaded,
    /// See [`Failure::Handler`].
    Handler,
    /// Nobody waited for its end, mostly since the client had gone.
    Abandoned,
}

impl EventOutcome {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Ok,
        Self::Rejected,
        Self::NoHandler,
        Self::Trap,
        Self::Timeout,
        Self::Disrupted,
        Self::Overloaded,
        Self::Handler,
        Self::Abandoned,
    ];

    /// That of an event which has ended.
    pub fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Response(_) | Outcome::Accepted(_) | Outcome::Done => Self::Ok,
            Outcome::Rejected(_) => Self::Rejected,
            Outcome::Failed(failure) => match failure {
                Failure::NoHandler => Self::NoHandler,
                Failure::Trap(_) => Self::Trap,
                Failure::Timeout(_) => Self::Timeout,
                Failure::Disrupted => Self::Disrupted,
                Failure::Overloaded(_) => Self::Overloaded,
                Failure::Handler(_) => Self::Handler,
            },
        }
    }

    /// What a metric calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Rejected => "rejected",
            Self::NoHandler => "no_handler",
            Self::Trap => "trap",
            Self::Timeout => "timeout",
            Self::Disrupted => "disrupted",
            Self::Overloaded => "overloaded",
            Self::Handler => "handler",
            Self::Abandoned => "abandoned",
        }
    }
}

/// What one recorder writes, and whoever has it after him.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    events: [[AtomicU64; OUTCOME_COUNT]; KIND_COUNT],
    durations: [Histogram; KIND_COUNT],
}

impl Sheet {
    pub(super) fn add_to(
        &self,
        events: &mut [[u64; OUTCOME_COUNT]; KIND_COUNT],
        durations: &mut [HistogramCounts; KIND_COUNT],
    ) {
        for (totals, counters) in events.iter_mut().zip(&self.events) {
            for (total, counter) in totals.iter_mut().zip(counters) {
                *total += counter.load(Ordering::Relaxed);
            }
        }
        for (total, duration) in durations.iter_mut().zip(&self.durations) {
            duration.add_to(total);
        }
    }
}

/// Counts the events of a plugin on one event loop. It can't be shared, so that
/// it is the only one who writes where it writes.
#[derive(Debug)]
pub struct Recorder {
    pub(super) sheet: Arc<Sheet>,
    pub(super) not_shared: PhantomData<Cell<()>>,
}

impl Recorder {
    /// Counts one event.
    pub fn note(&self, kind: EventKind, outcome: EventOutcome, duration: Duration) {
        let Sheet { events, durations } = &*self.sheet;
        let outcomes = events.get(kind as usize);
        if let Some(counter) = outcomes.and_then(|it| it.get(outcome as usize)) {
            bump(counter, 1);
        }
        if let Some(histogram) = durations.get(kind as usize) {
            histogram.note(duration);
        }
    }
}
