//! One plugin of the manifest, with its generations.

use std::sync::Arc;

use holdfast_core::deploy::{Deploy, Strategy};
use holdfast_core::manifest::Plugin;
use holdfast_core::metrics::PluginMetrics;
use holdfast_core::{PluginId, Settings, TenantId, Volume};
use holdfast_runtime::Loaded;

use super::build::{Look, Order};
use super::fault::Fault;
use super::plan::{Known, Step};
use super::stamp::Seen;
use super::version::{History, Version};

/// A plugin that is in the manifest.
pub(crate) struct Deployed {
    pub(crate) id: PluginId,
    pub(crate) tenant: TenantId,
    /// What the manifest says of it now.
    pub(crate) wanted: Arc<Plugin>,
    /// The component's file.
    pub(crate) seen: Seen,
    /// What serves everybody, or all whom the canary does not; none if it could
    /// never be loaded.
    pub(crate) stable: Option<Version>,
    pub(crate) canary: Option<Version>,
    pub(crate) history: History,
    pub(crate) fault: Option<Fault>,
    /// What is counted of it.
    pub(crate) metrics: Arc<PluginMetrics>,
    /// The number of the newest generation, or of one that is being made.
    last_number: u32,
    /// How often somebody has gone back or promoted. What is being made
    /// meanwhile is not installed.
    pub(crate) turns: u32,
    /// What the edge is told of a plugin that was never loaded: it has no
    /// handlers, so that its routes lead to 404 and not to another plugin.
    placeholder: Arc<Settings>,
}

impl Deployed {
    /// A plugin without generations.
    pub(crate) fn new(id: PluginId, tenant: TenantId, entry: Arc<Plugin>) -> Self {
        let metrics = Arc::default();
        let placeholder = settings(&entry, id, tenant, &metrics);
        Self {
            id,
            tenant,
            wanted: entry,
            seen: Seen::default(),
            stable: None,
            canary: None,
            history: History::default(),
            fault: None,
            metrics,
            last_number: 0,
            turns: 0,
            placeholder: Arc::new(placeholder),
        }
    }

    /// The generation that was installed last, and still serves.
    pub(crate) fn newest(&self) -> Option<&Version> {
        self.canary.as_ref().or(self.stable.as_ref())
    }

    /// What the routes lead to.
    pub(crate) fn settings(&self) -> &Arc<Settings> {
        let stable = self.stable.as_ref();
        stable.map_or(&self.placeholder, |version| &version.settings)
    }

    /// For [`super::plan::step`].
    pub(crate) fn known(&self) -> Known<'_> {
        Known {
            wanted: &self.wanted,
            serving: self.newest().map(|version| &*version.entry),
            has_canary: self.canary.is_some(),
        }
    }

    /// The order for a step; none for those which make nothing. With `retry`, a
    /// component that could not be loaded is loaded again, even if it is the
    /// same.
    pub(crate) fn order(&mut self, step: Step, entry: &Arc<Plugin>, retry: bool) -> Option<Order> {
        let (file, renew) = match step {
            Step::Nothing | Step::Note => return None,
            Step::Renew => (None, true),
            Step::Load { renew } => (Some(self.look(entry, retry)), renew),
        };
        let newest = self.newest().filter(|_| renew);
        let loaded = newest.map(|version| version.loaded.clone());
        Some(self.generation(entry, file, loaded))
    }

    /// The order for a generation of what is in the file, or of what is loaded.
    pub(crate) fn generation(
        &mut self,
        entry: &Arc<Plugin>,
        file: Option<Look>,
        loaded: Option<Loaded>,
    ) -> Order {
        self.last_number += 1;
        Order {
            id: self.id,
            tenant: self.tenant,
            number: self.last_number,
            metrics: Arc::clone(&self.metrics),
            entry: Arc::clone(entry),
            deploy: entry.deploy,
            file,
            loaded,
        }
    }

    fn look(&self, entry: &Plugin, retry: bool) -> Look {
        let serving = self.newest().map(|version| version.digest.clone());
        // In another file, the same content is a component that was not seen.
        let is_same_file = self.wanted.component == entry.component;
        let seen = self.seen.content.clone().filter(|content| {
            let mut history = self.history.iter();
            let is_replaced = history.any(|it| it.given_up && it.digest == *content);
            is_same_file && (!retry || self.is_uploaded() || is_replaced)
        });
        Look {
            path: entry.component.clone(),
            known: serving.into_iter().chain(seen).collect(),
        }
    }

    /// Whether what serves is not what is in the file, since something else was
    /// deployed in its place.
    fn is_uploaded(&self) -> bool {
        let newest = self.newest();
        self.fault.is_none()
            && newest.is_some_and(|it| Some(&it.digest) != self.seen.content.as_ref())
    }

    /// Gives a number back, if no later one has been taken.
    pub(crate) fn return_number(&mut self, number: u32) {
        if self.last_number == number {
            self.last_number -= 1;
        }
    }

    /// Enters a generation which has been installed with `deploy`.
    pub(crate) fn install(&mut self, version: Version, deploy: Deploy) {
        if self.would_be_canary(deploy) {
            // Nobody goes back to a canary that was replaced by another.
            self.canary = Some(version);
            return;
        }
        self.canary = None;
        self.serve(version);
    }

    /// Whether a generation that is installed with `deploy` serves a share only:
    /// the first one never does.
    pub(crate) fn would_be_canary(&self, deploy: Deploy) -> bool {
        matches!(deploy.strategy, Strategy::Canary(_)) && self.stable.is_some()
    }

    /// Lets a generation be the one for everybody, and keeps the one before.
    pub(crate) fn serve(&mut self, version: Version) {
        let kept = self.wanted.deploy.generations_kept;
        if let Some(before) = self.stable.replace(version) {
            self.history.push(before, kept);
        }
    }
}

/// What the edge is told of a plugin that has nothing loaded. A generation has
/// its number and its handlers besides.
pub(crate) fn settings(
    entry: &Plugin,
    id: PluginId,
    tenant: TenantId,
    metrics: &Arc<PluginMetrics>,
) -> Settings {
    Settings {
        id,
        generation: 0,
        tenant,
        name: entry.name.as_str().into(),
        tenant_name: entry.tenant.as_str().into(),
        tenant_limits: Arc::clone(&entry.tenant_limits),
        handlers: Default::default(),
        connection: entry.limits.connection.clone(),
        http: entry.limits.http.clone(),
        access_log: entry.access_log,
        metrics: Arc::clone(metrics),
        log: Arc::new(Volume::new(entry.limits.log.bytes_per_second_max)),
    }
}
