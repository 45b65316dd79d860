//! When to look, after what has happened to the files. Pure.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What comes together with something that is complete: many files at once.
const TOGETHER: Duration = Duration::from_millis(5);
/// The longest time by which others that come delay what is complete.
const TOGETHER_MAX: Duration = Duration::from_millis(50);
/// Silence after which a file that nobody has closed is thought complete. Long,
/// since nearly everybody closes what he has written, and a copy over a network
/// may stall.
const QUIET: Duration = Duration::from_secs(1);

/// What has happened to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Happened {
    /// Somebody writes to it and has not closed it.
    Writing,
    /// It was closed after writing, renamed, linked, or removed.
    Complete,
    /// Something else, such as its mode. No end to writing.
    Touched,
}

/// What is going on.
#[derive(Debug, Default)]
pub(super) struct Debounce {
    /// Files that are being written, and since when nobody has.
    writing: HashMap<PathBuf, Instant>,
    /// The first and the last thing after which nobody has looked.
    complete: Option<(Instant, Instant)>,
}

impl Debounce {
    /// Takes note.
    pub(super) fn event(&mut self, path: &Path, happened: Happened, now: Instant) {
        match happened {
            Happened::Writing => {
                self.writing.insert(path.to_owned(), now);
                return;
            }
            Happened::Complete => {
                self.writing.remove(path);
            }
            Happened::Touched if self.writing.contains_key(path) => return,
            Happened::Touched => {}
        }
        self.complete(now);
    }

    fn complete(&mut self, now: Instant) {
        let (first, _) = self.complete.unwrap_or((now, now));
        self.complete = Some((first, now));
    }

    /// When to look next, if nothing else happens.
    pub(super) fn due(&self) -> Option<Instant> {
        let complete = self
            .complete
            .map(|(first, last)| (last + TOGETHER).min(first + TOGETHER_MAX));
        let quiet = self.writing.values().map(|last| *last + QUIET);
        complete.into_iter().chain(quiet).min()
    }

    /// Whether to look now; forgets what has happened if so.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        let before = self.writing.len();
        self.writing.retain(|_, last| now < *last + QUIET);
        if self.writing.len() < before {
            self.complete = None;
            return true;
        }
        let is_due = self
            .complete
            .is_some_and(|(first, last)| (last + TOGETHER).min(first + TOGETHER_MAX) <= now);
        is_due && self.complete.take().is_some()
    }

    /// The files to which somebody is writing.
    pub(super) fn writing(&self) -> impl Iterator<Item = &Path> {
        self.writing.keys().map(PathBuf::as_path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn what_is_complete_is_looked_at_at_once() {
        let (mut debounce, now) = (Debounce::default(), Instant::now());
        assert_eq!(debounce.due(), None);
        debounce.event("a".as_ref(), Happened::Complete, now);
        assert_eq!(debounce.due(), Some(now + TOGETHER));
        assert!(!debounce.take(now));
        assert!(debounce.take(now + TOGETHER));
        assert_eq!(debounce.due(), None);
    }

    #[test]
    fn many_files_are_looked_at_together_but_not_too_late() {
        let (mut debounce, start) = (Debounce::default(), Instant::now());
        let mut now = start;
        let mut looks = 0;
        while now < start + 100 * MS {
            debounce.event("a".as_ref(), Happened::Complete, now);
            looks += usize::from(debounce.take(now));
            now += 2 * MS;
        }
        assert_eq!(looks, 1);
        assert!(debounce.take(now + TOGETHER));
    }

    #[test]
    fn a_file_that_is_written_is_left_alone() {
        let (mut debounce, now) = (Debounce::default(), Instant::now());
        let (a, b) = (Path::new("a"), Path::new("b"));
        debounce.event(a, Happened::Writing, now);
        debounce.event(a, Happened::Touched, now);
        debounce.event(b, Happened::Complete, now);
        assert!(debounce.take(now + TOGETHER), "because of b");
        assert_eq!(Vec::from_iter(debounce.writing()), [a]);
        debounce.event(a, Happened::Writing, now + 50 * MS);
        assert!(!debounce.take(now + QUIET));
        assert_eq!(debounce.due(), Some(now + 50 * MS + QUIET));
        assert!(debounce.take(now + 50 * MS + QUIET), "nobody writes now");
        assert_eq!(debounce.due(), None);
    }

    #[test]
    fn a_closed_file_need_not_be_quiet() {
        let (mut debounce, now) = (Debounce::default(), Instant::now());
        let a = Path::new("a");
        debounce.event(a, Happened::Writing, now);
        debounce.event(a, Happened::Complete, now + MS);
        assert_eq!(debounce.due(), Some(now + MS + TOGETHER));
        assert_eq!(debounce.writing().count(), 0);
    }
}
