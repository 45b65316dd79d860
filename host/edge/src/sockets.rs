//! The open WebSockets of one event loop, for whoever has to go through all of
//! them: the sweep, the removal of a plugin, the shut-down.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use holdfast_core::PluginId;
use holdfast_core::event::{CloseCause, Closure};
use tokio::time::Instant;

use crate::connection::{Connection, closure};

/// Connections looked at before other tasks have their turn.
pub(crate) const CHUNK_LEN: usize = 1024;
/// Connections closed before other tasks have their turn: each of them has
/// something to write then.
const CLOSED_LEN_MAX: usize = 64;

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
    free: Vec<u32>,
}

/// One of them, and what the sweep knows of it.
pub(crate) struct Slot {
    pub(crate) connection: Arc<Connection>,
    /// When the sweep last found that the client had shown life.
    pub(crate) heard_at: Instant,
    pub(crate) pinged: bool,
}

impl Sockets {
    /// Enters a connection; returns its place.
    pub(crate) fn insert(&self, connection: Arc<Connection>) -> u32 {
        if self.closed.get() {
            connection.close(drained());
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
