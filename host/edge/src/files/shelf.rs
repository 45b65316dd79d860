//! What routes to files share: threads that wait for the disk, and the files from
//! which responses stream.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::sync::{Arc, Mutex, Weak};
use std::time::Instant;

use bytes::Bytes;
use holdfast_core::Volume;
use holdfast_core::limits::FileLimits;
use holdfast_core::manifest::Files;
use holdfast_core::volume::Verdict;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::open::{Patience, read_at};
use super::validator::State;
use crate::lock::lock;

/// Files that are open at a time if nothing is said.
const OPEN_MAX: u32 = 64;

/// What is written to the log of folders that can't be read, in a second.
const LOG_BYTES_PER_SECOND_MAX: u64 = 4096;

/// One for the process.
pub(crate) struct Shelf {
    pub(super) ranges_max: usize,
    open_max: usize,
    /// Threads that may wait for a disk.
    reads: Arc<Semaphore>,
    /// By their state: as many responses as there are share one that is open.
    open: Mutex<HashMap<State, Weak<Open>>>,
    log: Volume,
}

/// A file from which responses stream.
pub(super) struct Open {
    file: File,
    state: State,
    shelf: Arc<Shelf>,
}

impl Shelf {
    pub(crate) fn new(limits: &FileLimits) -> Arc<Self> {
        Arc::new(Self {
            ranges_max: limits.ranges_max,
            open_max: limits.open_max.unwrap_or(OPEN_MAX) as usize,
            reads: Arc::new(Semaphore::new(limits.reads_max as usize)),
            open: Mutex::default(),
            log: Volume::new(LOG_BYTES_PER_SECOND_MAX),
        })
    }

    /// Does what may wait for a disk in a thread for that. It goes on when nobody
    /// waits for it any more, and keeps its place so long.
    pub(super) async fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let reads = Arc::clone(&self.reads);
        let place = reads.acquire_owned().await.map_err(io::Error::other)?;
        let work = spawn_blocking(move || {
            let _place = place;
            work()
        });
        work.await.map_err(io::Error::other)?
    }

    /// Keeps a file open for a response; the one that is there already if it is
    /// the same. None if there are too many.
    pub(super) fn keep(self: &Arc<Self>, file: File, state: State) -> Option<Arc<Open>> {
        let mut open = lock(&self.open);
        if let Some(same) = open.get(&state).and_then(Weak::upgrade) {
            return Some(same);
        }
        if open.len() >= self.open_max {
            return None;
        }
        let new = Arc::new(Open {
            file,
            state,
            shelf: Arc::clone(self),
        });
        open.insert(state, Arc::downgrade(&new));
        Some(new)
    }

    /// Says in the log that something of a folder can't be read, unless that was
    /// said too often.
    pub(super) fn complain(&self, files: &Files, error: &io::Error) {
        let text = error.to_string();
        if let Verdict::Write { dropped } = self.log.take(text.len(), Instant::now()) {
            tracing::warn!(
                tenant = files.tenant,
                folder = %files.folder.display(),
                dropped,
                "files can't be served: {text}"
            );
        }
    }
}

impl Open {
    /// Reads at most so many bytes, and at least one.
    ///
    /// # Errors
    /// Fails as [`changed`] if the file is no longer what it was, and without
    /// patience as `WouldBlock` if it is not in memory.
    pub(super) fn read(&self, offset: u64, len: usize, patience: Patience) -> io::Result<Bytes> {
        read(&self.file, &self.state, offset, len, patience)
    }

    pub(super) fn shelf(&self) -> &Arc<Shelf> {
        &self.shelf
    }
}

/// See [`Open::read`].
pub(super) fn read(
    file: &File,
    state: &State,
    offset: u64,
    len: usize,
    patience: Patience,
) -> io::Result<Bytes> {
    let bytes = read_at(file, offset, len, patience)?;
    // Looked at afterwards, so that nothing can have changed before.
    if bytes.is_empty() || !State::of(&file.metadata()?).is_content_of(state) {
        return Err(changed());
    }
    Ok(bytes.into())
}

/// Somebody writes to a file that is being read.
fn changed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the file has changed")
}

impl Drop for Open {
    fn drop(&mut self) {
        let mut open = lock(&self.shelf.open);
        // Another may have taken its place meanwhile.
        if open
            .get(&self.state)
            .is_some_and(|it| it.strong_count() == 0)
        {
            open.remove(&self.state);
        }
    }
}
