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
//! A save while a build is under way ends that build and starts another. What it
//! has compiled of the dependencies stays; of the project itself, what is saved
//! last is there sooner than if what is outdated were waited for.

mod ansi;
mod build;
mod cargo;
mod page;
mod project;
mod report;
mod sources;
mod terminal;

use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::Context;
use holdfast_edge::Hub;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::fleet::Handle;
use crate::problem::Problem;
use build::{Build, Outcome};
use page::Fault;
use project::Project;
use report::Verdict;
use sources::{Saved, Sources};
pub(crate) use terminal::Terminal;
use terminal::shown;

/// The code from before, for people.
const BEFORE: &str = "The code from before keeps serving.";

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
    pub(crate) fn open(folder: &Path, terminal: Terminal) -> Result<Self, Problem> {
        let project = Project::read(folder)?;
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

    async fn until_built(&mut self) {
        let name = self.project.name();
        self.terminal.say(&format!("building {name}"));
        let begin = Instant::now();
        loop {
            let (outcome, _) = self.build(None, true).await;
            match self.judge(&outcome) {
                Ok(()) => {
                    let built = shown(begin.elapsed());
                    return self.terminal.say(&format!("built in {built}"));
                }
                Err(problem) => self.terminal.complain(&problem),
            }
            self.terminal.say("waiting for a file to be saved");
            self.sources.next().await;
        }
    }

    /// Builds what is there; returns the last save that it contains.
    async fn build(&mut self, mut saved: Option<Saved>, is_first: bool) -> (Outcome, Option<Saved>) {
        loop {
            // The manifest may say something else now. One that is wrong is
            // reported when it comes to be in force.
            if let Ok(project) = Project::read(&self.project.folder) {
                self.sources.follow(&project);
                self.project = project;
            }
            let mut build = match Build::start(&self.project) {
                Ok(build) => build,
                Err(error) => return (self.project.recipe.not_started(&error), saved),
            };
            tokio::select! {
                outcome = build.finish(self.terminal, is_first) => {
                    return (outcome.unwrap_or_else(Outcome::lost), saved);
                }
                newer = self.sources.next() => {
                    build.cancel().await;
                    saved = Some(newer);
                }
            }
        }
    }

    /// Whether a build has made what the manifest names.
    fn judge(&self, outcome: &Outcome) -> Result<(), Problem> {
        if outcome.is_good {
            return self.project.install(outcome);
        }
        let message = format!("{} can't be built", self.project.name());
        Err(match cargo::hint(&outcome.output) {
            Some(hint) => Problem::new(message, hint),
            None => Problem::bare(message),
        })
    }

    /// Builds and serves what is saved, until the thread is told to stop.
    pub(crate) fn start(self, live: Live) -> anyhow::Result<Running> {
        let runtime = runtime()?;
        let (stop, stopped) = oneshot::channel();
        let mut dev = self;
        let work = move || {
            runtime.block_on(async {
                tokio::select! {
                    () = dev.serve(&live) => {}
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

    async fn serve(&mut self, live: &Live) {
        loop {
            let saved = self.sources.next().await;
            let (outcome, saved) = self.build(Some(saved), false).await;
            let built = Instant::now();
            let Some(saved) = saved else { continue };
            let what = report::names(&saved, &self.project.folder);
            let took = shown(built - saved.at);
            if let Err(problem) = self.judge(&outcome) {
                let output = format!("{}{problem}\n", outcome.output);
                self.terminal.complain(&problem);
                let line = format!("{what} saved → not built, after {took}; the code from before keeps serving");
                self.terminal.say(&line);
                self.show_fault(live, &problem.to_string(), &output);
                continue;
            }
            // The host is about to end.
            let Some(verdict) = live.look().await else { return };
            let line = match &verdict {
                Verdict::New => format!("serving new code {} later", shown(built.elapsed())),
                Verdict::Same => "the same code".to_owned(),
                Verdict::Wrong(_) => "not served; the code from before keeps serving".to_owned(),
            };
            match &verdict {
                Verdict::Wrong(why) => {
                    self.terminal.show(why);
                    let title = format!("{} can't be served", self.project.name());
                    self.show_fault(live, &title, why);
                }
                Verdict::New | Verdict::Same => live.hub.set_fault_page(None),
            }
            self.terminal.say(&format!("{what} saved → built in {took} → {line}"));
        }
    }

    fn show_fault(&mut self, live: &Live, title: &str, output: &str) {
        self.faults += 1;
        live.hub.set_fault_page(Some(page::render(&Fault {
            number: self.faults,
            title: title.lines().next().unwrap_or_default(),
            note: BEFORE,
            output,
        })));
    }
}

/// The running host.
pub(crate) struct Live {
    pub(crate) fleet: Handle,
    pub(crate) hub: Arc<Hub>,
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
