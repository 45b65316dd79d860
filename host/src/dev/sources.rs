//! Watches the sources of a project. Each folder is watched by itself, so that
//! those which builders fill, with thousands of files, are left out.

use std::collections::{BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::project::Project;

/// Editors save a file in several steps, and several files at once: what
/// happens within this time is one save.
const TOGETHER: Duration = Duration::from_millis(50);
/// A save lasts no longer than this, however much happens.
const TOGETHER_MAX: Duration = Duration::from_millis(500);
/// Changes that wait. Those in excess are forgotten, since there will be a
/// build for those that wait.
const CHANGES_MAX: usize = 256;
/// Folders that are watched.
const FOLDERS_MAX: usize = 10_000;

/// Folders and files which builders and editors write, or which are big and
/// not the project's own.
const IGNORED: &[&str] = &[
    "target",
    "build",
    "dist",
    "node_modules",
    "__pycache__",
    "venv",
    "Cargo.lock",
    "package-lock.json",
    // With this name vim tries whether it may write.
    "4913",
];

/// What was saved, and when the first of it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Saved {
    pub(super) paths: BTreeSet<PathBuf>,
    pub(super) at: Instant,
    last: Instant,
}

impl Saved {
    /// Nothing yet.
    pub(super) fn nothing() -> Self {
        let now = Instant::now();
        Self {
            paths: BTreeSet::new(),
            at: now,
            last: now,
        }
    }

    fn due(&self) -> Instant {
        (self.last + TOGETHER).min(self.at + TOGETHER_MAX)
    }
}

/// The watched sources.
pub(super) struct Sources {
    watcher: RecommendedWatcher,
    changes: mpsc::Receiver<PathBuf>,
    roots: Vec<PathBuf>,
    components: Vec<PathBuf>,
    /// A save that is not over, or that nobody has heard of.
    saved: Option<Saved>,
}

impl Sources {
    /// Watches from now on.
    pub(super) fn watch(project: &Project) -> anyhow::Result<Self> {
        let (sender, changes) = mpsc::channel(CHANGES_MAX);
        let lost = project.manifest.clone();
        let watcher = notify::recommended_watcher(move |event| {
            for path in changed(event).unwrap_or_else(|| vec![lost.clone()]) {
                let _ = sender.try_send(path);
            }
        });
        let mut sources = Self {
            watcher: watcher.context("the sources can't be watched")?,
            changes,
            roots: Vec::new(),
            components: Vec::new(),
            saved: None,
        };
        sources.follow(project);
        Ok(sources)
    }

    /// Watches what the project's manifest says now. What is watched already
    /// goes on to be.
    pub(super) fn follow(&mut self, project: &Project) {
        self.roots = project.watch.clone();
        self.roots.push(project.manifest.clone());
        self.components = project.components.clone();
        for root in self.roots.clone() {
            match root.is_dir() {
                true => self.enter(root),
                // A file that is replaced by another is seen in its folder.
                false => self.listen(root.parent().unwrap_or(Path::new("."))),
            }
        }
    }

    /// Waits for the next save. When the future is dropped nothing is lost.
    /// Never returns if the system tells nothing any more.
    pub(super) async fn next(&mut self) -> Saved {
        loop {
            let change = match &self.saved {
                None => self.changes.recv().await,
                Some(saved) => match timeout_at(saved.due(), self.changes.recv()).await {
                    Ok(change) => change,
                    Err(_) => match self.saved.take() {
                        Some(saved) => return saved,
                        None => continue,
                    },
                },
            };
            match change {
                Some(path) => self.note(path),
                None => return std::future::pending().await,
            }
        }
    }

    fn note(&mut self, path: PathBuf) {
        if !self.is_source(&path) {
            return;
        }
        if path.is_dir() {
            self.enter(path.clone());
        }
        let saved = self.saved.get_or_insert_with(Saved::nothing);
        saved.last = Instant::now();
        if saved.paths.len() < CHANGES_MAX {
            saved.paths.insert(path);
        }
    }

    /// Whether a file is one of those that are to be watched.
    fn is_source(&self, path: &Path) -> bool {
        !self.components.iter().any(|component| path == component)
            && self.roots.iter().any(|root| {
                path.strip_prefix(root)
                    .is_ok_and(|rest| rest.iter().all(|name| !is_ignored(&name.to_string_lossy())))
            })
    }

    /// Watches a folder and all below.
    fn enter(&mut self, folder: PathBuf) {
        let mut folders = VecDeque::from([folder]);
        let mut count = 0;
        while let Some(folder) = folders.pop_front() {
            count += 1;
            if count > FOLDERS_MAX {
                tracing::warn!(
                    max = FOLDERS_MAX,
                    "not all folders of the project are watched"
                );
                return;
            }
            self.listen(&folder);
            // One that is gone again has nothing in it.
            let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
            folders.extend(entries.filter_map(|entry| {
                let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
                let path = entry.path();
                (is_folder && self.is_source(&path)).then_some(path)
            }));
        }
    }

    fn listen(&mut self, folder: &Path) {
        if let Err(error) = self.watcher.watch(folder, RecursiveMode::NonRecursive)
            && folder.exists()
        {
            tracing::warn!(folder = %folder.display(), %error, "a folder is not watched");
        }
    }
}

/// The files that an event is about; none if the system has lost count.
fn changed(event: notify::Result<Event>) -> Option<Vec<PathBuf>> {
    let event = event.ok().filter(|event| !event.need_rescan())?;
    Some(match event.kind {
        EventKind::Access(_) => Vec::new(),
        _ => event.paths,
    })
}

/// Hidden files, copies that editors make, and what builders write.
fn is_ignored(name: &str) -> bool {
    name.starts_with(['.', '#'])
        || name.ends_with('~')
        || name.ends_with(".egg-info")
        || IGNORED.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dev::fixture::Folder;

    const DEADLINE: Duration = Duration::from_secs(30);

    async fn saved(sources: &mut Sources) -> Vec<PathBuf> {
        let saved = tokio::time::timeout(DEADLINE, sources.next()).await;
        saved
            .expect("something was saved")
            .paths
            .into_iter()
            .collect()
    }

    #[tokio::test]
    async fn files_saved_together_are_one_save() {
        let folder = Folder::project("");
        folder.write("Cargo.toml", "");
        let mut sources = Sources::watch(&folder.read()).unwrap();
        let one = folder.write("src/one.rs", "1");
        let two = folder.write("src/two.rs", "2");
        assert_eq!(saved(&mut sources).await, [one.clone(), two]);

        // As many editors do it: another file in its place.
        let other = folder.write("src/.one.rs.new", "3");
        std::fs::rename(other, &one).unwrap();
        assert_eq!(saved(&mut sources).await, std::slice::from_ref(&one));
        std::fs::remove_file(&one).unwrap();
        assert_eq!(saved(&mut sources).await, [one]);
        let manifest = folder.path().join("holdfast.toml");
        folder.write("holdfast.toml", "");
        assert_eq!(saved(&mut sources).await, [manifest]);
    }

    #[tokio::test]
    async fn what_builders_and_editors_write_is_no_source() {
        let folder = Folder::project("");
        folder.write("Cargo.toml", "");
        folder.write("target/release/x.d", "");
        let mut sources = Sources::watch(&folder.read()).unwrap();
        for name in [
            "target/release/y.d",
            "Cargo.lock",
            "package-lock.json",
            ".git/index",
            "src/lib.rs~",
            "out/a.wasm",
        ] {
            folder.write(name, "x");
        }
        let last = folder.write("src/lib.rs", "x");
        // `out` is new, and might have been of interest.
        let new = folder.path().join("out");
        assert_eq!(saved(&mut sources).await, [new, last]);
    }

    #[tokio::test]
    async fn new_folders_are_watched_and_others_are_not() {
        let folder = Folder::project("[dev]\nbuild = 'make'\nwatch = ['src', 'more.txt']");
        folder.write("more.txt", "");
        let mut sources = Sources::watch(&folder.read()).unwrap();
        folder.write("other.txt", "x");
        let deep = folder.path().join("src/a/b");
        std::fs::create_dir_all(&deep).unwrap();
        assert!(!saved(&mut sources).await.is_empty());
        let file = folder.write("src/a/b/file.rs", "x");
        assert!(saved(&mut sources).await.contains(&file));
        let more = folder.write("more.txt", "x");
        assert_eq!(saved(&mut sources).await, [more]);
    }

    #[tokio::test]
    async fn a_save_outlives_a_dropped_future() {
        let folder = Folder::project("[dev]\nbuild = 'make'");
        let mut sources = Sources::watch(&folder.read()).unwrap();
        let file = folder.write("src/lib.rs", "x");
        let deadline = Instant::now() + DEADLINE;
        while sources.saved.is_none() {
            assert!(Instant::now() < deadline, "nothing was saved");
            let _ = tokio::time::timeout(Duration::from_millis(1), sources.next()).await;
        }
        assert_eq!(saved(&mut sources).await, [file]);
    }
}
