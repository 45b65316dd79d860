//! The open WebSockets of one event loop, for whoever has to go through all of
//! them: the sweep, the removal of a plugin, the shut-down.

use std::cell::{Cell, RefCell};
use std::num::NonZeroU32;
use std::rc::Rc;
use std::sync::Arc;

use holdfast_core::PluginId;
use holdfast_core::event::{CloseCause, Closure};
use tokio::time::Instant;

use crate::connection::{Connection, closure};
use crate::stream::Stream;

/// Connections looked at before other tasks have their turn.
pub(crate) const CHUNK_LEN: usize = 1024;
/// Connections closed before other tasks have their turn: each of them has
/// something to write then.
const CLOSED_LEN_MAX: usize = 64;

/// The place of a WebSocket among those of its loop: its index, and one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place(NonZeroU32);

impl Place {
    fn of(index: usize) -> Self {
        let number = u32::try_from(index + 1).ok().and_then(NonZeroU32::new);
        // There are fewer files than that.
        Self(number.unwrap_or(NonZeroU32::MAX))
    }

    fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// The open WebSockets of one event loop.
#[derive(Default)]
pub(crate) struct Sockets {
    places: RefCell<Places>,
    /// Whether no further socket may stay open.
    closed: Cell<bool>,
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
}

impl Sockets {
    /// Enters a connection; returns its place.
    pub(crate) fn insert(&self, connection: Arc<Connection>, stream: Rc<RefCell<Stream>>) -> Place {
        if self.closed.get() {
            connection.close(drained());
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
        });
        match places.slots.get_mut(place.index()) {
            Some(free) => *free = slot,
            None => places.slots.push(slot),
        }
        place
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

    /// Closes those of some plugins with 1001. Others have their turns meanwhile.
    pub(crate) async fn close_plugins(&self, plugins: &[PluginId]) {
        let mut start = 0;
        while let Some(next) = self.close_some(start, plugins) {
            start = next;
            tokio::task::yield_now().await;
        }
    }

    fn close_some(&self, start: usize, plugins: &[PluginId]) -> Option<usize> {
        let places = self.places.borrow();
        let slots = places.slots.get(start..)?;
        let (mut looked, mut closed) = (0, 0);
        for slot in slots.iter().take(CHUNK_LEN) {
            looked += 1;
            if let Some(Slot { connection, .. }) = slot
                && plugins.contains(&connection.plugin)
                && connection.close(removed())
            {
                closed += 1;
                if closed == CLOSED_LEN_MAX {
                    break;
                }
            }
        }
        (looked > 0).then_some(start + looked)
    }

    /// Closes all with 1001, and each that is still to come.
    pub(crate) fn close(&self) {
        self.closed.set(true);
        for slot in self.places.borrow().slots.iter().flatten() {
            slot.connection.close(drained());
        }
    }

    /// Lets none wait for anything any more.
    pub(crate) fn abort(&self) {
        for slot in self.places.borrow().slots.iter().flatten() {
            slot.connection.abort();
        }
    }
}

/// The plugin of a connection has been removed.
pub(crate) fn removed() -> Closure {
    closure(CloseCause::Deploy, 1001, "the plugin was removed")
}

fn drained() -> Closure {
    closure(CloseCause::Drain, 1001, "the host shuts down")
}
