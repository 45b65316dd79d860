//! The file by which `holdfast status` finds a running host: its address and its
//! token, readable by its user alone.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use holdfast_runtime::Digest;
use serde::{Deserialize, Serialize};

/// Bytes of the largest file that is thought to be one.
const BYTES_MAX: u64 = 64 << 10;

/// What is in the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Meeting {
    /// Where the admin listener is.
    pub(crate) url: String,
    /// What has to be shown there.
    pub(crate) token: String,
    /// The host's process.
    pub(crate) pid: u32,
}

/// Where the file is, for a host of this manifest or component: in the folder of
/// what plugins keep, if it has one, and in that of the user.
pub(crate) fn places(data: Option<&Path>, origin: &Path) -> Vec<PathBuf> {
    let data = data.map(|folder| folder.join("admin.json"));
    let origin = origin.canonicalize().unwrap_or_else(|_| origin.to_owned());
    let name = Digest::of(origin.as_os_str().as_encoded_bytes()).to_string();
    let users = user_folder().join(name).with_extension("json");
    data.into_iter().chain([users]).collect()
}

/// `XDG_RUNTIME_DIR/holdfast` (XDG Base Directory Specification), or a folder in
/// `/tmp` which is this user's.
fn user_folder() -> PathBuf {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    match runtime.filter(|folder| folder.is_absolute()) {
        Some(folder) => folder.join("holdfast"),
        None => PathBuf::from(format!("/tmp/holdfast-{}", uid())),
    }
}

fn uid() -> u32 {
    rustix::process::getuid().as_raw()
}

impl Meeting {
    /// Writes it, readable by this user alone, in a folder that is this user's.
    /// It is removed when the result is dropped.
    pub(crate) fn publish(&self, path: PathBuf) -> io::Result<Published> {
        let folder = path.parent().unwrap_or(Path::new("/"));
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
        check_owner(folder)?;
        let text = serde_json::to_vec(self)?;
        // Beside its place and then renamed, so that nobody reads half of it.
        let partial = path.with_extension(format!("{}.partial", self.pid));
        let _ = fs::remove_file(&partial);
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&partial)?;
        let written = file
            .write_all(&text)
            .and_then(|()| fs::rename(&partial, &path));
        if written.is_err() {
            let _ = fs::remove_file(&partial);
        }
        written?;
        Ok(Published {
            path,
            meeting: self.clone(),
        })
    }

    /// Reads one that this user's host has written.
    ///
    /// # Errors
    /// Fails when there is none, or when somebody else could have written it.
    pub(crate) fn read(path: &Path) -> io::Result<Self> {
        check_owner(path.parent().unwrap_or(Path::new("/")))?;
        let mut text = Vec::new();
        let file = fs::File::open(path)?;
        file.take(BYTES_MAX).read_to_end(&mut text)?;
        Ok(serde_json::from_slice(&text)?)
    }
}

/// A folder in which others can write says nothing about who a file is from.
fn check_owner(folder: &Path) -> io::Result<()> {
    let metadata = fs::metadata(folder)?;
    if metadata.uid() == uid() && metadata.mode() & 0o022 == 0 {
        return Ok(());
    }
    let text = format!("{} is not this user's alone", folder.display());
    Err(io::Error::new(io::ErrorKind::PermissionDenied, text))
}

/// A file that goes with its host.
pub(crate) struct Published {
    path: PathBuf,
    meeting: Meeting,
}

impl Drop for Published {
    fn drop(&mut self) {
        // Another host may have written its own meanwhile.
        if Meeting::read(&self.path).is_ok_and(|meeting| meeting == self.meeting) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn meeting(pid: u32) -> Meeting {
        Meeting {
            url: "http://127.0.0.1:1".into(),
            token: "secret".into(),
            pid,
        }
    }

    #[test]
    fn the_file_is_its_users_and_goes_with_the_host() {
        let parent = std::env::temp_dir().join(format!("holdfast-meet-{}", std::process::id()));
        let path = parent.join("holdfast/a.json");
        let first = meeting(1).publish(path.clone()).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().unwrap()), 0o700);
        assert_eq!(Meeting::read(&path).unwrap(), meeting(1));

        let second = meeting(2).publish(path.clone()).unwrap();
        drop(first);
        assert_eq!(Meeting::read(&path).unwrap(), meeting(2), "not its own");
        drop(second);
        assert!(!path.exists());

        let folder = path.parent().unwrap();
        fs::set_permissions(folder, fs::Permissions::from_mode(0o777)).unwrap();
        assert!(meeting(3).publish(path.clone()).is_err());
        fs::remove_dir_all(&parent).unwrap();
    }
}
