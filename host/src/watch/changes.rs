//! What an event of the system means.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use notify::event::{AccessKind, AccessMode, ModifyKind};
use notify::{Event, EventKind};

use super::debounce::Happened;

/// What has happened; none if it is nothing to us.
pub(super) fn happened(event: &Event) -> Option<Happened> {
    match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => Some(Happened::Complete),
        EventKind::Access(_) => None,
        EventKind::Create(_) => Some(match event.paths.first() {
            Some(path) if is_linked(path) => Happened::Complete,
            _ => Happened::Writing,
        }),
        EventKind::Modify(ModifyKind::Data(_)) => Some(Happened::Writing),
        EventKind::Modify(ModifyKind::Metadata(_)) => Some(Happened::Touched),
        EventKind::Modify(_) | EventKind::Remove(_) | EventKind::Any | EventKind::Other => {
            Some(Happened::Complete)
        }
    }
}

/// Whether a new name is that of something which is complete already, since it
/// has another name or is no regular file: nobody will close it.
fn is_linked(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|it| !it.is_file() || it.nlink() > 1)
}
