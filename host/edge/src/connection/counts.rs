//! What is counted of a connection for its plugin.

use super::{Connection, Shared};
use crate::lock::lock;

impl Connection {
    /// The plugin has no more to do with it. Hands the number of its last
    /// generation to `left`, once.
    pub(crate) fn leave(&self, left: impl FnOnce(u32)) {
        let mut shared = lock(&self.shared);
        if !std::mem::replace(&mut shared.left, true) {
            left(shared.generation);
            drop(shared);
            self.tell();
        }
    }

    /// Drops what is queued, and what is kept for compression.
    pub(super) fn clear(&self, shared: &mut Shared) {
        self.count_windows(shared.queue.window_bytes(), 0);
        shared.queue.clear();
        self.recount(shared);
    }

    /// What is kept for compression has changed.
    pub(super) fn count_windows(&self, before: usize, now: usize) {
        if before != now {
            let settings = self.settings();
            let bytes = &settings.metrics.window_bytes;
            bytes.add(now);
            bytes.sub(before);
        }
    }

    /// Lets what the plugin has waiting be what it is. Where the system takes all
    /// at once, which is the rule, nothing was counted and nothing is.
    pub(super) fn recount(&self, shared: &mut Shared) {
        let (before, now) = shared.queue.recount();
        if before != now {
            let settings = self.settings();
            let bytes = &settings.metrics.queue_bytes;
            bytes.add(now as usize);
            bytes.sub(before as usize);
        }
    }
}
