//! Components that are deployed by upload: each serves in place of the manifest's
//! file, until that has another content or somebody goes back.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use holdfast_core::metrics::Reload;

use super::back::{conflict, find};
use super::build::{Built, Done, Look, Order};
use super::deployed::Deployed;
use super::fault::Fault;
use super::plan::Name;
use super::report::{Change, What};
use super::settle::{log, too_large};
use super::stamp::{Seen, Stamp, content};
use super::{Fleet, Refusal, RefusalKind, Reply};
use crate::depot::{Kept, Record};

/// A component that is to serve.
pub(crate) struct Upload {
    pub(crate) name: Name,
    pub(crate) component: Kept,
    pub(crate) reply: Reply<Result<Change, Refusal>>,
}

impl Fleet {
    /// Lets a kept component serve. It is recorded before anybody is served by
    /// it. None if the host ends.
    pub(super) fn deploy(&mut self, name: &Name, kept: &Kept) -> Option<Result<Change, Refusal>> {
        let (order, turns) = match self.upload_order(name, kept) {
            Ok(Some(it)) => it,
            Ok(None) => return Some(self.unchanged(name)),
            Err(refusal) => return Some(Err(refusal)),
        };
        let number = order.number;
        let done = self.make(order)?;
        let result = built(done, kept).and_then(|built| self.bring(name, built, turns));
        let deployed = self.plugins.get_mut(name);
        if let (Err(refusal), Some(deployed)) = (&result, deployed) {
            deployed.return_number(number);
            deployed.metrics.note_reload(Reload::Failed);
            let (tenant, plugin) = (&*name.tenant, &*name.plugin);
            tracing::warn!(tenant, plugin, "a deploy is refused: {refusal}");
        }
        Some(result)
    }

    /// What is to be made; nothing if the component serves already.
    fn upload_order(&mut self, name: &Name, kept: &Kept) -> Result<Option<(Order, u32)>, Refusal> {
        let ceiling = self.ceiling;
        let deployed = find(&mut self.plugins, name)?;
        if deployed
            .newest()
            .is_some_and(|it| it.digest == kept.digest())
        {
            return Ok(None);
        }
        let entry = Arc::clone(&deployed.wanted);
        if let Some(exceeded) = ceiling.exceeded(&entry) {
            return Err(unusable(too_large(exceeded)));
        }
        if entry.values().any(|value| value.secret.is_none()) {
            return Err(conflict(
                format!("a setting of the plugin {name} can't be read"),
                "`holdfast status` says which; mend it first",
            ));
        }
        let order = deployed.generation(&entry, Some(unseen(kept.path())), None);
        Ok(Some((order, deployed.turns)))
    }

    fn unchanged(&mut self, name: &Name) -> Result<Change, Refusal> {
        Ok(find(&mut self.plugins, name)?.change(name, What::Noted))
    }

    fn bring(&mut self, name: &Name, built: Built, turns: u32) -> Result<Change, Refusal> {
        let deployed = find(&mut self.plugins, name)?;
        if deployed.turns != turns {
            return Err(conflict(
                format!("somebody has rolled the plugin {name} back or promoted it meanwhile"),
                "deploy again, if it is still to serve",
            ));
        }
        let deploy = built.version.entry.deploy;
        let digest = built.version.digest.as_str();
        let stable = deployed.stable.as_ref().map(|it| it.digest.clone());
        let (stable, canary) = match deployed.would_be_canary(deploy) {
            true => (stable.as_deref(), Some(digest)),
            false => (Some(digest), None),
        };
        self.record(name, stable, canary).map_err(|error| Refusal {
            kind: RefusalKind::Storage,
            message: format!("the deployment can't be recorded: {error}"),
            hint: "see whether the disk of the data folder is full".into(),
        })?;
        log(&built, false);
        self.builder.runtime.install(built.prepared);
        let deployed = find(&mut self.plugins, name)?;
        self.hub.set_draining(deployed.id, false);
        deployed.install(built.version, deploy);
        deployed.fault = None;
        deployed.metrics.note_reload(Reload::Installed);
        let change = deployed.change(name, What::Deployed);
        self.after_turn();
        Ok(change)
    }

    /// Records what serves now, where that can't fail any more. What is lost then
    /// is lost at the end of the process only.
    pub(super) fn remember(&self, name: &Name) {
        let Some(deployed) = self.plugins.get(name) else {
            return;
        };
        let digest = |version: &Option<super::version::Version>| {
            version.as_ref().map(|version| version.digest.clone())
        };
        let (stable, canary) = (digest(&deployed.stable), digest(&deployed.canary));
        if let Err(error) = self.record(name, stable.as_deref(), canary.as_deref()) {
            let (tenant, plugin) = (&*name.tenant, &*name.plugin);
            tracing::error!(tenant, plugin, %error, "what serves now can't be recorded");
        }
    }

    /// Forgets a plugin that is gone.
    pub(super) fn forget(&self, name: &Name) {
        let Some(depot) = &self.depot else { return };
        if let Err(error) = depot.set_record(name, Record::default()) {
            let (tenant, plugin) = (&*name.tenant, &*name.plugin);
            tracing::error!(tenant, plugin, %error, "a removed plugin can't be forgotten");
        }
    }

    fn record(&self, name: &Name, stable: Option<&str>, canary: Option<&str>) -> io::Result<()> {
        let (Some(depot), Some(deployed)) = (&self.depot, self.plugins.get(name)) else {
            return Ok(());
        };
        let before = depot.record(name);
        let is_kept = |digest: &&str| depot.path(digest).exists();
        let file = deployed.seen.content.as_deref();
        let digest = stable.filter(is_kept).filter(|it| Some(*it) != file);
        let canary = canary.filter(is_kept);
        let mut history: Vec<String> = Vec::new();
        let served = deployed.stable.iter().chain(deployed.history.iter());
        let served = served.map(|version| &version.digest);
        for past in served.chain(&before.digest).chain(&before.history) {
            let is_current = Some(past.as_str()) == digest || Some(past.as_str()) == canary;
            if !is_current && !history.contains(past) && is_kept(&past.as_str()) {
                history.push(past.clone());
            }
        }
        history.truncate(deployed.wanted.deploy.generations_kept as usize);
        depot.set_record(
            name,
            Record {
                digest: digest.map(str::to_owned),
                file: digest.and(file).map(str::to_owned),
                canary: canary.map(str::to_owned),
                history,
            },
        )
    }

    /// At the start of the host: what was deployed in place of the file, if the
    /// file is still as it was then.
    pub(super) fn resume(&self, name: &Name, deployed: &mut Deployed) -> Option<Done> {
        let depot = self.depot.as_ref()?;
        let record = depot.record(name);
        let digest = record.digest?;
        let entry = Arc::clone(&deployed.wanted);
        let stamp = Stamp::of(&entry.component);
        let read = self.builder.read(&entry, &entry.component).ok();
        let content = read.map(|it| content(&it));
        if content.is_some() && content != record.file {
            return None;
        }
        let order = deployed.generation(&entry, Some(unseen(depot.path(&digest))), None);
        let number = order.number;
        let done = self.builder.run(order);
        match done.result {
            Ok(Some(built)) if built.version.digest == digest => Some(Done {
                seen: Some(Seen::new(stamp, content)),
                result: Ok(Some(built)),
            }),
            result => {
                deployed.return_number(number);
                let fault = result.err().unwrap_or_else(|| damaged(&digest));
                fault.log_of(name, "what was deployed can't be loaded; the file serves");
                None
            }
        }
    }
}

/// A look into a file of which nothing is known.
fn unseen(path: PathBuf) -> Look {
    Look {
        path,
        known: Vec::new(),
    }
}

/// What was made, if it is what was uploaded.
fn built(done: Done, kept: &Kept) -> Result<Built, Refusal> {
    match done.result {
        Ok(Some(built)) if built.version.digest == kept.digest() => Ok(built),
        Ok(_) => Err(unusable(damaged(kept.digest()))),
        Err(fault) => Err(unusable(fault)),
    }
}

fn damaged(digest: &str) -> Fault {
    Fault::new(
        format!("the component {digest} is damaged in the data folder"),
        "deploy it once more",
    )
}

fn unusable(fault: Fault) -> Refusal {
    Refusal {
        kind: RefusalKind::Unusable,
        message: fault.message,
        hint: fault.hint.unwrap_or_default(),
    }
}
