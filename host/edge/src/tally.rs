//! How many WebSockets each plugin, each of its generations and each tenant has,
//! and which plugins take no more.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Mutex;
use std::time::Instant;

use holdfast_core::{Bucket, PluginId, Settings, TenantId};

use crate::lock::lock;

/// One lock for all: a handshake runs a guest, which costs far more.
#[derive(Default)]
pub(crate) struct Tally(Mutex<Counts>);

#[derive(Default)]
struct Counts {
    /// The plugins that have connections. One which has been removed stays here
    /// until its last has ended.
    plugins: HashMap<PluginId, Count>,
    /// The plugins that take none for now.
    draining: HashSet<PluginId>,
    /// The tenants that ever had one.
    tenants: HashMap<TenantId, TenantCount>,
}

#[derive(Default)]
struct Count {
    connections: u32,
    /// Of each generation that has any; few.
    generations: Vec<(u32, u32)>,
    /// Whether the plugin has been removed.
    removed: bool,
}

impl Count {
    fn add(&mut self, generation: u32) {
        let known = self.generations.iter_mut().find(|it| it.0 == generation);
        match known {
            Some((_, count)) => *count += 1,
            None => self.generations.push((generation, 1)),
        }
    }

    fn sub(&mut self, generation: u32) {
        self.generations.retain_mut(|(number, count)| {
            if *number == generation {
                *count = count.saturating_sub(1);
            }
            *count > 0
        });
    }
}

struct TenantCount {
    connections: u32,
    handshakes: Bucket,
    /// Whether the last handshake came too fast.
    is_too_fast: bool,
}

/// Why a plugin takes no connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EnterError {
    /// It has as many as it may.
    #[error("the plugin has {0} connections")]
    TooMany(u32),
    /// Its tenant has.
    #[error("the tenant has {0} connections")]
    TenantFull(u32),
    /// Its tenant has had as many handshakes in this second as it may.
    #[error("the tenant may have {most} handshakes a second")]
    TooFast {
        /// How many.
        most: u32,
        /// Whether the one before was in time: one line in the log is enough.
        is_first: bool,
    },
    /// It has been removed.
    #[error("the plugin was removed")]
    Removed,
    /// An operator wants it to have none.
    #[error("the plugin is drained")]
    Draining,
}

impl Tally {
    /// Counts one more connection. `is_served` says whether the routes of this
    /// moment lead to the plugin: it is asked about the first one, since nothing
    /// is kept here of a plugin that has none.
    pub(crate) fn enter(
        &self,
        settings: &Settings,
        is_served: impl FnOnce() -> bool,
    ) -> Result<(), EnterError> {
        let mut counts = lock(&self.0);
        let Counts {
            plugins,
            draining,
            tenants,
        } = &mut *counts;
        // Under the lock: a removal comes after the change of the routes, so
        // either this finds them changed, or the removal finds this connection.
        let (connections, removed) = match plugins.get(&settings.id) {
            Some(count) => (count.connections, count.removed),
            None => (0, !is_served()),
        };
        if removed {
            return Err(EnterError::Removed);
        }
        if draining.contains(&settings.id) {
            return Err(EnterError::Draining);
        }
        if connections >= settings.connection.count_max {
            return Err(EnterError::TooMany(connections));
        }
        let tenant = tenants.entry(settings.tenant);
        tenant.or_insert_with(TenantCount::new).enter(settings)?;
        let count = plugins.entry(settings.id).or_default();
        count.connections += 1;
        count.add(settings.generation);
        Ok(())
    }

    /// A connection goes from one generation of its plugin to another.
    pub(crate) fn adopt(&self, plugin: PluginId, from: u32, to: u32) {
        if let Some(count) = lock(&self.0).plugins.get_mut(&plugin) {
            count.sub(from);
            count.add(to);
        }
    }

    /// One connection fewer, which was of this generation.
    pub(crate) fn leave(&self, plugin: PluginId, tenant: TenantId, generation: u32) {
        let mut counts = lock(&self.0);
        if let Some(count) = counts.tenants.get_mut(&tenant) {
            count.connections = count.connections.saturating_sub(1);
        }
        if let Some(count) = counts.plugins.get_mut(&plugin) {
            count.connections = count.connections.saturating_sub(1);
            count.sub(generation);
            if count.connections == 0 {
                counts.plugins.remove(&plugin);
            }
        }
    }

    /// Connections of a plugin.
    pub(crate) fn connections(&self, plugin: PluginId) -> u32 {
        lock(&self.0)
            .plugins
            .get(&plugin)
            .map_or(0, |count| count.connections)
    }

    /// Connections of each generation of a plugin.
    pub(crate) fn generations(&self, plugin: PluginId) -> BTreeMap<u32, u32> {
        let counts = lock(&self.0);
        let count = counts.plugins.get(&plugin);
        count.map_or_else(BTreeMap::new, |it| it.generations.iter().copied().collect())
    }

    /// No more connections for this plugin. False if it has none.
    pub(crate) fn remove(&self, plugin: PluginId) -> bool {
        let mut counts = lock(&self.0);
        counts.draining.remove(&plugin);
        let count = counts.plugins.get_mut(&plugin);
        count.map(|count| count.removed = true).is_some()
    }

    /// Whether a plugin takes no new connections for now. True if it was otherwise
    /// before.
    pub(crate) fn set_draining(&self, plugin: PluginId, is_draining: bool) -> bool {
        let draining = &mut lock(&self.0).draining;
        match is_draining {
            true => draining.insert(plugin),
            false => draining.remove(&plugin),
        }
    }

    /// Whether it takes none.
    pub(crate) fn is_draining(&self, plugin: PluginId) -> bool {
        lock(&self.0).draining.contains(&plugin)
    }

    /// Whether a plugin that has connections has been removed.
    pub(crate) fn is_removed(&self, plugin: PluginId) -> bool {
        lock(&self.0)
            .plugins
            .get(&plugin)
            .is_some_and(|count| count.removed)
    }

    /// Those that have been removed and still have connections.
    pub(crate) fn removed(&self) -> Vec<PluginId> {
        let counts = lock(&self.0);
        let removed = counts.plugins.iter().filter(|(_, count)| count.removed);
        removed.map(|(plugin, _)| *plugin).collect()
    }
}

impl TenantCount {
    fn new() -> Self {
        Self {
            connections: 0,
            handshakes: Bucket::new(Instant::now()),
            is_too_fast: false,
        }
    }

    fn enter(&mut self, settings: &Settings) -> Result<(), EnterError> {
        let limits = &settings.tenant_limits;
        if self.connections >= limits.connections_max {
            return Err(EnterError::TenantFull(self.connections));
        }
        let most = limits.handshakes_per_second_max;
        let taken = self.handshakes.take(most, Instant::now());
        let was_too_fast = std::mem::replace(&mut self.is_too_fast, taken.is_err());
        if taken.is_err() {
            return Err(EnterError::TooFast {
                most,
                is_first: !was_too_fast,
            });
        }
        self.connections += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use holdfast_core::limits::TenantLimits;

    use super::*;
    use crate::route::tests::settings;

    const PLUGIN: PluginId = PluginId(7);

    fn plugin(id: PluginId, tenant: u32, count_max: u32) -> Settings {
        let mut settings = Settings::clone(&settings("a"));
        settings.id = id;
        settings.tenant = TenantId(tenant);
        settings.connection.count_max = count_max;
        settings
    }

    #[test]
    fn a_removed_plugin_takes_no_more_and_is_forgotten_with_its_last() {
        let tally = Tally::default();
        let it = plugin(PLUGIN, 0, 2);
        let leave = || tally.leave(PLUGIN, TenantId(0), 1);
        assert!(!tally.remove(PLUGIN), "it has none");
        assert_eq!(tally.enter(&it, || true), Ok(()));
        assert_eq!(tally.enter(&it, || false), Ok(()), "not asked");
        assert_eq!(tally.enter(&it, || true), Err(EnterError::TooMany(2)));
        assert!(tally.remove(PLUGIN));
        assert!(tally.is_removed(PLUGIN));
        leave();
        assert_eq!(tally.enter(&it, || true), Err(EnterError::Removed));
        assert_eq!(tally.removed(), [PLUGIN]);
        leave();
        assert_eq!(tally.removed(), []);
        assert_eq!(tally.enter(&it, || false), Err(EnterError::Removed));
        assert_eq!(tally.connections(PLUGIN), 0);
    }

    #[test]
    fn connections_are_counted_by_generation() {
        let tally = Tally::default();
        let of = |generation| Settings {
            generation,
            ..plugin(PLUGIN, 0, 9)
        };
        let counts = || Vec::from_iter(tally.generations(PLUGIN));
        assert_eq!(counts(), []);
        for generation in [1, 1, 2] {
            assert_eq!(tally.enter(&of(generation), || true), Ok(()));
        }
        assert_eq!(counts(), [(1, 2), (2, 1)]);
        tally.adopt(PLUGIN, 1, 3);
        assert_eq!(counts(), [(1, 1), (2, 1), (3, 1)]);
        tally.leave(PLUGIN, TenantId(0), 1);
        assert_eq!(counts(), [(2, 1), (3, 1)]);
        assert_eq!(tally.connections(PLUGIN), 2);
    }

    #[test]
    fn a_plugin_that_is_drained_takes_none_for_now() {
        let tally = Tally::default();
        let it = plugin(PLUGIN, 0, 2);
        assert_eq!(tally.enter(&it, || true), Ok(()));
        assert!(tally.set_draining(PLUGIN, true));
        assert!(!tally.set_draining(PLUGIN, true), "it is already");
        assert_eq!(tally.enter(&it, || true), Err(EnterError::Draining));
        assert!(tally.set_draining(PLUGIN, false));
        assert_eq!(tally.enter(&it, || true), Ok(()));
        tally.set_draining(PLUGIN, true);
        tally.remove(PLUGIN);
        assert!(!tally.is_draining(PLUGIN));
        assert_eq!(tally.enter(&it, || true), Err(EnterError::Removed));
    }

    #[test]
    fn the_plugins_of_a_tenant_share_its_limits_and_no_others() {
        let tally = Tally::default();
        let limits = Arc::new(TenantLimits {
            connections_max: 2,
            handshakes_per_second_max: 3,
            ..Default::default()
        });
        let of = |id, tenant| Settings {
            tenant_limits: limits.clone(),
            ..plugin(PluginId(id), tenant, 9)
        };
        let (one, other, neighbour) = (of(1, 1), of(2, 1), of(3, 2));
        assert_eq!(tally.enter(&one, || true), Ok(()));
        assert_eq!(tally.enter(&other, || true), Ok(()));
        assert_eq!(tally.enter(&one, || true), Err(EnterError::TenantFull(2)));
        assert_eq!(tally.enter(&neighbour, || true), Ok(()));
        tally.leave(PluginId(1), TenantId(1), 1);
        assert_eq!(tally.enter(&other, || true), Ok(()), "the third handshake");
        tally.leave(PluginId(2), TenantId(1), 1);
        let too_fast = |is_first| Err(EnterError::TooFast { most: 3, is_first });
        assert_eq!(tally.enter(&one, || true), too_fast(true));
        assert_eq!(tally.enter(&one, || true), too_fast(false));
        assert_eq!(tally.enter(&neighbour, || true), Ok(()));
    }
}
