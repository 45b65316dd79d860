//! The open WebSockets of one event loop, for whoever has to go through all of
//! them: the sweep, the removal of a plugin, the shut-down.

use std::cell::{Cell, RefCell};
use std::num::NonZeroU32;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use holdfast_core::PluginId;
use holdfast_core::event::{CloseCause, Closure};
use tokio::time::Instant;

use crate::connection::{Connection, closure};
use crate::stream::Stream;

/// Connections looked at before other tasks have their turn.
pub(crate) const CHUNK_LEN: usize = 1024;
/// Connections closed before other tasks have their turn: each of them has
/// something to write then.
const CLOSED_LEN_MAX: usize = 16;
/// Between two groups of connections that are closed over a time.
const CLOSE_TICK: Duration = Duration::from_millis(10);

/// The place of a WebSocket among those of its loop: its index, and one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place(NonZeroU32);

impl Place {
    pub(crate) fn of(index: usize) -> Self {
        let number = u32::try_from(index + 1).ok().and_then(NonZeroU32::new);
        // There are fewer files than that.
        Self(number.unwrap_or(NonZeroU32::MAX))
    }

    fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// The open WebSockets of one event loop.
pub(crate) struct Sockets {
    begin: Instant,
    places: RefCell<Places>,
    /// With which code all are closed, if no further one may stay open.
    closed: Cell<Option<u16>>,
}

impl Default for Sockets {
    fn default() -> Self {
        Self {
            begin: Instant::now(),
            places: RefCell::default(),
            closed: Cell::new(None),
        }
    }
}

#[derive(Default)]
struct Places {
    slots: Vec<Option<Slot>>,
    free: Vec<Place>,
}

/// One of them, and what the sweep knows of it.
pub(crate) struct Slot {
    pub(crate) connection: Arc<Connection>,
    stream: Rc<RefCell<Stream>>,
    /// When the sweep last found that the client had shown life.
    pub(crate) heard_at: Instant,
    pub(crate) pinged: bool,
    control: Control,
}

/// Pings and pongs of a client in one second. There is room for it in each slot.
#[derive(Clone, Copy, Default)]
struct Control {
    /// Which second, of those since the loop began.
    second: u16,
    count: u16,
}

impl Sockets {
    /// Enters a connection; returns its place.
    pub(crate) fn insert(&self, connection: Arc<Connection>, stream: Rc<RefCell<Stream>>) -> Place {
        if let Some(code) = self.closed.get() {
            connection.close(drained(code));
        }
        let mut places = self.places.borrow_mut();
        let free = places.free.pop();
        let place = free.unwrap_or_else(|| Place::of(places.slots.len()));
        connection.enter(place);
        let slot = Some(Slot {
            connection,
            stream,
            heard_at: Instant::now(),
            pinged: false,
            control: Control::default(),
        });
        match places.slots.get_mut(place.index()) {
            Some(free) => *free = slot,
            None => places.slots.push(slot),
        }
        place
    }

    /// Counts a control frame of the client there. False if it was one too many in
    /// this second, of `count_max`, 0 for no limit.
    pub(crate) fn count_control(&self, place: Place, count_max: u16) -> bool {
        let second = self.begin.elapsed().as_secs() as u16;
        let mut places = self.places.borrow_mut();
        let Some(Some(slot)) = places.slots.get_mut(place.index()) else {
            return true;
        };
        let control = &mut slot.control;
        if control.second != second {
            *control = Control { second, count: 0 };
        }
        control.count = control.count.saturating_add(1);
        count_max == 0 || control.count <= count_max
    }

    /// Frees a place.
    pub(crate) fn remove(&self, place: Place) {
        let mut places = self.places.borrow_mut();
        if let Some(slot) = places.slots.get_mut(place.index()) {
            *slot = None;
            places.free.push(place);
        }
        if places.free.len() == places.slots.len() {
            *places = Places::default();
        }
    }

    /// Hands what is at a place to `take`, if it is not being used.
    pub(crate) fn with(&self, place: Place, take: impl FnOnce(&Connection, &mut Stream)) {
        let places = self.places.borrow();
        if let Some(Some(slot)) = places.slots.get(place.index())
            && let Ok(mut stream) = slot.stream.try_borrow_mut()
        {
            take(&slot.connection, &mut stream);
        }
    }

    /// Looks at the next places from `start` on; returns where to go on. None
    /// if there are no more.
    pub(crate) fn look(&self, start: usize, mut look: impl FnMut(&mut Slot)) -> Option<usize> {
        let mut places = self.places.borrow_mut();
        let end = places.slots.len().min(start + CHUNK_LEN);
        let slots = places.slots.get_mut(start..end)?;
        slots.iter_mut().flatten().for_each(&mut look);
        (start < end).then_some(end)
    }

    /// Closes those of some plugins with 1001, see [`Self::close_some`].
    pub(crate) async fn close_plugins(&self, plugins: &[PluginId], window: Duration) {
        let is_meant = |connection: &Connection| plugins.contains(&connection.plugin);
        self.close_some(is_meant, removed, window).await;
    }

    /// Closes all with this code, see [`Self::close_some`], and at once each that is
    /// still to come.
    pub(crate) async fn close(&self, window: Duration, code: u16) {
        self.closed.set(Some(code));
        self.close_some(|_| true, || drained(code), window).await;
    }

    /// Closes some: if there are many, over a time, so that not all clients come
    /// back at the same moment. Others have their turns meanwhile.
    async fn close_some(
        &self,
        is_meant: impl Fn(&Connection) -> bool,
        closure: impl Fn() -> Closure,
        window: Duration,
    ) {
        let mut count = 0;
        let mut start = 0;
        let mut look = |slot: &mut Slot| count += usize::from(is_meant(&slot.connection));
        while let Some(next) = self.look(start, &mut look) {
            start = next;
            tokio::task::yield_now().await;
        }
        let mut pace = Pace::new(count, window);
        let mut start = 0;
        while let Some((next, closed)) = self.close_next(start, &is_meant, &closure) {
            start = next;
            match pace.count(closed) {
                true => tokio::time::sleep(CLOSE_TICK).await,
                false => tokio::task::yield_now().await,
            }
        }
    }

    /// Looks at the next places from `start` on, and closes a few. Returns where
    /// to go on, and how many it has closed.
    fn close_next(
        &self,
        start: usize,
        is_meant: &impl Fn(&Connection) -> bool,
        closure: &impl Fn() -> Closure,
    ) -> Option<(usize, usize)> {
        let places = self.places.borrow();
        let slots = places.slots.get(start..)?;
        let (mut looked, mut closed) = (0, 0);
        for slot in slots.iter().take(CHUNK_LEN) {
            looked += 1;
            if let Some(Slot { connection, .. }) = slot
                && is_meant(connection)
                && connection.close(closure())
            {
                closed += 1;
                if closed == CLOSED_LEN_MAX {
                    break;
                }
            }
        }
        (looked > 0).then_some((start + looked, closed))
    }

    /// Lets none wait for anything any more.
    pub(crate) fn abort(&self) {
        for slot in self.places.borrow().slots.iter().flatten() {
            // Its turn to be closed may not have come.
            let code = self.closed.get().unwrap_or(1001);
            slot.connection.close(drained(code));
            slot.connection.abort();
        }
    }
}

/// How many are closed in a tick.
struct Pace {
    per_tick: usize,
    closed: usize,
}

impl Pace {
    /// So many in such a time, and never fewer than a group in a tick: few are
    /// closed at once.
    fn new(count: usize, window: Duration) -> Self {
        let ticks = window.as_millis() / CLOSE_TICK.as_millis();
        let ticks = usize::try_from(ticks).unwrap_or(usize::MAX);
        let per_tick = match ticks {
            0 => usize::MAX,
            ticks => count.div_ceil(ticks).max(CLOSED_LEN_MAX),
        };
        Self {
            per_tick,
            closed: 0,
        }
    }

    /// Counts some. Whether that was enough for this tick.
    fn count(&mut self, closed: usize) -> bool {
        self.closed += closed;
        let is_enough = self.closed >= self.per_tick;
        if is_enough {
            self.closed -= self.per_tick;
        }
        is_enough
    }
}

/// The plugin of a connection has been removed.
pub(crate) fn removed() -> Closure {
    closure(CloseCause::Deploy, 1001, "the plugin was removed")
}

fn drained(code: u16) -> Closure {
    closure(CloseCause::Drain, code, "the host shuts down")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ticks that it takes to close so many.
    fn ticks(count: usize, window: Duration) -> usize {
        let mut pace = Pace::new(count, window);
        let groups = count.div_ceil(CLOSED_LEN_MAX);
        (0..groups).filter(|_| pace.count(CLOSED_LEN_MAX)).count()
    }

    #[test]
    fn a_slot_is_small() {
        // One of each WebSocket.
        assert!(size_of::<Option<Slot>>() <= 40);
    }

    #[test]
    fn many_are_closed_over_the_whole_window_and_few_at_once() {
        let second = Duration::from_secs(1);
        assert_eq!(ticks(100_000, Duration::ZERO), 0);
        assert!((95..=100).contains(&ticks(100_000, second)));
        assert!((95..=100).contains(&ticks(1_600, second)));
        assert!(ticks(160, second) <= 10);
        assert_eq!(ticks(10, second), 1);
    }
}
