//! Plugins that are no longer in the manifest: their sockets close, and when the
//! last has closed they go.

use std::time::{Duration, Instant};

use holdfast_core::PluginId;

use super::Fleet;

/// A plugin on its way out.
pub(super) struct Removal {
    id: PluginId,
    /// When it goes, whoever is still there.
    deadline: Instant,
}

impl Fleet {
    /// Closes the sockets of a plugin to which no route leads any more.
    pub(super) fn begin_removal(&mut self, id: PluginId) {
        self.hub.close_plugin(id);
        let timeout = Duration::from_millis(self.manifest.host.drain.timeout_ms);
        self.removals.push(Removal {
            id,
            deadline: Instant::now() + timeout,
        });
    }

    /// Lets go of those which nobody needs any more.
    pub(super) fn end_removals(&mut self) {
        let now = Instant::now();
        let (hub, runtime) = (&self.hub, &self.builder.runtime);
        self.removals.retain(|removal| {
            let is_needed = hub.connection_count(removal.id) > 0 && now < removal.deadline;
            if !is_needed {
                runtime.remove(removal.id);
            }
            is_needed
        });
    }
}
