//! Watches the manifest and the components, and asks the fleet to look when
//! something may have changed. What has changed is for the fleet to find out.
//!
//! The system tells of changes in folders (inotify): in that of each file, and
//! in those of the links which lead to it. Besides, the fleet is asked every two
//! seconds, for file systems that tell nothing, and for what was lost.

mod changes;
mod debounce;
mod names;

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Context;
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};

use crate::fleet::{Files, Handle, Look, Why};
use changes::happened;
use debounce::{Debounce, Happened};

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
            watcher,
            lost,
            files: Files::default(),
            names: HashMap::new(),
            folders: BTreeSet::new(),
            whole: BTreeSet::new(),
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
    watcher: Option<RecommendedWatcher>,
    /// Events were dropped since the last look.
    lost: Arc<AtomicBool>,
    files: Files,
    /// The names on the way to the files, and to which of them.
    names: HashMap<PathBuf, Vec<usize>>,
    /// The watched ones.
    folders: BTreeSet<PathBuf>,
    /// Those of them in which everything matters.
    whole: BTreeSet<PathBuf>,
    debounce: Debounce,
}

impl State {
    fn run(mut self, inputs: &Receiver<Input>) {
        let mut poll = Instant::now() + POLL;
        loop {
            let due = self.debounce.due().map_or(poll, |due| due.min(poll));
            match inputs.recv_timeout(due.saturating_duration_since(Instant::now())) {
                Ok(Input::Files(files)) => {
                    self.files = files;
                    if self.arm() {
                        // What was put there before is to be found, too.
                        let folder = Path::new("");
                        self.debounce
                            .event(folder, Happened::Complete, Instant::now());
                    }
                }
                Ok(Input::Changed(path, happened)) => {
                    if self.matters(&path) {
                        self.debounce.event(&path, happened, Instant::now());
                    }
                }
                Ok(Input::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {}
            }
            let now = Instant::now();
            let is_lost = self.lost.swap(false, Ordering::Relaxed);
            if self.debounce.take(now) || is_lost {
                // A link may lead elsewhere now.
                self.arm();
                self.look(Why::Event);
            }
            if now >= poll {
                poll = now + POLL;
                self.arm();
                self.look(Why::Poll);
            }
        }
    }

    fn matters(&self, path: &Path) -> bool {
        let is_within = |folder: &Path| self.whole.contains(folder);
        self.names.contains_key(path)
            || self.folders.contains(path)
            || path.parent().is_some_and(is_within)
    }

    fn look(&self, why: Why) {
        let mut busy = BTreeSet::new();
        for (name, files) in &self.names {
            if self.debounce.is_writing(name) {
                busy.extend(files);
            }
        }
        let busy = busy
            .into_iter()
            .filter_map(|&file| self.files.files.get(file));
        self.fleet.look(Look {
            why,
            busy: busy.cloned().collect(),
        });
    }

    /// Watches the folders in which the names on the way to the files are now.
    /// True if it had not watched one of them.
    fn arm(&mut self) -> bool {
        let mut names: HashMap<_, Vec<usize>> = HashMap::new();
        for (index, file) in self.files.files.iter().enumerate() {
            for name in names::names(file) {
                names.entry(name).or_default().push(index);
            }
        }
        let folders = names.keys().filter_map(|name| name.parent());
        let folders = folders.map(Path::to_owned);
        let whole = self.files.folders.iter();
        self.whole = whole.filter_map(|it| it.canonicalize().ok()).collect();
        let folders: BTreeSet<_> = folders.chain(self.whole.iter().cloned()).collect();
        self.names = names;
        let Some(watcher) = &mut self.watcher else {
            return false;
        };
        for folder in self.folders.difference(&folders) {
            // It may be gone already.
            let _ = watcher.unwatch(folder);
        }
        let mut watched = BTreeSet::new();
        for folder in folders {
            // A folder that is watched already may be a new one of that name.
            match watcher.watch(&folder, RecursiveMode::NonRecursive) {
                Ok(()) => {
                    watched.insert(folder);
                }
                Err(error) => {
                    tracing::debug!(folder = %folder.display(), %error, "a folder is not watched");
                }
            }
        }
        let is_new = watched.difference(&self.folders).next().is_some();
        self.folders = watched;
        is_new
    }
}
