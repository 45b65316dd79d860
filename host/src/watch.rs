//! Watches the manifest and the components, and asks the fleet to look when
//! something may have changed. What has changed is for the fleet to find out.
//!
//! The system tells of changes in folders (inotify): in that of each file, and
//! in those of the links which lead to it. Besides, the fleet is asked every two
//! seconds, for file systems that tell nothing, and for what was lost.

mod changes;
mod debounce;
mod ground;
mod names;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Context;
use notify::Event;

use crate::fleet::{Files, Handle, Look, Why};
use changes::happened;
use debounce::{Debounce, Happened};
use ground::Ground;

/// How often one looks without having been told.
const POLL: Duration = Duration::from_secs(2);
/// Events that wait for the watcher. When there are more, they are dropped, and
/// it looks at everything.
const EVENTS_MAX: usize = 1024;

/// What the watcher is told.
enum Input {
    /// These files matter from now on.
    Files(Files),
    /// Something has happened to a file in a watched folder.
    Changed(PathBuf, Happened),
    Stop,
}

/// The way to a watcher, which may not have started.
pub(crate) struct Inlet {
    sender: SyncSender<Input>,
    receiver: Receiver<Input>,
}

impl Inlet {
    /// Makes it.
    pub(crate) fn new() -> Self {
        let (sender, receiver) = sync_channel(EVENTS_MAX);
        Self { sender, receiver }
    }

    /// What tells the watcher which files matter. Without a watcher it does
    /// nothing.
    pub(crate) fn on_files(&self) -> impl Fn(Files) + Send + use<> {
        let sender = self.sender.clone();
        move |files| {
            let _ = sender.send(Input::Files(files));
        }
    }
}

/// The running watcher.
pub(crate) struct Watch {
    sender: SyncSender<Input>,
    thread: JoinHandle<()>,
}

impl Watch {
    /// Starts it.
    pub(crate) fn start(inlet: Inlet, fleet: Handle) -> anyhow::Result<Self> {
        let Inlet { sender, receiver } = inlet;
        let lost = Arc::new(AtomicBool::new(false));
        let watcher = notify::recommended_watcher({
            let (sender, lost) = (sender.clone(), Arc::clone(&lost));
            move |event| forward(&sender, &lost, event)
        });
        let watcher = match watcher {
            Ok(watcher) => Some(watcher),
            Err(error) => {
                tracing::warn!(%error, "changes of files are found by polling alone");
                None
            }
        };
        let state = State {
            fleet,
            ground: Ground::new(watcher),
            lost,
            changed: BTreeSet::new(),
            debounce: Debounce::default(),
        };
        let thread = std::thread::Builder::new()
            .name("watch".into())
            .spawn(move || state.run(&receiver))
            .context("can't start a thread")?;
        Ok(Self { sender, thread })
    }

    /// Ends it.
    pub(crate) fn stop(self) -> anyhow::Result<()> {
        // It may have ended already.
        let _ = self.sender.send(Input::Stop);
        if self.thread.join().is_err() {
            anyhow::bail!("the watcher has panicked");
        }
        Ok(())
    }
}

/// Passes on what matters of an event. Called by the thread of `notify`, for
/// which the watcher sometimes waits: so this never waits for the watcher.
fn forward(sender: &SyncSender<Input>, lost: &AtomicBool, event: notify::Result<Event>) {
    let input = match event {
        Ok(event) if !event.need_rescan() => happened(&event)
            .zip(event.paths.into_iter().next_back())
            .map(|(happened, path)| Input::Changed(path, happened)),
        Ok(_) | Err(_) => return lost.store(true, Ordering::Relaxed),
    };
    if let Some(input) = input
        && let Err(TrySendError::Full(_)) = sender.try_send(input)
    {
        lost.store(true, Ordering::Relaxed);
    }
}

struct State {
    fleet: Handle,
    ground: Ground,
    /// Events were dropped since the last look.
    lost: Arc<AtomicBool>,
    /// To what something has happened since the last look.
    changed: BTreeSet<PathBuf>,
    debounce: Debounce,
}

impl State {
    fn run(mut self, inputs: &Receiver<Input>) {
        let mut poll = Instant::now() + POLL;
        loop {
            let due = self.debounce.due().map_or(poll, |due| due.min(poll));
            match inputs.recv_timeout(due.saturating_duration_since(Instant::now())) {
                Ok(Input::Files(files)) => {
                    if self.ground.set(files) {
                        // What was put there before is to be found, too.
                        let folder = Path::new("");
                        self.debounce
                            .event(folder, Happened::Complete, Instant::now());
                    }
                }
                Ok(Input::Changed(path, happened)) => {
                    if self.ground.matters(&path) {
                        self.debounce.event(&path, happened, Instant::now());
                        self.changed.insert(path);
                    }
                }
                Ok(Input::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {}
            }
            let now = Instant::now();
            let is_lost = self.lost.swap(false, Ordering::Relaxed);
            if self.debounce.take(now) || is_lost {
                // A link may lead elsewhere now.
                let changed = std::mem::take(&mut self.changed);
                match is_lost {
                    true => self.ground.renew_all(),
                    false => self.ground.renew(&changed),
                };
                self.look(Why::Event, &changed);
            }
            if now >= poll {
                poll = now + POLL;
                self.ground.check();
                self.look(Why::Poll, &BTreeSet::new());
            }
        }
    }

    fn look(&self, why: Why, changed: &BTreeSet<PathBuf>) {
        let writing: BTreeSet<_> = self.debounce.writing().collect();
        let complete = changed.iter().map(PathBuf::as_path);
        let complete = complete.filter(|it| !writing.contains(it));
        self.fleet.look(Look {
            why,
            complete: self.files_of(complete),
            busy: self.files_of(writing.iter().copied()),
        });
    }

    fn files_of<'a>(&self, names: impl Iterator<Item = &'a Path>) -> Vec<PathBuf> {
        let files: BTreeSet<_> = names.flat_map(|it| self.ground.files_of(it)).collect();
        files.into_iter().cloned().collect()
    }
}
