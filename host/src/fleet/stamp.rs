//! Whether a file has changed: by what the system says of it, and then by its
//! content.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use holdfast_runtime::Digest;

/// A file that was written a shorter time ago is perhaps not complete.
const FRESH: Duration = Duration::from_secs(1);

/// What the system says of a file, symlinks followed. A file whose stamp is the
/// same has the same content. The time of the inode's change is part of it, so
/// that a file which has become readable is looked at again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    /// The stamp of a file, or of a link that leads to none; none if there is
    /// nothing.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let metadata = std::fs::metadata(path).or_else(|_| std::fs::symlink_metadata(path));
        metadata.ok().as_ref().map(Self::from)
    }

    /// Whether it was written a moment ago. Not if that is still to come, by a
    /// clock that goes wrong: nobody could wait for it.
    pub(crate) fn is_fresh(&self) -> bool {
        self.is_fresh_at(SystemTime::now())
    }

    fn is_fresh_at(&self, now: SystemTime) -> bool {
        let (seconds, nanoseconds) = self.modified;
        let modified = Duration::new(seconds.max(0) as u64, nanoseconds as u32);
        let age = now.duration_since(SystemTime::UNIX_EPOCH + modified);
        age.is_ok_and(|age| age < FRESH)
    }
}

impl From<&Metadata> for Stamp {
    fn from(it: &Metadata) -> Self {
        Self {
            device: it.dev(),
            inode: it.ino(),
            size: it.size(),
            modified: (it.mtime(), it.mtime_nsec()),
            changed: (it.ctime(), it.ctime_nsec()),
        }
    }
}

/// A SHA-256 of a file's content, in lower-case hexadecimal digits.
pub(crate) type Content = String;

/// That of these bytes.
pub(super) fn content(bytes: &[u8]) -> Content {
    Digest::of(bytes).to_string()
}

/// A file that is watched, as it was when it was last looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// None: it was not there.
    pub(crate) stamp: Option<Stamp>,
    /// None: it could not be compared.
    pub(crate) content: Option<Content>,
    /// What a poll has found and the next one is to confirm.
    unsettled: Option<Option<Stamp>>,
}

impl Seen {
    /// A file as it is found.
    pub(crate) fn new(stamp: Option<Stamp>, content: Option<Content>) -> Self {
        Self {
            stamp,
            content,
            unsettled: None,
        }
    }

    /// Whether the file, which is `now` like this, has to be looked at. A poll
    /// knows nothing of who may be writing at this moment: what it finds has to
    /// be the same at the next one.
    pub(crate) fn is_due(&mut self, now: Option<Stamp>, is_poll: bool) -> bool {
        if now == self.stamp {
            self.unsettled = None;
            return false;
        }
        let is_settled = self.unsettled.replace(now) == Some(now);
        !is_poll || is_settled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(size: u64) -> Option<Stamp> {
        Some(Stamp {
            device: 1,
            inode: 2,
            size,
            modified: (3, 4),
            changed: (5, 6),
        })
    }

    #[test]
    fn what_was_written_a_moment_ago_is_fresh() {
        let stamp = stamp(1).unwrap();
        let at = |ms| SystemTime::UNIX_EPOCH + Duration::from_millis(ms);
        for (ms, expected) in [(2_999, false), (3_001, true), (3_999, true), (4_001, false)] {
            assert_eq!(stamp.is_fresh_at(at(ms)), expected, "{ms}");
        }
    }

    #[test]
    fn a_poll_waits_until_a_file_is_at_rest() {
        let mut seen = Seen::new(stamp(1), None);
        assert!(!seen.is_due(stamp(1), true));
        assert!(!seen.is_due(stamp(2), true), "somebody may be writing");
        assert!(!seen.is_due(stamp(3), true), "and still is");
        assert!(seen.is_due(stamp(3), true), "at rest");
        assert!(!seen.is_due(None, true), "gone for a moment");
        assert!(!seen.is_due(stamp(1), true), "and back as it was");
        assert!(seen.is_due(stamp(2), false), "an event is believed at once");
    }
}
