//! A look at the files: what has changed is loaded, and then installed, all of
//! it at once.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use holdfast_core::manifest::{Manifest, Plugin};

use super::build::{Done, Order};
use super::fault::Fault;
use super::plan::{Name, Step, restart_keys, step};
use super::settle::{Item, too_large};
use super::stamp::Stamp;
use super::tenants::Main;
use super::{Command, Fleet, Reply, Report, deployed::Deployed, source, values};

/// What to look at, and why.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    pub(crate) why: Why,
    /// Files that somebody is writing at this moment, as they are named in the
    /// manifest.
    pub(crate) busy: Vec<PathBuf>,
    /// Files of which the system has told that they are complete, named alike.
    pub(crate) complete: Vec<PathBuf>,
}

/// Why one looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Why {
    /// It was time to: what has changed is believed if it stays so.
    Poll,
    /// The system has told of a change.
    Event,
    /// Somebody has asked: what has failed is tried again, and nothing is
    /// thought busy.
    Asked,
}

impl Look {
    /// A look that somebody asks for.
    pub(crate) fn asked() -> Self {
        Self {
            why: Why::Asked,
            busy: Vec::new(),
            complete: Vec::new(),
        }
    }

    pub(super) fn is_busy(&self, path: &Path) -> bool {
        self.why != Why::Asked && self.busy.iter().any(|busy| busy == path)
    }

    /// What has come of a component, but nothing if it can't be loaded and is
    /// perhaps half there: somebody may have begun to write it when this look
    /// had begun, or before the watcher was there. It stays due.
    fn unless_partial(&self, done: Done) -> Done {
        let Err(Fault {
            file: Some(file),
            digest: Some(_),
            ..
        }) = &done.result
        else {
            return done;
        };
        let is_told = self.why == Why::Asked || self.complete.contains(file);
        match !is_told && Stamp::of(file).is_some_and(|it| it.is_fresh()) {
            true => Done {
                seen: None,
                result: Ok(None),
            },
            false => done,
        }
    }
}

/// A look that waits until the one before is done, and who waits for it.
pub(super) struct Deferred {
    pub(super) look: Look,
    pub(super) replies: Vec<Reply<Report>>,
}

impl Deferred {
    pub(super) fn new(look: Look, reply: Option<Reply<Report>>) -> Self {
        let replies = reply.into_iter().collect();
        Self { look, replies }
    }

    /// One look for all who want one. The last event knows best who is writing.
    pub(super) fn join(&mut self, look: Look, reply: Option<Reply<Report>>) {
        if look.why != Why::Poll {
            self.look.busy = look.busy;
            self.look.complete.extend(look.complete);
        }
        self.look.why = self.look.why.max(look.why);
        self.replies.extend(reply);
    }
}

impl Fleet {
    /// Looks at every file, and makes true what has changed.
    pub(super) fn look(&mut self, look: &Look) -> Report {
        let mut report = Report::default();
        let candidate = self.read_manifest(look);
        report.manifest_error = self.source.fault().map(Fault::message);
        if self.certificates.look(candidate.as_ref(), look) {
            self.publish();
        }
        report.certificate_error = self.certificates.fault().map(Fault::message);
        report.tenant_errors = self.source.tenant_errors();
        let entries: Vec<_> = match &candidate {
            Some(manifest) => manifest.plugins.iter().cloned().map(Arc::new).collect(),
            None => self.plugins.values().map(|it| it.wanted.clone()).collect(),
        };
        let mut items = Vec::new();
        for entry in entries {
            items.extend(self.item(entry, look));
        }
        if candidate.is_none() && items.is_empty() {
            return report;
        }
        let mut made = Vec::with_capacity(items.len());
        for (item, order) in items {
            let done = match order {
                Some(order) => match self.make(order) {
                    Some(done) => Some(look.unless_partial(done)),
                    // The host ends.
                    None => return report,
                },
                None => None,
            };
            made.push((item, done));
        }
        for (item, done) in made {
            report.changes.extend(self.settle(item, done));
        }
        report.changes.extend(self.take_over(candidate));
        report
    }

    /// The manifest, if its file or that of a tenant says something new that
    /// holds.
    fn read_manifest(&mut self, look: &Look) -> Option<Manifest> {
        let new = self.read_main(look);
        let is_new = new.is_some();
        let source = &mut self.source;
        source.main = new.or(source.main.take());
        let main = source.main.as_ref()?;
        let faults = source.tenants.fault_times();
        let is_changed = source.tenants.look(main, is_new, look);
        if is_new || is_changed {
            return Some(source.tenants.join(main));
        }
        if source.tenants.fault_times() != faults {
            self.publish();
        }
        None
    }

    /// The operator's part of it, if its file says something new that holds.
    fn read_main(&mut self, look: &Look) -> Option<Main> {
        let path = self.source.path.clone()?;
        let is_retry = look.why == Why::Asked && self.source.fault.is_some();
        let is_due = self
            .source
            .seen
            .is_due(Stamp::of(&path), look.why == Why::Poll);
        if look.is_busy(&path) || !(is_due || is_retry) {
            return None;
        }
        let source::Read { seen, text } = source::read(&path);
        let is_same = seen.content.is_some() && seen.content == self.source.seen.content;
        if is_same && !is_retry {
            self.source.seen = seen;
            return None;
        }
        match text.and_then(|text| source::parse(&path, &text)) {
            Ok(main) => {
                let manifest = &main.manifest;
                if self.has_busy_component(manifest, look) {
                    // The manifest stays due: it is taken together with them.
                    return None;
                }
                self.source.seen = seen;
                self.source.fault = None;
                self.source.restart_keys = restart_keys(&self.manifest.host, &manifest.host);
                if !self.source.restart_keys.is_empty() {
                    let keys = self.source.restart_keys.join(", ");
                    tracing::warn!(keys, "what has changed in the manifest needs a restart");
                }
                Some(main)
            }
            Err(problem) => {
                let content = seen.content.clone();
                self.source.seen = seen;
                let fault = Fault::from(problem).in_file(path, content);
                fault.log("the manifest is not in force, the one before is");
                self.source.fault = Some(fault);
                self.publish();
                None
            }
        }
    }

    /// Whether somebody is still writing a file that the manifest newly names.
    fn has_busy_component(&self, manifest: &Manifest, look: &Look) -> bool {
        manifest.plugins.iter().any(|entry| {
            let deployed = self.plugins.get(&Name::of(entry));
            let is_new = deployed.is_none_or(|it| it.wanted.component != entry.component);
            is_new && look.is_busy(&entry.component)
        })
    }

    /// What has to be done for an entry, if anything, and what has to be made
    /// for it.
    fn item(&mut self, mut entry: Arc<Plugin>, look: &Look) -> Option<(Item, Option<Order>)> {
        let name = Name::of(&entry);
        let filled = match values::are_elsewhere(&entry) {
            true => {
                let before = self.plugins.get(&name).map(|it| Arc::clone(&it.wanted));
                let entry = Arc::make_mut(&mut entry);
                values::fill(entry, before.as_deref(), |path| look.is_busy(path))
            }
            false => Ok(()),
        };
        let stamp = Stamp::of(&entry.component);
        let is_retry = look.why == Why::Asked;
        let (step, is_new) = match self.plugins.get_mut(&name) {
            Some(deployed) => {
                let has_failed = deployed.fault.as_ref().is_some_and(|it| it.file.is_some());
                let is_due = deployed.seen.is_due(stamp, look.why == Why::Poll);
                let is_due = is_due || (is_retry && has_failed);
                let is_due = is_due && !look.is_busy(&entry.component);
                (step(Some(deployed.known()), &entry, is_due), false)
            }
            None => (step(None, &entry, true), true),
        };
        if step == Step::Nothing {
            return None;
        }
        if is_new {
            let (id, tenant) = (self.ids.plugin(), self.ids.tenant(&entry.tenant));
            let deployed = Deployed::new(id, tenant, Arc::clone(&entry));
            self.plugins.insert(name.clone(), deployed);
        }
        let exceeded = self.ceiling.exceeded(&entry).map(too_large);
        let refused = filled.err().or(exceeded);
        let deployed = self.plugins.get_mut(&name)?;
        let is_known = !is_new && deployed.fault.is_some() && deployed.wanted == entry;
        if refused.is_some() && is_known && !is_retry {
            return None;
        }
        let order = match refused {
            Some(_) => None,
            None => deployed.order(step, &entry, is_retry),
        };
        let item = Item {
            turns: deployed.turns,
            number: order.as_ref().map(|order| order.number),
            name,
            entry,
            is_new,
            refused,
        };
        Some((item, order))
    }

    /// Waits for the load thread, and obeys other commands meanwhile; none if
    /// the host ends.
    pub(super) fn make(&mut self, order: Order) -> Option<Done> {
        if !self.worker.order(order) {
            let fault = Fault::new(
                "no thread can be started to load it",
                "let this user have more processes (ulimit -u)",
            );
            return Some(Done {
                seen: None,
                result: Err(fault),
            });
        }
        while !self.stopping {
            match self.next()? {
                Command::Built(done) => return Some(*done),
                command => self.obey(command),
            }
        }
        None
    }
}
