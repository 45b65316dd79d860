//! What `holdfast status` shows, as JSON.

use std::collections::BTreeMap;
use std::time::SystemTime;

use holdfast_core::deploy::Strategy;
use holdfast_core::time;
use holdfast_edge::Hub;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::board::{Board, Entry, Mark, TenantEntry};
use super::fault::Fault;
use holdfast_runtime::{Role, Runtime};

/// The state of a host.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Status {
    /// Sorted by name.
    pub(crate) tenants: Vec<TenantStatus>,
    /// Sorted by tenant and name.
    pub(crate) plugins: Vec<PluginStatus>,
    /// Why the manifest, as it is now, is not in force.
    pub(crate) manifest_error: Option<FaultStatus>,
    /// Why a certificate of the operator's, as it is now, is not in force.
    #[serde(default)]
    pub(crate) certificate_error: Option<FaultStatus>,
    /// Keys that have changed in the manifest and need a restart.
    pub(crate) restart_needed_for: Vec<String>,
    /// Whether clients are to be sent here; false once the host has been asked to
    /// end.
    pub(crate) is_ready: bool,
}

/// One tenant.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct TenantStatus {
    pub(crate) name: String,
    /// Within which its routes are; empty for any.
    pub(crate) hosts: Vec<String>,
    /// What is wrong with its own file.
    pub(crate) last_error: Option<FaultStatus>,
}

/// One plugin.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct PluginStatus {
    pub(crate) tenant: String,
    pub(crate) name: String,
    /// Path of its component.
    pub(crate) component: String,
    /// What serves everybody whom a canary does not; none if it could not be
    /// loaded yet.
    pub(crate) generation: Option<u32>,
    pub(crate) digest: Option<String>,
    /// `all`, `canary` or `pin`.
    pub(crate) strategy: String,
    /// Share of a canary.
    pub(crate) canary_percent: Option<u8>,
    /// Those which serve, newest first.
    pub(crate) generations: Vec<GenerationStatus>,
    /// Those to which one can go back, newest first.
    pub(crate) kept: Vec<KeptStatus>,
    pub(crate) last_error: Option<FaultStatus>,
}

/// A generation that serves somebody.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct GenerationStatus {
    pub(crate) number: u32,
    /// `stable`, `canary` or `old`.
    pub(crate) role: String,
    pub(crate) digest: Option<String>,
    /// Seconds since it was installed.
    pub(crate) age_s: Option<u64>,
    pub(crate) connections: u32,
    pub(crate) events: u64,
    pub(crate) failed: u64,
    pub(crate) migrations_failed: u64,
    pub(crate) last_migration_error: Option<String>,
}

/// A generation that is kept.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct KeptStatus {
    pub(crate) number: u32,
    pub(crate) digest: String,
    /// It was rolled back.
    pub(crate) given_up: bool,
}

/// What went wrong last.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct FaultStatus {
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
    /// When, in UTC (RFC 3339).
    pub(crate) at: String,
    /// Digest of the component that is at fault.
    pub(crate) digest: Option<String>,
}

impl Status {
    /// What the fleet has written down, with what the runtime and the edge count.
    pub(crate) fn of(board: &Board, runtime: &Runtime, hub: &Hub) -> Self {
        let notes = board.read();
        let plugins = notes.plugins.iter();
        Self {
            tenants: notes.tenants.iter().map(tenant).collect(),
            plugins: plugins.map(|it| plugin(it, runtime, hub)).collect(),
            manifest_error: notes.manifest_fault.as_ref().map(fault),
            certificate_error: notes.certificate_fault.as_ref().map(fault),
            restart_needed_for: notes.restart_keys.iter().map(|&it| it.to_owned()).collect(),
            is_ready: true,
        }
    }
}

fn tenant(entry: &TenantEntry) -> TenantStatus {
    TenantStatus {
        name: entry.name.clone(),
        hosts: entry.hosts.clone(),
        last_error: entry.fault.as_ref().map(fault),
    }
}

pub(super) fn plugin(entry: &Entry, runtime: &Runtime, hub: &Hub) -> PluginStatus {
    let alive = runtime.generations(entry.id);
    let counts = connections(&alive, entry, hub);
    let marks = || entry.canary.iter().chain(&entry.stable).chain(&entry.kept);
    let mut generations: Vec<_> = alive
        .into_iter()
        .map(|it| {
            let mark = marks().find(|mark| mark.number == it.number);
            GenerationStatus {
                number: it.number,
                role: role(it.role).to_owned(),
                digest: mark.map(|mark| mark.digest.clone()),
                age_s: mark.map(age_s),
                connections: counts.get(&it.number).copied().unwrap_or(0),
                events: it.events,
                failed: it.failed,
                migrations_failed: it.migrations_failed,
                last_migration_error: it.last_migration_error,
            }
        })
        .collect();
    generations.sort_by_key(|it| std::cmp::Reverse(it.number));
    let (strategy, canary_percent) = match entry.strategy {
        Strategy::All => ("all", None),
        Strategy::Canary(percent) => ("canary", Some(percent)),
        Strategy::Pin => ("pin", None),
    };
    PluginStatus {
        tenant: entry.name.tenant.clone(),
        name: entry.name.plugin.clone(),
        component: entry.component.clone(),
        generation: entry.stable.as_ref().map(|mark| mark.number),
        digest: entry.stable.as_ref().map(|mark| mark.digest.clone()),
        strategy: strategy.to_owned(),
        canary_percent,
        generations,
        kept: entry.kept.iter().map(kept).collect(),
        last_error: entry.fault.as_ref().map(fault),
    }
}

/// Connections of each generation. One that was last served by a generation which
/// is gone counts for the stable one, which will serve it.
fn connections(
    alive: &[holdfast_runtime::GenerationStatus],
    entry: &Entry,
    hub: &Hub,
) -> BTreeMap<u32, u32> {
    let stable = alive.iter().find(|it| it.role == Role::Stable);
    let stable = stable.map_or(0, |it| it.number);
    let mut counts = BTreeMap::new();
    for (number, count) in hub.generation_counts(entry.id) {
        let is_alive = alive.iter().any(|it| it.number == number);
        *counts
            .entry(if is_alive { number } else { stable })
            .or_default() += count;
    }
    counts
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Stable => "stable",
        Role::Canary => "canary",
        Role::Old => "old",
    }
}

/// Seconds; 0 if the clock was turned back.
fn age_s(mark: &Mark) -> u64 {
    let age = SystemTime::now().duration_since(mark.since);
    age.unwrap_or_default().as_secs()
}

fn kept(mark: &Mark) -> KeptStatus {
    KeptStatus {
        number: mark.number,
        digest: mark.digest.clone(),
        given_up: mark.given_up,
    }
}

pub(super) fn fault(fault: &Fault) -> FaultStatus {
    FaultStatus {
        message: fault.message.clone(),
        hint: fault.hint.clone(),
        at: time::rfc3339(fault.at),
        digest: fault.digest.clone(),
    }
}
