//! The end of a look: what was made is installed, what has failed is noted, and
//! the routes lead to what serves now.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use holdfast_core::manifest::{self, Manifest, Origin, Plugin};
use holdfast_core::metrics::Reload;
use holdfast_edge::{Destination, Route, Site};

use super::build::{Built, Done};
use super::deployed::Deployed;
use super::fault::Fault;
use super::plan::Name;
use super::report::{Change, What};
use super::{Files, Fleet};

/// A plugin that a look is concerned with.
pub(super) struct Item {
    pub(super) name: Name,
    pub(super) entry: Arc<Plugin>,
    pub(super) is_new: bool,
    /// The number of the generation that was ordered.
    pub(super) number: Option<u32>,
    /// See [`Deployed::turns`].
    pub(super) turns: u32,
    /// Why nothing was ordered: a limit that the engines can't hold, or a setting
    /// that can't be read.
    pub(super) refused: Option<Fault>,
}

impl Fleet {
    /// Makes true for one plugin what has come of its order.
    pub(super) fn settle(&mut self, item: Item, done: Option<Done>) -> Option<Change> {
        let deployed = self.plugins.get_mut(&item.name)?;
        if deployed.wanted.component != item.entry.component {
            // What was known is of the file before.
            deployed.seen = Default::default();
        }
        deployed.wanted = Arc::clone(&item.entry);
        deployed.history.keep(item.entry.deploy.generations_kept);
        let result = match (item.refused, done) {
            (Some(fault), _) => Err(fault),
            (None, Some(done)) => {
                if let Some(seen) = done.seen {
                    deployed.seen = seen;
                }
                done.result
            }
            (None, None) => Ok(None),
        };
        let built = match result {
            Ok(Some(built)) if deployed.turns == item.turns => built,
            Ok(_) => {
                item.number
                    .into_iter()
                    .for_each(|it| deployed.return_number(it));
                deployed.forgive();
                return Some(deployed.change(&item.name, What::Noted));
            }
            Err(fault) => {
                item.number
                    .into_iter()
                    .for_each(|it| deployed.return_number(it));
                fault.log_of(&item.name, "a generation can't be loaded");
                deployed.fault = Some(fault);
                deployed.metrics.note_reload(Reload::Failed);
                return Some(deployed.change(&item.name, What::Failed));
            }
        };
        log(&built, item.is_new);
        self.builder.runtime.install(built.prepared);
        self.hub.set_draining(deployed.id, false);
        deployed.install(built.version, item.entry.deploy);
        deployed.fault = None;
        deployed.metrics.note_reload(Reload::Installed);
        let what = if item.is_new {
            What::Added
        } else {
            What::Reloaded
        };
        let change = deployed.change(&item.name, what);
        self.remember(&item.name);
        Some(change)
    }

    /// Puts a new manifest in force, if there is one, and lets the routes lead to
    /// what serves now.
    pub(super) fn take_over(&mut self, candidate: Option<Manifest>) -> Vec<Change> {
        let mut changes = Vec::new();
        if let Some(mut manifest) = candidate {
            let names: HashSet<_> = manifest.plugins.iter().map(Name::of).collect();
            // What the host was started with, it keeps.
            manifest.host = self.manifest.host.clone();
            self.manifest = manifest;
            let is_gone = |name: &Name, _: &mut Deployed| !names.contains(name);
            let gone: Vec<_> = self.plugins.extract_if(.., is_gone).collect();
            self.route();
            for (name, deployed) in gone {
                tracing::info!(tenant = name.tenant, plugin = name.plugin, "plugin removed");
                self.begin_removal(deployed.id);
                self.forget(&name);
                let mut change = deployed.change(&name, What::Removed);
                (change.generation, change.digest) = (None, None);
                changes.push(change);
            }
        } else {
            self.route();
        }
        self.builder.runtime.tidy();
        self.publish();
        (self.on_files)(self.files());
        changes
    }

    /// Gives the edge the routes.
    pub(super) fn route(&self) {
        let routes = self.manifest.routes.iter().filter_map(|route| {
            let to = match &route.to {
                manifest::Destination::Plugin(plugin) => {
                    let entry = self.manifest.plugins.get(*plugin)?;
                    let deployed = self.plugins.get(&Name::of(entry))?;
                    Destination::Plugin(Arc::clone(deployed.settings()))
                }
                manifest::Destination::Files(files) => Destination::Files(Arc::clone(files)),
            };
            Some(Route {
                host: route.host.clone(),
                path: route.path.clone(),
                kind: route.kind,
                to,
            })
        });
        self.hub.set_site(Site::new(routes.collect()));
    }

    /// The files that matter.
    fn files(&self) -> Files {
        let entries = self.plugins.values().map(|it| &it.wanted);
        let components = entries.clone().filter(|it| it.image.is_none());
        let components = components.map(|it| it.component.clone());
        let values = entries.flat_map(|it| it.values());
        let values = values.filter_map(|value| match &value.origin {
            Origin::File(path) => Some(path.clone()),
            Origin::Manifest | Origin::Env(_) => None,
        });
        let manifests = self.source.path.iter().cloned();
        let manifests = manifests.chain(self.source.tenants.files());
        Files {
            files: manifests
                .chain(components)
                .chain(values)
                .chain(self.certificates.files())
                .collect(),
            folders: self
                .source
                .tenants
                .folder()
                .into_iter()
                .map(Path::to_owned)
                .collect(),
        }
    }
}

impl Deployed {
    /// Forgets what went wrong, if what was wrong is no longer so: the file has
    /// what serves, or the entry is what serves.
    fn forgive(&mut self) {
        let Some(fault) = &self.fault else { return };
        let newest = self.newest();
        let is_mended = match &fault.file {
            Some(_) => newest.is_some_and(|it| self.seen.content.as_ref() == Some(&it.digest)),
            None => newest.is_some_and(|it| it.entry == self.wanted),
        };
        if is_mended {
            self.fault = None;
        }
    }

    /// What has become of it.
    pub(super) fn change(&self, name: &Name, what: What) -> Change {
        let error = self.fault.as_ref().filter(|_| what == What::Failed);
        Change {
            tenant: name.tenant.clone(),
            plugin: name.plugin.clone(),
            what,
            generation: self.newest().map(|version| version.number),
            digest: self.newest().map(|version| version.digest.clone()),
            error: error.map(Fault::message),
        }
    }
}

pub(super) fn log(built: &Built, is_new: bool) {
    let settings = &built.version.settings;
    tracing::info!(
        tenant = &*settings.tenant_name,
        plugin = &*settings.name,
        generation = settings.generation,
        digest = built.version.digest.get(..12),
        http = settings.handlers.http,
        websocket = settings.handlers.websocket,
        linked = built.version.loaded.linked(),
        load_ms = built.load_ms,
        "{}",
        if is_new {
            "plugin loaded"
        } else {
            "plugin reloaded"
        }
    );
}

pub(super) fn too_large((key, value, max): (&str, usize, usize)) -> Fault {
    Fault::new(
        format!("`{key}` is {value}, but the engines of this host were made for {max}"),
        "restart the host, which makes them anew, or lower the limit",
    )
}
