//! `holdfast dev`: builds a project, serves it, and builds it again whenever one
//! of its files is saved. New code takes over under open sockets; while there is
//! none that works, the code from before keeps serving, and browsers get a page
//! that says why.
//!
//! ```text
//! Sources ─► saved ─► Build ─► good ─► fleet looks at the files ─► serving
//!    ▲                  │ │                        │
//!    │   saved again ◄──┘ └─► failed ─► page ◄─────┘ can't be loaded
//!    └───────────────────────────┘
//! ```
//!
//! `holdfast build` (`once`) is the first part of it alone. Both check for the tools
//! of the project's language (`tools`), and install the packages which it asks for
//! (`prepare`).
//!
//! A save while a build is under way ends that build and starts another. What it
//! has compiled of the dependencies stays; of the project itself, what is saved
//! last is there sooner than if what is outdated were waited for.

mod ansi;
mod build;
mod cargo;
mod cycle;
#[cfg(test)]
mod fixture;
mod once;
mod page;
mod prepare;
mod project;
mod report;
mod sources;
mod terminal;
mod tools;

use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::Context;
use holdfast_core::manifest::Listen;
use holdfast_edge::{Drain, Hub};
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use crate::cli::{self, Cli, Operation};
use crate::fleet::{Handle, Source};
use crate::log::Tails;
use crate::problem::Problem;
use crate::serve::{Plan, serve};
pub(crate) use once::build;
use project::Project;
use report::Verdict;
use sources::Sources;
use terminal::Terminal;

/// What is logged: of the host what is wrong and what takes long, of guests nearly
/// everything.
pub(crate) const LOG_FILTER: &str = "warn,guest=debug,holdfast_runtime::compile=info";

/// Builds, serves and watches until a signal ends it.
pub(crate) fn dev(arguments: &cli::Dev, cli: &Cli, tails: &Tails) -> Result<(), Problem> {
    let dev = Dev::open(&arguments.folder, Terminal::new(cli.color))?;
    let (source, mut manifest) = Source::read(dev.manifest())?;
    if let Some(listen) = arguments.listen {
        manifest.host.listen = vec![Listen::plain(listen)];
    }
    let origin = dev.manifest().to_owned();
    serve(Plan {
        manifest,
        source,
        origin: &origin,
        storage: &cli.storage,
        operation: &Operation {
            no_watch: true,
            no_admin: false,
        },
        tails,
        dev: Some(dev),
    })
}

/// A project that is worked on.
pub(crate) struct Dev {
    project: Project,
    sources: Sources,
    terminal: Terminal,
    /// Counts what goes wrong, so that pages know theirs from a newer one.
    faults: u64,
}

impl Dev {
    /// Reads the project in a folder, and watches it from now on.
    fn open(folder: &Path, terminal: Terminal) -> Result<Self, Problem> {
        let project = Project::read(folder)?;
        project.check_tools()?;
        Ok(Self {
            sources: Sources::watch(&project)?,
            project,
            terminal,
            faults: 0,
        })
    }

    /// The project's manifest.
    pub(crate) fn manifest(&self) -> &Path {
        &self.project.manifest
    }

    /// Builds until there is something to serve; false if a signal ends it
    /// before.
    pub(crate) fn build_first(&mut self) -> Result<bool, Problem> {
        let runtime = runtime()?;
        runtime.block_on(async {
            let mut interrupt = signal(SignalKind::interrupt()).context("no signals")?;
            let mut terminate = signal(SignalKind::terminate()).context("no signals")?;
            tokio::select! {
                () = self.until_built() => Ok(true),
                _ = interrupt.recv() => Ok(false),
                _ = terminate.recv() => Ok(false),
            }
        })
    }

    /// Builds and serves what is saved, until the thread is told to stop.
    pub(crate) fn start(mut self, live: Live) -> anyhow::Result<Running> {
        let runtime = runtime()?;
        let (stop, stopped) = oneshot::channel();
        let work = move || {
            runtime.block_on(async {
                let mut drain = live.drain.clone();
                tokio::select! {
                    () = self.serve(&live) => {}
                    _ = drain.started() => {}
                    _ = stopped => {}
                }
            });
        };
        let thread = std::thread::Builder::new()
            .name("dev".into())
            .spawn(work)
            .context("can't start a thread")?;
        Ok(Running { stop, thread })
    }
}

/// The running host.
pub(crate) struct Live {
    pub(crate) fleet: Handle,
    pub(crate) hub: Arc<Hub>,
    /// Ends a build under way when the host begins to end.
    pub(crate) drain: Drain,
    pub(crate) address: String,
}

impl Live {
    /// Lets the fleet look at the files; none when the host is about to end.
    async fn look(&self) -> Option<Verdict> {
        let report = self.fleet.reload().ok()?.await.ok()?;
        Some(Verdict::of(&report))
    }
}

/// The thread that builds.
pub(crate) struct Running {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Running {
    /// Ends it, and a build under way.
    pub(crate) fn stop(self) -> anyhow::Result<()> {
        // It may have ended already.
        let _ = self.stop.send(());
        if self.thread.join().is_err() {
            anyhow::bail!("the thread that builds has panicked");
        }
        Ok(())
    }
}

fn runtime() -> anyhow::Result<Runtime> {
    Ok(Builder::new_current_thread().enable_all().build()?)
}
