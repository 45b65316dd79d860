//! Tenants and plugins as the admin listener shows them, one by one. What a
//! plugin is configured with is in none of it.

use std::collections::BTreeMap;

use holdfast_core::limits::{OnError, SlowConsumer};
use holdfast_core::{PluginId, TenantId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::board::{Entry, Notes, TenantEntry};
use super::status::{fault, plugin};
use super::{FaultStatus, Handle, Name, PluginStatus};

/// Limits by their keys in the manifest; null for none.
pub(crate) type Limits = BTreeMap<String, Option<u64>>;

/// One tenant.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct TenantView {
    pub(crate) name: String,
    /// Within which its routes are; empty for any.
    pub(crate) hosts: Vec<String>,
    /// Names of its plugins, sorted.
    pub(crate) plugins: Vec<String>,
    /// What its plugins may take together, by the keys of the manifest. Empty if
    /// nothing of it is in force.
    pub(crate) limits: Limits,
    /// What is wrong with its own file.
    pub(crate) last_error: Option<FaultStatus>,
}

/// One plugin, with what is in force for it.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct PluginView {
    #[serde(flatten)]
    pub(crate) status: PluginStatus,
    /// WebSockets, those in their handshake included.
    pub(crate) connections: u32,
    /// Whether it takes no new WebSockets.
    pub(crate) draining: bool,
    /// By the keys of the manifest; null for no limit.
    pub(crate) limits: Limits,
    /// `close`, `drop-oldest` or `wait`.
    pub(crate) slow_consumer: String,
    /// `close` or `skip`.
    pub(crate) on_error: String,
}

impl Handle {
    /// At most `limit` tenants, by their names, from behind `after` on.
    pub(crate) fn tenants(&self, after: Option<&str>, limit: usize) -> Vec<TenantView> {
        let notes = self.board.read();
        let entries = notes.tenants.iter();
        let entries = entries.filter(|it| after.is_none_or(|after| *it.name > *after));
        entries
            .take(limit)
            .map(|entry| tenant(entry, &notes))
            .collect()
    }

    /// The tenant of this name.
    pub(crate) fn tenant(&self, name: &str) -> Option<TenantView> {
        let notes = self.board.read();
        let entry = notes.tenants.iter().find(|it| it.name == name)?;
        Some(tenant(entry, &notes))
    }

    /// The number of the tenant of this name. None if it has no plugin.
    pub(crate) fn tenant_id(&self, name: &str) -> Option<TenantId> {
        let notes = self.board.read();
        let entry = notes.plugins.iter().find(|it| it.name.tenant == name)?;
        Some(entry.tenant)
    }

    /// The numbers of a plugin.
    pub(crate) fn plugin_ids(&self, name: &Name) -> Option<(TenantId, PluginId)> {
        let notes = self.board.read();
        let entry = find(&notes, name)?;
        Some((entry.tenant, entry.id))
    }

    /// The plugin of this name. May look at every connection.
    pub(crate) fn plugin(&self, name: &Name) -> Option<PluginView> {
        let notes = self.board.read();
        let entry = find(&notes, name)?;
        let connection = &entry.entry.limits.connection;
        Some(PluginView {
            status: plugin(entry, &self.runtime, &self.hub),
            connections: self.hub.connection_count(entry.id),
            draining: self.hub.is_draining(entry.id),
            limits: limits(entry.entry.limits.values()),
            slow_consumer: match connection.slow_consumer {
                SlowConsumer::Close => "close",
                SlowConsumer::DropOldest => "drop-oldest",
                SlowConsumer::Wait => "wait",
            }
            .to_owned(),
            on_error: match connection.on_error {
                OnError::Close => "close",
                OnError::Skip => "skip",
            }
            .to_owned(),
        })
    }
}

/// The plugins are sorted by their names.
fn find<'a>(notes: &'a Notes, name: &Name) -> Option<&'a Entry> {
    let place = notes
        .plugins
        .binary_search_by(|it| it.name.cmp(name))
        .ok()?;
    notes.plugins.get(place)
}

fn tenant(entry: &TenantEntry, notes: &Notes) -> TenantView {
    let start = notes
        .plugins
        .partition_point(|it| it.name.tenant < entry.name);
    let plugins = notes.plugins.iter().skip(start);
    let plugins = plugins.take_while(|it| it.name.tenant == entry.name);
    let values = entry.limits.as_ref().map(|it| it.values());
    TenantView {
        name: entry.name.clone(),
        hosts: entry.hosts.clone(),
        plugins: plugins.map(|it| it.name.plugin.clone()).collect(),
        limits: limits(values.into_iter().flatten()),
        last_error: entry.fault.as_ref().map(fault),
    }
}

fn limits(values: impl Iterator<Item = (&'static str, u64)>) -> Limits {
    let none = |value| (value != u64::MAX).then_some(value);
    values
        .map(|(key, value)| (key.to_owned(), none(value)))
        .collect()
}
