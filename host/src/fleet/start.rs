//! The first look: everything the manifest names is loaded, or the host does not
//! start.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Instant;

use holdfast_core::manifest::Manifest;
use holdfast_edge::Hub;

use super::build::{Builder, Done};
use super::deployed::Deployed;
use super::handle::COMMANDS_MAX;
use super::plan::{Ceiling, Name, Step};
use super::settle::Item;
use super::worker::Worker;
use super::{Board, Certificates, Files, Fleet, Handle, Ids, Source, values};
use crate::depot::Depot;
use crate::images::Images;
use crate::problem::Problem;
use holdfast_runtime::{Loader, Runtime};

/// What a fleet is made of.
pub(crate) struct Start {
    pub(crate) manifest: Manifest,
    pub(crate) source: Source,
    pub(crate) certificates: Certificates,
    pub(crate) loader: Loader,
    pub(crate) images: Images,
    pub(crate) runtime: Arc<Runtime>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) depot: Option<Arc<Depot>>,
    /// Told which files matter, whenever that may have changed.
    pub(crate) on_files: Box<dyn Fn(Files) + Send>,
}

impl Start {
    /// Loads every plugin and sets the routes.
    ///
    /// # Errors
    /// Fails at the first plugin of the operator's that can't be loaded; those in
    /// tenants' folders have their faults noted.
    pub(crate) fn run(self) -> Result<(Fleet, Handle), Problem> {
        let (sender, inbox) = sync_channel(COMMANDS_MAX);
        let handle = Handle {
            sender: sender.clone(),
            board: Board::default(),
            runtime: Arc::clone(&self.runtime),
            hub: Arc::clone(&self.hub),
            load: Arc::clone(self.loader.metrics()),
            is_stopping: Arc::default(),
        };
        let builder = Arc::new(Builder {
            loader: self.loader,
            images: self.images,
            runtime: self.runtime,
        });
        let worker = Worker::new(Arc::clone(&builder), sender);
        let failing = handle.clone();
        let on_failing = move |id, number| failing.failing(id, number);
        builder.runtime.on_failing(on_failing);
        let mut fleet = Fleet {
            hub: self.hub,
            builder,
            worker,
            inbox,
            board: handle.board.clone(),
            on_files: self.on_files,
            source: self.source,
            certificates: self.certificates,
            ceiling: Ceiling::of(&self.manifest),
            manifest: self.manifest,
            plugins: BTreeMap::new(),
            removals: Vec::new(),
            ids: Ids::default(),
            deferred: None,
            uploads: VecDeque::new(),
            depot: self.depot,
            cool_at: Instant::now(),
            stopping: false,
        };
        fleet.load_all()?;
        Ok((fleet, handle))
    }
}

impl Fleet {
    fn load_all(&mut self) -> Result<(), Problem> {
        for mut entry in self.manifest.plugins.clone() {
            let name = Name::of(&entry);
            let filled = values::fill(&mut entry, None, |_| false);
            let is_operators = entry.root.is_none();
            let refused = match filled {
                Err(fault) if is_operators => return Err(fault.of(&name).into()),
                filled => filled.err(),
            };
            let entry = Arc::new(entry);
            let (id, tenant) = (self.ids.plugin(), self.ids.tenant(&entry.tenant));
            let mut deployed = Deployed::new(id, tenant, Arc::clone(&entry));
            let done = match refused {
                None => self.resume(&name, &mut deployed).or_else(|| {
                    let order = deployed.order(Step::Load { renew: true }, &entry, false);
                    order.map(|order| self.builder.run(order))
                }),
                Some(_) => None,
            };
            let item = Item {
                name: name.clone(),
                entry,
                is_new: true,
                number: None,
                turns: 0,
                refused,
            };
            self.plugins.insert(name.clone(), deployed);
            match done {
                Some(Done {
                    result: Err(fault), ..
                }) if is_operators => return Err(fault.into()),
                done => self.settle(item, done),
            };
        }
        self.take_over(None);
        Ok(())
    }
}
