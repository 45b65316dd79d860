//! What others may read of the fleet while it is at work: a copy, made after
//! every change.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use holdfast_core::deploy::Strategy;
use holdfast_core::limits::TenantLimits;
use holdfast_core::manifest::Plugin;
use holdfast_core::metrics::PluginMetrics;
use holdfast_core::{PluginId, TenantId};

use super::Fleet;
use super::deployed::Deployed;
use super::fault::Fault;
use super::plan::Name;
use super::version::Version;

/// Where the copy hangs.
#[derive(Clone, Default)]
pub(crate) struct Board(Arc<Mutex<Arc<Notes>>>);

/// The copy.
#[derive(Default)]
pub(crate) struct Notes {
    pub(super) manifest_fault: Option<Fault>,
    pub(super) certificate_fault: Option<Fault>,
    pub(super) restart_keys: Vec<&'static str>,
    pub(super) tenants: Vec<TenantEntry>,
    pub(super) plugins: Vec<Entry>,
}

/// One tenant.
pub(super) struct TenantEntry {
    pub(super) name: String,
    /// Its hosts; empty for any.
    pub(super) hosts: Vec<String>,
    /// What its plugins may take together; none if it is not in force.
    pub(super) limits: Option<Arc<TenantLimits>>,
    pub(super) fault: Option<Fault>,
}

/// One plugin.
pub(super) struct Entry {
    pub(super) name: Name,
    pub(super) id: PluginId,
    pub(super) tenant: TenantId,
    /// What the manifest said of what serves everybody; of what could never be
    /// loaded, what it says now.
    pub(super) entry: Arc<Plugin>,
    pub(super) component: String,
    pub(super) strategy: Strategy,
    pub(super) metrics: Arc<PluginMetrics>,
    pub(super) fault: Option<Fault>,
    pub(super) stable: Option<Mark>,
    pub(super) canary: Option<Mark>,
    /// Newest first.
    pub(super) kept: Vec<Mark>,
}

/// One generation.
pub(super) struct Mark {
    pub(super) number: u32,
    pub(super) digest: String,
    pub(super) since: SystemTime,
    pub(super) given_up: bool,
}

impl Board {
    /// The newest copy.
    pub(super) fn read(&self) -> Arc<Notes> {
        Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn write(&self, notes: Notes) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(notes);
    }
}

impl Fleet {
    /// Lets others see what is deployed now.
    pub(super) fn publish(&self) {
        self.board.write(Notes {
            manifest_fault: self.source.fault().cloned(),
            certificate_fault: self.certificates.fault().cloned(),
            restart_keys: self.source.restart_keys.clone(),
            tenants: self.tenant_entries(),
            plugins: self.plugins.iter().map(entry).collect(),
        });
    }

    /// Those in force, and those with a fault.
    fn tenant_entries(&self) -> Vec<TenantEntry> {
        let known = self.manifest.tenants.iter();
        let mut known: BTreeMap<_, _> = known.map(|it| (&it.name, Some(it))).collect();
        let faults: BTreeMap<_, _> = self.source.tenants.faults().collect();
        for name in faults.keys() {
            known.entry(name).or_default();
        }
        let entries = known.into_iter().map(|(name, tenant)| TenantEntry {
            name: name.clone(),
            hosts: tenant.map_or(Vec::new(), |it| {
                it.hosts.iter().map(ToString::to_string).collect()
            }),
            limits: tenant.map(|it| Arc::clone(&it.limits)),
            fault: faults.get(name).map(|&fault| fault.clone()),
        });
        entries.collect()
    }
}

fn entry((name, deployed): (&Name, &Deployed)) -> Entry {
    Entry {
        name: name.clone(),
        id: deployed.id,
        tenant: deployed.tenant,
        entry: Arc::clone(
            deployed
                .stable
                .as_ref()
                .map_or(&deployed.wanted, |it| &it.entry),
        ),
        component: deployed.wanted.component.display().to_string(),
        strategy: deployed.wanted.deploy.strategy,
        metrics: Arc::clone(&deployed.metrics),
        fault: deployed.fault.clone(),
        stable: deployed.stable.as_ref().map(mark),
        canary: deployed.canary.as_ref().map(mark),
        kept: deployed.history.iter().map(mark).collect(),
    }
}

fn mark(version: &Version) -> Mark {
    Mark {
        number: version.number,
        digest: version.digest.clone(),
        since: version.since,
        given_up: version.given_up,
    }
}
