//! Which file is sent for a path: itself, the `index.html` of a folder, one that
//! is encoded already, or one that stands for what is not there.

use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use holdfast_core::manifest::Files;
use http::StatusCode;

use super::open::{Folder, Patience};
use super::path::Wanted;
use super::validator::State;
use crate::encoding::Coding;

/// What stands for a folder.
const INDEX: &str = "index.html";

/// What is asked for.
pub(super) struct Query {
    /// None if its path is that of no file.
    pub(super) wanted: Option<Wanted>,
    /// The codings that the client takes, best first.
    pub(super) codings: Vec<Coding>,
    /// Whether it would rather have HTML than anything else.
    pub(super) is_for_html: bool,
}

/// What was found.
pub(super) enum Found {
    File(Chosen),
    /// A folder whose path lacks the slash.
    Folder,
    Nothing,
}

/// The file that is sent.
pub(super) struct Chosen {
    pub(super) file: File,
    pub(super) state: State,
    /// What it is named if it is not encoded.
    pub(super) name: PathBuf,
    /// How it is encoded.
    pub(super) coding: Option<Coding>,
    /// 404 if it stands for what is not there.
    pub(super) status: StatusCode,
}

/// Looks for what is asked for.
///
/// # Errors
/// Fails when the folder can't be opened, or when something is wrong that is not
/// the client's fault; without patience also as `WouldBlock`.
pub(super) fn find(files: &Files, query: &Query, patience: Patience) -> io::Result<Found> {
    let folder = Folder::open(files.root.as_deref(), &files.folder, patience)?;
    let search = Search {
        folder,
        codings: &query.codings,
        patience,
    };
    if let Some(wanted) = &query.wanted
        && let Some(found) = search.wanted(wanted)?
    {
        return Ok(found);
    }
    let fallback = files.fallback.as_ref().filter(|_| query.is_for_html);
    let substitutes = [
        fallback.map(|path| (path, StatusCode::OK)),
        files
            .not_found
            .as_ref()
            .map(|path| (path, StatusCode::NOT_FOUND)),
    ];
    for (path, status) in substitutes.into_iter().flatten() {
        if let Some(chosen) = search.file(path.clone(), status)? {
            return Ok(Found::File(chosen));
        }
    }
    Ok(Found::Nothing)
}

struct Search<'a> {
    folder: Folder,
    codings: &'a [Coding],
    patience: Patience,
}

enum Entry {
    File(File, Metadata),
    Folder,
}

impl Search<'_> {
    /// What is there for a path; none if that is nothing.
    fn wanted(&self, wanted: &Wanted) -> io::Result<Option<Found>> {
        let Wanted { path, is_folder } = wanted;
        Ok(match self.entry(path)? {
            Some(Entry::File(file, metadata)) if !is_folder => {
                let chosen = self.choose(path.clone(), file, &metadata, StatusCode::OK)?;
                Some(Found::File(chosen))
            }
            Some(Entry::Folder) => {
                let index = self.file(path.join(INDEX), StatusCode::OK)?;
                index.map(|chosen| match is_folder {
                    true => Found::File(chosen),
                    false => Found::Folder,
                })
            }
            _ => None,
        })
    }

    /// What is at a path; none if that is nothing which could be sent.
    fn entry(&self, path: &Path) -> io::Result<Option<Entry>> {
        let file = match self.folder.file(path, self.patience) {
            Ok(file) => file,
            Err(error) if is_absence(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        let metadata = file.metadata()?;
        Ok(if metadata.is_dir() {
            Some(Entry::Folder)
        } else {
            metadata.is_file().then_some(Entry::File(file, metadata))
        })
    }

    fn file(&self, path: PathBuf, status: StatusCode) -> io::Result<Option<Chosen>> {
        match self.entry(&path)? {
            Some(Entry::File(file, metadata)) => {
                self.choose(path, file, &metadata, status).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// The file itself, or the same in a coding that the client takes. One that is
    /// older than the file itself was forgotten when that changed.
    fn choose(
        &self,
        name: PathBuf,
        file: File,
        metadata: &Metadata,
        status: StatusCode,
    ) -> io::Result<Chosen> {
        let state = State::of(metadata);
        for &coding in self.codings {
            let mut encoded = name.clone().into_os_string();
            encoded.push(coding.ending());
            let Some(Entry::File(file, metadata)) = self.entry(Path::new(&encoded))? else {
                continue;
            };
            let encoded = State::of(&metadata);
            if !encoded.is_older_than(&state) {
                return Ok(Chosen {
                    file,
                    state: encoded,
                    name,
                    coding: Some(coding),
                    status,
                });
            }
        }
        Ok(Chosen {
            file,
            state,
            name,
            coding: None,
            status,
        })
    }
}

/// Whether it says that nothing is there, or nothing for this process: a name
/// that is none, a part of the way that is no folder, links in a circle or out of
/// the folder, a socket.
fn is_absence(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidFilename, NotADirectory, NotFound, PermissionDenied};
    use rustix::io::Errno;
    let errno = Errno::from_io_error(error);
    matches!(
        error.kind(),
        NotFound | NotADirectory | InvalidFilename | PermissionDenied
    ) || matches!(errno, Some(Errno::LOOP | Errno::NXIO))
}
