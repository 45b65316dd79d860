//! Idle clients: one sweep over all WebSockets of a loop instead of a timer for
//! each of them.
//!
//! After half its idle time-out of silence a client is pinged, and after all of
//! it the connection is closed with 1001, "going away" (RFC 6455, section
//! 7.4.1): nothing was wrong, and coming back is welcome. The sweep is a little
//! late, by a quarter of the time-out at most.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::Duration;

use holdfast_core::event::CloseCause;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::connection::{Connection, closure};

/// Sweeps in one idle time-out.
const SWEEPS_PER_TIMEOUT: u32 = 8;
/// Shortest and longest time between two sweeps.
const INTERVAL_MIN: Duration = Duration::from_millis(10);
const INTERVAL_MAX: Duration = Duration::from_secs(10);
/// Connections looked at before other tasks have their turn.
const CHUNK_LEN: usize = 1024;

/// The open WebSockets of one event loop.
pub(crate) struct Sockets {
    places: RefCell<Places>,
    /// Time between two sweeps.
    interval: Cell<Duration>,
    /// Wakes the sweep when it has to be earlier than it thought.
    hurry: Notify,
    /// Whether no further socket may stay open.
    closed: Cell<bool>,
}

#[derive(Default)]
struct Places {
    slots: Vec<Option<Slot>>,
    free: Vec<u32>,
}

struct Slot {
    connection: Arc<Connection>,
    /// When the sweep last found that the client had shown life.
    heard_at: Instant,
    pinged: bool,
}

impl Default for Sockets {
    fn default() -> Self {
        Self {
            places: RefCell::default(),
            interval: Cell::new(INTERVAL_MAX),
            hurry: Notify::new(),
            closed: Cell::new(false),
        }
    }
}

impl Sockets {
    /// Enters a connection; returns its place.
    pub(crate) fn insert(&self, connection: Arc<Connection>) -> u32 {
        if self.closed.get() {
            close_for_drain(&connection);
        }
        let idle = idle_timeout(&connection);
        if let Some(idle) = idle {
            let interval = (idle / SWEEPS_PER_TIMEOUT).max(INTERVAL_MIN);
            if interval < self.interval.get() {
                self.interval.set(interval);
                self.hurry.notify_one();
            }
        }
        let slot = Some(Slot {
            connection,
            heard_at: Instant::now(),
            pinged: false,
        });
        let mut places = self.places.borrow_mut();
        let place = places.free.pop().unwrap_or(places.slots.len() as u32);
        match places.slots.get_mut(place as usize) {
            Some(free) => *free = slot,
            None => places.slots.push(slot),
        }
        place
    }

    /// Frees a place.
    pub(crate) fn remove(&self, place: u32) {
        let mut places = self.places.borrow_mut();
        if let Some(slot) = places.slots.get_mut(place as usize) {
            *slot = None;
            places.free.push(place);
        }
        if places.free.len() == places.slots.len() {
            *places = Places::default();
            self.interval.set(INTERVAL_MAX);
        }
    }

    /// Closes all with 1001, and each that is still to come.
    pub(crate) fn close(&self) {
        self.closed.set(true);
        for slot in self.places.borrow().slots.iter().flatten() {
            close_for_drain(&slot.connection);
        }
    }

    /// Lets none wait for anything any more.
    pub(crate) fn abort(&self) {
        for slot in self.places.borrow().slots.iter().flatten() {
            slot.connection.abort();
        }
    }

    /// Sweeps for ever.
    pub(crate) async fn sweep(&self) {
        loop {
            let hurried = self.hurry.notified();
            if tokio::time::timeout(self.interval.get(), hurried)
                .await
                .is_ok()
            {
                continue;
            }
            let now = Instant::now();
            let mut start = 0;
            while self.look(start..start + CHUNK_LEN, now) {
                start += CHUNK_LEN;
                tokio::task::yield_now().await;
            }
        }
    }

    /// Looks at some places. False if there are none.
    fn look(&self, range: std::ops::Range<usize>, now: Instant) -> bool {
        let mut places = self.places.borrow_mut();
        let end = range.end.min(places.slots.len());
        let Some(slots) = places.slots.get_mut(range.start..end) else {
            return false;
        };
        for slot in slots.iter_mut().flatten() {
            slot.look(now);
        }
        true
    }
}

impl Slot {
    fn look(&mut self, now: Instant) {
        let Some(idle) = idle_timeout(&self.connection) else {
            return;
        };
        if self.connection.was_heard() {
            self.heard_at = now;
            self.pinged = false;
            return;
        }
        let silence = now - self.heard_at;
        if silence >= idle {
            self.connection
                .close(closure(CloseCause::Idle, 1001, "idle for too long"));
        } else if silence >= idle / 2 && !self.pinged {
            self.pinged = true;
            self.connection.ping();
        }
    }
}

fn idle_timeout(connection: &Connection) -> Option<Duration> {
    let idle_ms = connection.settings().connection.idle_timeout_ms;
    (idle_ms > 0).then(|| Duration::from_millis(idle_ms))
}

fn close_for_drain(connection: &Connection) {
    connection.close(closure(CloseCause::Drain, 1001, "the host shuts down"));
}
