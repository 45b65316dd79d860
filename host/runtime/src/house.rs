//! The places for instances that the host has, and who gets them. A tenth is for
//! tenants that have none yet, so that one who takes all he can get does not keep
//! others out.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::futures::Notified;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::reaper::Reaper;

/// One of so many places is for those who have none.
const RESERVED_PART: u32 = 10;

/// The host's places.
pub(crate) struct House {
    max: u32,
    common: Arc<Semaphore>,
    reserved: Arc<Semaphore>,
    /// Tenants that have an instance.
    tenants: AtomicU32,
    /// How many wait for a place here, or for what else an instance needs.
    waiting: AtomicU32,
    /// Told when somebody begins to wait, so that pools give up instances which
    /// they keep warm.
    wanted: Notify,
    /// Told when an instance has gone, if anybody waits.
    freed: Notify,
    pub(crate) reaper: Reaper,
}

impl House {
    /// With room for so many instances.
    pub(crate) fn new(max: u32) -> Self {
        let reserved = max / RESERVED_PART;
        Self {
            max,
            common: Arc::new(Semaphore::new((max - reserved) as usize)),
            reserved: Arc::new(Semaphore::new(reserved as usize)),
            tenants: AtomicU32::new(0),
            waiting: AtomicU32::new(0),
            wanted: Notify::new(),
            freed: Notify::new(),
            reaper: Reaper::default(),
        }
    }

    /// A place, if there is one at once.
    pub(crate) fn try_enter(&self, is_first: bool) -> Option<OwnedSemaphorePermit> {
        let common = Arc::clone(&self.common).try_acquire_owned().ok();
        common.or_else(|| match is_first {
            true => Arc::clone(&self.reserved).try_acquire_owned().ok(),
            false => None,
        })
    }

    /// A place, waited for if need be.
    pub(crate) async fn enter(&self, is_first: bool) -> Option<OwnedSemaphorePermit> {
        if let Some(place) = self.try_enter(is_first) {
            return Some(place);
        }
        let _waiting = self.wait();
        let common = Arc::clone(&self.common).acquire_owned();
        let place = match is_first {
            true => tokio::select! {
                place = common => place,
                place = Arc::clone(&self.reserved).acquire_owned() => place,
            },
            false => common.await,
        };
        place.ok()
    }

    /// The next instance that goes from now on, wherever that is. Somebody has to
    /// [`wait`](Self::wait).
    pub(crate) fn freed(&self) -> Notified<'_> {
        self.freed.notified()
    }

    /// Counts somebody who waits, and tells the pools.
    pub(crate) fn wait(&self) -> Waiting<'_> {
        if self.waiting.fetch_add(1, Ordering::Relaxed) == 0 {
            self.tell_pools();
        }
        Waiting(self)
    }

    /// Has pools look whether they keep something that others want.
    pub(crate) fn tell_pools(&self) {
        self.wanted.notify_waiters();
    }

    /// For pools: waits until somebody begins to wait.
    pub(crate) fn wanted(&self) -> Notified<'_> {
        self.wanted.notified()
    }

    /// Whether somebody waits for a place, and a tenant that has so many has more
    /// than its part.
    pub(crate) fn is_wanted(&self, instances: u32) -> bool {
        // One more for the tenant that waits.
        let part = || self.max / (self.tenants.load(Ordering::Relaxed) + 1);
        self.waiting.load(Ordering::Relaxed) > 0 && instances > part()
    }

    pub(crate) fn tell_freed(&self) {
        if self.waiting.load(Ordering::Relaxed) > 0 {
            self.freed.notify_waiters();
        }
    }

    pub(crate) fn count_tenant(&self) {
        self.tenants.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn discount_tenant(&self) {
        self.tenants.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Somebody waits for a place.
pub(crate) struct Waiting<'a>(&'a House);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}
