//! The plugins of the host, shared by all event loops.

use std::sync::{Arc, PoisonError, RwLock};

use holdfast_core::{Edge, PluginId};

use crate::plugin::{Generation, Plugin, Shared};
use crate::store::Store;

/// All plugins that are loaded.
pub struct Runtime {
    edge: Arc<dyn Edge>,
    store: Store,
    plugins: RwLock<Vec<Option<Arc<Plugin>>>>,
}

impl Runtime {
    /// A runtime without plugins; what guests send goes to the edge, and what
    /// they keep to the store.
    pub fn new(edge: Arc<dyn Edge>, store: Store) -> Arc<Self> {
        Arc::new(Self {
            edge,
            store,
            plugins: RwLock::default(),
        })
    }

    /// Makes this the plugin's current generation. Events under way go on in the
    /// one before.
    pub fn install(&self, generation: Generation) {
        let index = generation.settings.id.0 as usize;
        let limits = generation.limits;
        let plugin = Arc::new(Plugin {
            settings: generation.settings,
            loaded: generation.loaded,
            grants: Arc::new(generation.grants),
            shared: Shared::new(&limits.instance),
            event: limits.event,
            instance: limits.instance,
            message_bytes_max: limits.connection.message_bytes_max,
            keyvalue_bytes_max: limits.keyvalue.bytes_max,
            edge: Arc::clone(&self.edge),
            store: self.store.clone(),
        });
        let mut plugins = self.plugins.write().unwrap_or_else(PoisonError::into_inner);
        if plugins.len() <= index {
            plugins.resize_with(index + 1, || None);
        }
        if let Some(slot) = plugins.get_mut(index) {
            *slot = Some(plugin);
        }
    }

    pub(crate) fn plugin(&self, id: PluginId) -> Option<Arc<Plugin>> {
        let plugins = self.plugins.read().unwrap_or_else(PoisonError::into_inner);
        plugins.get(id.0 as usize)?.clone()
    }
}
