//! What is deployed: the plugins of the manifest, the generations of each, and
//! what went wrong. One thread, `deploy`, owns it; everybody else sends it
//! commands, and reads the [`Board`] which it publishes.
//!
//! ```text
//! watch, SIGHUP, admin, dev ──► Command ──► deploy ──► Runtime::install
//! Runtime::on_failing ────────────┘  │  ▲       └────► Hub::set_site
//!                                    ▼  │
//!                              load (compiles, tries)
//! ```
//!
//! A generation is loaded and tried before anybody hears of it; whatever fails
//! leaves the one before as it is. While a component is loaded, the deploy
//! thread goes on with commands about other plugins.

mod back;
mod beneath;
mod board;
mod build;
mod census;
mod certificates;
mod deployed;
mod fault;
#[cfg(test)]
pub(crate) mod fixture;
mod handle;
mod look;
mod plan;
mod removal;
mod report;
mod settle;
mod source;
mod stamp;
mod start;
mod status;
mod tenants;
mod thread;
mod upload;
mod values;
mod version;
mod view;
mod worker;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Instant;

use holdfast_core::manifest::Manifest;
use holdfast_core::{PluginId, TenantId};
use holdfast_edge::Hub;
use tokio::sync::oneshot;

pub(crate) use beneath::read_text;
pub(crate) use board::Board;
pub(crate) use census::{Census, Counted, Now};
pub(crate) use certificates::Certificates;
pub(crate) use handle::{Closed, Handle};
pub(crate) use look::{Look, Why};
pub(crate) use plan::{Ceiling, Name};
pub(crate) use report::{Change, Message, Refusal, RefusalKind, Report, What};
pub(crate) use source::{Source, check};
pub(crate) use start::Start;
pub(crate) use status::{FaultStatus, GenerationStatus, PluginStatus, Status};
pub(crate) use thread::Deploy;
pub(crate) use upload::Upload;
pub(crate) use view::{PluginView, TenantView};

use crate::depot::Depot;
use build::{Builder, Done};
use deployed::Deployed;
use look::Deferred;
use removal::Removal;
use worker::Worker;

/// What of the file system matters.
#[derive(Clone, Debug, Default)]
pub(crate) struct Files {
    /// These files, whether they are there or not.
    pub(crate) files: Vec<PathBuf>,
    /// Everything that is directly in these folders.
    pub(crate) folders: Vec<PathBuf>,
}

/// Where an answer goes.
pub(crate) type Reply<T> = oneshot::Sender<T>;

/// What the deploy thread is told.
pub(crate) enum Command {
    /// Look whether files have changed.
    Look(Look, Option<Reply<Report>>),
    /// Go back to an earlier generation, perhaps of this digest.
    Rollback(Name, Option<String>, Reply<Result<Change, Refusal>>),
    /// The canary is for everybody from now on.
    Promote(Name, Reply<Result<Change, Refusal>>),
    /// An uploaded component is to serve.
    Deploy(Box<Upload>),
    /// A generation has failed too many of its first events.
    Failing(PluginId, u32),
    /// What the load thread has made.
    Built(Box<Done>),
    /// The host ends: start nothing new.
    Stop,
}

/// All that is deployed.
pub(crate) struct Fleet {
    hub: Arc<Hub>,
    builder: Arc<Builder>,
    worker: Worker,
    inbox: Receiver<Command>,
    board: Board,
    /// Told which files matter, whenever that may have changed.
    on_files: Box<dyn Fn(Files) + Send>,
    source: Source,
    certificates: Certificates,
    /// What the manifest that is in force says.
    manifest: Manifest,
    plugins: BTreeMap<Name, Deployed>,
    removals: Vec<Removal>,
    ids: Ids,
    ceiling: Ceiling,
    /// A look that is to be taken next.
    deferred: Option<Deferred>,
    /// Components that are to serve next. Those who upload wait, so they are few.
    uploads: VecDeque<Upload>,
    /// None: nothing can be deployed by upload.
    depot: Option<Arc<Depot>>,
    /// When memory of what nobody uses is given back next.
    cool_at: Instant,
    stopping: bool,
}

/// Numbers, none of which is used twice.
#[derive(Default)]
struct Ids {
    plugins: u32,
    tenants: HashMap<String, TenantId>,
}

impl Ids {
    fn plugin(&mut self) -> PluginId {
        let id = PluginId(self.plugins);
        self.plugins += 1;
        id
    }

    /// A tenant that comes back has the number it had.
    fn tenant(&mut self, name: &str) -> TenantId {
        let next = TenantId(self.tenants.len() as u32);
        *self.tenants.entry(name.to_owned()).or_insert(next)
    }
}
