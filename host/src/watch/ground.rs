//! The folders which are watched: those in which the names on the way to the
//! files are. Among many files little changes at a time, so only what may have
//! changed is found out anew, and the system asked about.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use notify::{RecommendedWatcher, RecursiveMode, Watcher};

use super::names::names;
use crate::fleet::Files;

/// What is watched.
#[derive(Default)]
pub(super) struct Ground {
    watcher: Option<RecommendedWatcher>,
    /// The names on the way to each file that matters.
    ways: HashMap<PathBuf, Vec<PathBuf>>,
    /// The reverse: to which files each name leads.
    names: HashMap<PathBuf, Vec<PathBuf>>,
    /// Folders in which everything matters, as they are named.
    whole: Vec<PathBuf>,
    /// The same, free of links.
    whole_real: Vec<PathBuf>,
    folders: HashMap<PathBuf, Folder>,
    /// How often the system was asked to watch a folder.
    asked: u64,
}

/// A folder that matters.
#[derive(Default)]
struct Folder {
    /// Names in it, and one if everything in it matters.
    uses: usize,
    /// Which one of that name is watched.
    watched: Option<Identity>,
}

/// Device and inode: a folder may be replaced by another of the same name.
type Identity = (u64, u64);

impl Ground {
    /// Watches nothing yet; without a watcher it never does.
    pub(super) fn new(watcher: Option<RecommendedWatcher>) -> Self {
        Self {
            watcher,
            ..Self::default()
        }
    }

    /// These files matter from now on. True if a folder is watched that was not.
    pub(super) fn set(&mut self, files: Files) -> bool {
        let wanted: HashSet<&PathBuf> = files.files.iter().collect();
        let gone: Vec<_> = self
            .ways
            .keys()
            .filter(|it| !wanted.contains(it))
            .cloned()
            .collect();
        gone.iter().for_each(|file| self.leave(file));
        for file in files.files {
            if !self.ways.contains_key(&file) {
                self.enter(file);
            }
        }
        self.whole = files.folders;
        self.renew_whole();
        self.settle()
    }

    /// Something has happened to these paths: finds out anew what may have
    /// changed by that. True if a folder is watched that was not.
    pub(super) fn renew(&mut self, changed: &BTreeSet<PathBuf>) -> bool {
        let mut files = HashSet::new();
        for path in changed {
            match self.folders.get_mut(path) {
                Some(folder) => {
                    // It may be another one now, or gone with all that is below.
                    folder.watched = None;
                    let is_below = |way: &Vec<PathBuf>| way.iter().any(|it| it.starts_with(path));
                    let below = self.ways.iter().filter(|(_, way)| is_below(way));
                    files.extend(below.map(|(file, _)| file.clone()));
                }
                None => files.extend(self.names.get(path).into_iter().flatten().cloned()),
            }
        }
        for file in files {
            self.leave(&file);
            self.enter(file);
        }
        self.renew_whole();
        self.settle()
    }

    /// Finds everything out anew, after events were lost.
    pub(super) fn renew_all(&mut self) -> bool {
        let files: Vec<_> = self.ways.keys().cloned().collect();
        for file in files {
            self.leave(&file);
            self.enter(file);
        }
        self.folders.values_mut().for_each(|it| it.watched = None);
        self.renew_whole();
        self.settle()
    }

    /// Looks whether the folders are those which are watched, in case that the
    /// system has not told.
    pub(super) fn check(&mut self) -> bool {
        let is_other = |(path, folder): &(&PathBuf, &Folder)| folder.watched != identity(path);
        let changed = self.folders.iter().filter(is_other);
        let changed: BTreeSet<_> = changed.map(|(path, _)| path.clone()).collect();
        !changed.is_empty() && self.renew(&changed)
    }

    /// Whether something that has happened to this path is of interest.
    pub(super) fn matters(&self, path: &Path) -> bool {
        let is_within = |folder: &Path| self.whole_real.iter().any(|it| it == folder);
        self.names.contains_key(path)
            || self.folders.contains_key(path)
            || path.parent().is_some_and(is_within)
    }

    /// The files to which a name leads.
    pub(super) fn files_of(&self, name: &Path) -> impl Iterator<Item = &PathBuf> {
        self.names.get(name).into_iter().flatten()
    }

    fn enter(&mut self, file: PathBuf) {
        let way = names(&file);
        for name in &way {
            self.names
                .entry(name.clone())
                .or_default()
                .push(file.clone());
            if let Some(folder) = name.parent() {
                self.folders.entry(folder.to_owned()).or_default().uses += 1;
            }
        }
        self.ways.insert(file, way);
    }

    fn leave(&mut self, file: &Path) {
        for name in self.ways.remove(file).into_iter().flatten() {
            if let Some(files) = self.names.get_mut(&name) {
                files.retain(|it| it != file);
                if files.is_empty() {
                    self.names.remove(&name);
                }
            }
            if let Some(folder) = name.parent() {
                self.release(folder);
            }
        }
    }

    fn release(&mut self, folder: &Path) {
        if let Some(folder) = self.folders.get_mut(folder) {
            folder.uses = folder.uses.saturating_sub(1);
        }
    }

    fn renew_whole(&mut self) {
        for folder in std::mem::take(&mut self.whole_real) {
            self.release(&folder);
        }
        let real = self.whole.iter().filter_map(|it| it.canonicalize().ok());
        self.whole_real = real.collect();
        for folder in &self.whole_real {
            self.folders.entry(folder.clone()).or_default().uses += 1;
        }
    }

    /// Watches what is to be watched, and nothing else. True if a folder is
    /// watched that was not, or not this one of its name.
    fn settle(&mut self) -> bool {
        let Some(watcher) = &mut self.watcher else {
            self.folders.retain(|_, folder| folder.uses > 0);
            return false;
        };
        self.folders.retain(|path, folder| {
            if folder.uses == 0 && folder.watched.is_some() {
                // It may be gone already.
                let _ = watcher.unwatch(path);
            }
            folder.uses > 0
        });
        let mut is_new = false;
        for (path, folder) in &mut self.folders {
            // First: if it is replaced meanwhile, that is seen later.
            let Some(identity) = identity(path).filter(|_| folder.watched.is_none()) else {
                continue;
            };
            self.asked += 1;
            match watcher.watch(path, RecursiveMode::NonRecursive) {
                Ok(()) => {
                    folder.watched = Some(identity);
                    is_new = true;
                }
                Err(error) => {
                    tracing::debug!(folder = %path.display(), %error, "a folder is not watched");
                }
            }
        }
        is_new
    }
}

fn identity(folder: &Path) -> Option<Identity> {
    let metadata = std::fs::metadata(folder).ok()?;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(test)]
mod tests;
