//! How many WebSockets each plugin has, and which plugins take no more.

use std::collections::HashMap;
use std::sync::Mutex;

use holdfast_core::PluginId;

use crate::lock::lock;

/// The plugins that have connections. A plugin which has been removed stays
/// here until its last one has ended.
#[derive(Default)]
pub(crate) struct Tally(Mutex<HashMap<PluginId, Count>>);

#[derive(Default)]
struct Count {
    connections: u32,
    /// Whether the plugin has been removed.
    removed: bool,
}

/// Why a plugin takes no connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EnterError {
    /// It has as many as it may.
    #[error("the plugin has {0} connections")]
    TooMany(u32),
    /// It has been removed.
    #[error("the plugin was removed")]
    Removed,
}

impl Tally {
    /// Counts one more connection. `is_served` says whether the routes of this
    /// moment lead to the plugin: it is asked about the first one, since nothing
    /// is kept here of a plugin that has none.
    pub(crate) fn enter(
        &self,
        plugin: PluginId,
        count_max: u32,
        is_served: impl FnOnce() -> bool,
    ) -> Result<(), EnterError> {
        let mut counts = lock(&self.0);
        // Under the lock: a removal comes after the change of the routes, so
        // either this finds them changed, or the removal finds this connection.
        let (connections, removed) = match counts.get(&plugin) {
            Some(count) => (count.connections, count.removed),
            None => (0, !is_served()),
        };
        if removed {
            return Err(EnterError::Removed);
        }
        if connections >= count_max {
            return Err(EnterError::TooMany(connections));
        }
        counts.entry(plugin).or_default().connections += 1;
        Ok(())
    }

    /// One connection fewer.
    pub(crate) fn leave(&self, plugin: PluginId) {
        let mut counts = lock(&self.0);
        if let Some(count) = counts.get_mut(&plugin) {
            count.connections = count.connections.saturating_sub(1);
            if count.connections == 0 {
                counts.remove(&plugin);
            }
        }
    }

    /// Connections of a plugin.
    pub(crate) fn connections(&self, plugin: PluginId) -> u32 {
        lock(&self.0)
            .get(&plugin)
            .map_or(0, |count| count.connections)
    }

    /// No more connections for this plugin. False if it has none.
    pub(crate) fn remove(&self, plugin: PluginId) -> bool {
        let mut counts = lock(&self.0);
        let count = counts.get_mut(&plugin);
        count.map(|count| count.removed = true).is_some()
    }

    /// Whether a plugin that has connections has been removed.
    pub(crate) fn is_removed(&self, plugin: PluginId) -> bool {
        lock(&self.0)
            .get(&plugin)
            .is_some_and(|count| count.removed)
    }

    /// Those that have been removed and still have connections.
    pub(crate) fn removed(&self) -> Vec<PluginId> {
        let counts = lock(&self.0);
        let removed = counts.iter().filter(|(_, count)| count.removed);
        removed.map(|(plugin, _)| *plugin).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLUGIN: PluginId = PluginId(7);

    #[test]
    fn a_removed_plugin_takes_no_more_and_is_forgotten_with_its_last() {
        let tally = Tally::default();
        assert!(!tally.remove(PLUGIN), "it has none");
        assert_eq!(tally.enter(PLUGIN, 2, || true), Ok(()));
        assert_eq!(tally.enter(PLUGIN, 2, || false), Ok(()), "not asked");
        assert_eq!(tally.enter(PLUGIN, 2, || true), Err(EnterError::TooMany(2)));
        assert!(tally.remove(PLUGIN));
        assert!(tally.is_removed(PLUGIN));
        tally.leave(PLUGIN);
        assert_eq!(tally.enter(PLUGIN, 2, || true), Err(EnterError::Removed));
        assert_eq!(tally.removed(), [PLUGIN]);
        tally.leave(PLUGIN);
        assert_eq!(tally.removed(), []);
        assert_eq!(tally.enter(PLUGIN, 2, || false), Err(EnterError::Removed));
        assert_eq!(tally.connections(PLUGIN), 0);
    }
}
