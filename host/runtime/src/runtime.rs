//! The plugins of the host and their generations, shared by all event loops.
//!
//! Event loops keep what they have seen of it, and look at one number to learn
//! that something has changed. Changes are rare, so the locks here are, too.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};

use holdfast_core::{Edge, PluginId, TenantId};
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use crate::generation::{Generation, GenerationStatus, Prepared, Role, TenantStatus};
use crate::lineup::Lineup;
use crate::plugin::Plugin;
use crate::probation::Alarm;
use crate::store::Store;
use crate::tenant::Tenants;

/// All plugins that are loaded.
pub struct Runtime {
    edge: Arc<dyn Edge>,
    store: Store,
    alarm: Arc<Alarm>,
    tenants: Tenants,
    slots: RwLock<Vec<Slot>>,
    /// Held by whoever makes a change, from what he reads to what he writes.
    changing: Mutex<()>,
    /// Counts the changes.
    version: AtomicU64,
    changed: Notify,
}

/// One plugin.
#[derive(Clone, Default)]
struct Slot {
    /// None if the plugin has been removed.
    lineup: Option<Arc<Lineup>>,
    /// Generations that were in it, as long as something of them is left.
    leaving: Vec<Weak<Plugin>>,
    /// The runtime's version with its last change.
    version: u64,
}

impl Runtime {
    /// A runtime without plugins; what guests send goes to the edge, and what
    /// they keep to the store. `instances_max` is the number of instances which
    /// the [engines](crate::EngineLimits) have room for.
    pub fn new(edge: Arc<dyn Edge>, store: Store, instances_max: u32) -> Arc<Self> {
        Arc::new(Self {
            edge,
            store,
            alarm: Arc::default(),
            tenants: Tenants::new(instances_max),
            slots: RwLock::default(),
            changing: Mutex::default(),
            version: AtomicU64::new(0),
            changed: Notify::new(),
        })
    }

    /// Has somebody told of each generation whose first events fail more often
    /// than its plugin's `deploy.probation` allows: once of each, from an event
    /// loop, so he has to return at once. Only the first call counts.
    pub fn on_failing(&self, alarm: impl Fn(PluginId, u32) + Send + Sync + 'static) {
        self.alarm.get_or_init(|| Box::new(alarm));
    }

    /// Makes this the plugin's newest generation, which takes over as its
    /// `deploy.strategy` says; the first is for everybody. Events under way go on
    /// where they are. Generations which nobody needs any more go.
    ///
    /// To take a generation back, install the one before with the strategy
    /// [`All`](holdfast_core::deploy::Strategy::All): with the other two, open
    /// connections would stay where they are.
    pub fn install(&self, prepared: Prepared) {
        let id = prepared.plugin.settings.id;
        self.change(id, |lineup| match lineup {
            Some(lineup) => Some(lineup.install(prepared.plugin)),
            None => Some(Lineup::new(prepared.plugin)),
        });
        self.tidy_one(id);
    }

    /// Makes the plugin's canary the generation for everybody. False if it has
    /// none.
    pub fn promote(&self, id: PluginId) -> bool {
        let is_done = self.change(id, |lineup| lineup?.promote());
        self.tidy_one(id);
        is_done
    }

    /// Gives the plugin's canary up: its connections go back at their next event.
    /// False if it has none.
    pub fn abandon(&self, id: PluginId) -> bool {
        let is_done = self.change(id, |lineup| lineup?.abandon());
        self.tidy_one(id);
        is_done
    }

    /// Removes a plugin. Events under way end; later ones are answered with
    /// [`NoHandler`](holdfast_core::event::Failure::NoHandler).
    pub fn remove(&self, id: PluginId) {
        let _changing = self.begin_change();
        if let Some(lineup) = self.lineup(id) {
            self.replace(id, Some(&lineup), None);
        }
    }

    /// Lets old generations go that nobody needs any more. To be called now and
    /// then while [`Self::has_old`].
    pub fn tidy(&self) {
        let with_old = |slot: &Slot| {
            let lineup = slot.lineup.as_ref().filter(|it| !it.old.is_empty())?;
            Some(lineup.stable.settings.id)
        };
        let ids: Vec<_> = {
            let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
            slots.iter().filter_map(with_old).collect()
        };
        for id in ids {
            self.tidy_one(id);
        }
    }

    /// Whether any plugin has an old generation, or something is left of one.
    pub fn has_old(&self) -> bool {
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        slots.iter().any(|slot| {
            slot.lineup.as_ref().is_some_and(|it| !it.old.is_empty())
                || slot.leaving.iter().any(|it| it.strong_count() > 0)
        })
    }

    /// A plugin's generations of which anything is left, those with the newest
    /// work first.
    pub fn generations(&self, id: PluginId) -> Vec<GenerationStatus> {
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        let Some(slot) = slots.get(id.0 as usize) else {
            return Vec::new();
        };
        let mut generations = Vec::new();
        if let Some(lineup) = &slot.lineup {
            let canary = lineup.canary.as_ref();
            let is_canary = |plugin| canary.is_some_and(|it| Arc::ptr_eq(it, plugin));
            generations.extend(lineup.all().map(|plugin| {
                let role = match plugin {
                    plugin if Arc::ptr_eq(plugin, &lineup.stable) => Role::Stable,
                    plugin if is_canary(plugin) => Role::Canary,
                    _ => Role::Old,
                };
                GenerationStatus::of(plugin, role)
            }));
        }
        let leaving = slot.leaving.iter().rev().filter_map(Weak::upgrade);
        generations.extend(leaving.map(|it| GenerationStatus::of(&it, Role::Old)));
        generations
    }

    /// What the plugins of a tenant have together; none if it has no plugin.
    pub fn tenant(&self, id: TenantId) -> Option<TenantStatus> {
        let tenant = self.tenants.find(id)?;
        Some(TenantStatus {
            instances: tenant.instances(),
            memory_bytes: tenant.memory_bytes(),
        })
    }

    /// A generation of which nothing has been made.
    pub(crate) fn plugin(&self, generation: Generation) -> Plugin {
        let (edge, store) = (Arc::clone(&self.edge), self.store.clone());
        let tenant = self.tenants.get(
            generation.settings.tenant,
            &generation.settings.tenant_limits,
        );
        Plugin::new(generation, tenant, edge, store, Arc::clone(&self.alarm))
    }

    pub(crate) fn lineup(&self, id: PluginId) -> Option<Arc<Lineup>> {
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        slots.get(id.0 as usize)?.lineup.clone()
    }

    /// Counts the changes of all plugins.
    pub(crate) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// The plugins that have changed after this version. Of many, that is mostly
    /// one.
    pub(crate) fn changed_since(&self, version: u64) -> Vec<PluginId> {
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        let changed = slots.iter().enumerate();
        let changed = changed.filter(|(_, slot)| slot.version > version);
        changed.map(|(index, _)| PluginId(index as u32)).collect()
    }

    /// Waits for the next change from now on.
    pub(crate) fn changed(&self) -> Notified<'_> {
        self.changed.notified()
    }

    /// Lets a plugin's old generations go that nobody needs. The connections are
    /// counted only if that makes a difference, since there may be many.
    fn tidy_one(&self, id: PluginId) {
        self.change(id, |lineup| {
            let lineup = lineup?;
            let tidied = lineup.tidy(None);
            if !tidied.as_ref().unwrap_or(lineup).is_untidy() {
                return tidied;
            }
            let counts = self.edge.generation_counts(id);
            let counted = tidied.as_ref().unwrap_or(lineup).tidy(Some(&counts));
            counted.or(tidied)
        });
    }

    /// Makes a new lineup from that which is there. False if none is made.
    fn change(&self, id: PluginId, make: impl FnOnce(Option<&Lineup>) -> Option<Lineup>) -> bool {
        let _changing = self.begin_change();
        let before = self.lineup(id);
        let Some(after) = make(before.as_deref()) else {
            return false;
        };
        self.replace(id, before.as_deref(), Some(after));
        true
    }

    fn begin_change(&self) -> impl Drop + '_ {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn replace(&self, id: PluginId, before: Option<&Lineup>, after: Option<Lineup>) {
        let is_gone = |plugin: &&Arc<Plugin>| !after.as_ref().is_some_and(|it| it.contains(plugin));
        let gone = before.into_iter().flat_map(Lineup::all).filter(is_gone);
        let gone: Vec<_> = gone.map(Arc::downgrade).collect();
        let index = id.0 as usize;
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        if slots.len() <= index {
            slots.resize_with(index + 1, Slot::default);
        }
        if let Some(slot) = slots.get_mut(index) {
            slot.leaving.retain(|it| it.strong_count() > 0);
            slot.leaving.extend(gone);
            slot.lineup = after.map(Arc::new);
            // Nobody else counts now.
            slot.version = self.version() + 1;
        }
        drop(slots);
        self.version.fetch_add(1, Ordering::Release);
        self.changed.notify_waiters();
    }
}
