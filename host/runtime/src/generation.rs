//! Generations as the host sees them: what one is made of, one that is ready to
//! serve, and what has become of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use holdfast_core::deploy::Deploy;
use holdfast_core::limits::Limits;
use holdfast_core::{Secret, Settings};

use crate::capability::folders::Folders;
use crate::capability::outbound::AllowList;
use crate::load::Loaded;
use crate::plugin::Plugin;

/// What a new generation of a plugin consists of.
pub struct Generation {
    /// Who it is, and what the edge has to know of it. The limits of its tenant
    /// hold from now on for the tenant's other plugins, too.
    pub settings: Arc<Settings>,
    /// Its component.
    pub loaded: Loaded,
    /// What it has been granted.
    pub grants: Grants,
    /// Its limits.
    pub limits: Limits,
    /// How it takes over.
    pub deploy: Deploy,
}

/// What a plugin has been granted.
#[derive(Clone, Debug, Default)]
pub struct Grants {
    /// For `wasi:config`.
    pub config: BTreeMap<String, Secret>,
    /// For `wasi:cli/environment`.
    pub env: BTreeMap<String, Secret>,
    /// For `wasi:filesystem`.
    pub folders: Folders,
    /// Where outbound requests may go.
    pub allow_http: AllowList,
}

impl Grants {
    /// The environment in the form in which the library takes it.
    pub(crate) fn env(&self) -> Vec<(&str, &str)> {
        let env = self.env.iter();
        env.map(|(name, value)| (name.as_str(), value.reveal()))
            .collect()
    }
}

/// A generation of which an instance has been made.
pub struct Prepared {
    pub(crate) plugin: Arc<Plugin>,
}

impl Prepared {
    /// What the edge has to know of it.
    pub fn settings(&self) -> &Arc<Settings> {
        &self.plugin.settings
    }

    /// The format of its attachments; "" if it names none.
    pub fn format(&self) -> &str {
        self.plugin.format()
    }
}

/// What a generation does among those of its plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Takes new work.
    Stable,
    /// Takes a share of the new work.
    Canary,
    /// Takes none: it finishes what it has begun, or has connections that stay.
    Old,
}

/// What the plugins of a tenant have together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TenantStatus {
    /// Instances, on all event loops.
    pub instances: u32,
    /// Their linear memories, in bytes.
    pub memory_bytes: u64,
}

/// What has become of a generation.
#[derive(Clone, Debug)]
pub struct GenerationStatus {
    /// Its number; see [`Settings::generation`].
    pub number: u32,
    /// What it does.
    pub role: Role,
    /// Its instances, on all event loops.
    pub instances: u32,
    /// Events it has handled.
    pub events: u64,
    /// Those of them that trapped or ran out of time.
    pub failed: u64,
    /// Processor time its guests have used, in nanoseconds.
    pub cpu_ns: u64,
    /// Connections that could not be migrated to its format of attachments; one
    /// is counted again when a later generation tries it.
    pub migrations_failed: u64,
    /// Why the last of them could not.
    pub last_migration_error: Option<String>,
}

impl GenerationStatus {
    pub(crate) fn of(plugin: &Plugin, role: Role) -> Self {
        let tally = &plugin.shared.tally;
        let migrations = tally.migrations();
        Self {
            number: plugin.number(),
            role,
            instances: plugin.instance_count(),
            events: tally.events.get(),
            failed: tally.failed(),
            cpu_ns: plugin.shared.cpu_ns.get(),
            migrations_failed: migrations.failed,
            last_migration_error: migrations.last_error,
        }
    }
}
