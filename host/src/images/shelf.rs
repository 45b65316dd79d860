//! What was pulled, each under its SHA-256, which is checked whenever it is taken:
//! nothing here has to be believed. Several hosts may share the folder.
//!
//! ```text
//! FOLDER/blobs/SHA256   manifests and components
//! FOLDER/tags/SHA256    of a reference: the digest for which it stood last
//! ```

use std::fs::{self, DirBuilder, File};
use std::hash::{BuildHasher, RandomState};
use std::io::{Read, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use holdfast_core::manifest::is_digest;
use holdfast_runtime::Digest;

/// A folder of what was pulled. Not to be able to write there is no failure.
pub(crate) struct Shelf {
    blobs: PathBuf,
    tags: PathBuf,
    bytes_max: u64,
}

impl Shelf {
    /// One in this folder, which is made when something comes into it, for its
    /// owner only. What has not been used for the longest time goes when there is
    /// more than `bytes_max`.
    pub(crate) fn new(folder: &Path, bytes_max: u64) -> Self {
        Self {
            blobs: folder.join("blobs"),
            tags: folder.join("tags"),
            bytes_max,
        }
    }

    /// What has this digest, if it is there.
    pub(super) fn get(&self, digest: &str, bytes_max: u64) -> Option<Vec<u8>> {
        let path = self.blobs.join(digest);
        let file = File::open(&path).ok()?;
        let mut bytes = Vec::new();
        let mut limited = (&file).take(bytes_max.saturating_add(1));
        limited.read_to_end(&mut bytes).ok()?;
        if bytes.len() as u64 > bytes_max {
            return None;
        }
        if Digest::of(&bytes).to_string() != digest {
            tracing::warn!(file = %path.display(), "what was kept is damaged, and comes anew");
            return None;
        }
        // Not to be allowed to is no reason not to use it.
        let _ = file.set_modified(SystemTime::now());
        Some(bytes)
    }

    /// Keeps it.
    pub(super) fn put(&self, digest: &str, bytes: &[u8]) {
        self.trim(bytes.len() as u64);
        write(&self.blobs.join(digest), bytes);
    }

    /// Notes what a reference stands for.
    pub(super) fn note(&self, reference: &str, digest: &str) {
        write(&self.tag(reference), digest.as_bytes());
    }

    /// What it stood for last.
    pub(super) fn noted(&self, reference: &str) -> Option<String> {
        let digest = fs::read_to_string(self.tag(reference)).ok()?;
        is_digest(&digest).then_some(digest)
    }

    fn tag(&self, reference: &str) -> PathBuf {
        let name = Digest::of(reference.as_bytes()).to_string();
        self.tags.join(name)
    }

    /// Makes room for so many bytes.
    fn trim(&self, bytes: u64) {
        let mut kept: Vec<_> = files(&self.blobs).collect();
        kept.sort();
        let all: u64 = kept.iter().map(|(_, len, _)| len).sum();
        let mut too_many = all.saturating_add(bytes).saturating_sub(self.bytes_max);
        for (_, len, path) in kept {
            if too_many == 0 {
                break;
            }
            // Another host may have been faster.
            let _ = fs::remove_file(path);
            too_many = too_many.saturating_sub(len);
        }
    }
}

/// When each was used last, and its length.
fn files(folder: &Path) -> impl Iterator<Item = (SystemTime, u64, PathBuf)> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.filter_map(|entry| {
        let entry = entry.ok()?;
        let metadata = entry.metadata().ok()?;
        let used = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        Some((used, metadata.len(), entry.path()))
    })
}

/// A file is there as a whole or not at all. One that is left half-written has
/// another name, and goes with the old ones.
fn write(path: &Path, bytes: &[u8]) {
    // Hosts in several containers may have the same process id.
    let random = RandomState::new().hash_one(());
    let partial = path.with_extension(format!("{random:016x}-partial"));
    let write = || {
        if let Some(folder) = path.parent() {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)?;
        }
        let mut file = File::create(&partial)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&partial, path)
    };
    if let Err(error) = write() {
        let _ = fs::remove_file(&partial);
        tracing::warn!(file = %path.display(), %error, "what was pulled is not kept");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_found_unless_it_was_changed() {
        let folder = std::env::temp_dir().join(format!("holdfast-shelf-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        let shelf = Shelf::new(&folder, 10);
        let digest = |bytes: &[u8]| Digest::of(bytes).to_string();
        let one = digest(b"123456");
        assert_eq!(shelf.get(&one, 9), None);
        shelf.put(&one, b"123456");
        assert_eq!(shelf.get(&one, 9).unwrap(), b"123456");
        assert_eq!(shelf.get(&one, 5), None, "more than is read");
        fs::write(folder.join("blobs").join(&one), "123457").unwrap();
        assert_eq!(shelf.get(&one, 9), None);

        shelf.put(&one, b"123456");
        let other = digest(b"abcdef");
        shelf.put(&other, b"abcdef");
        assert_eq!(shelf.get(&one, 9), None, "there was no room");
        assert_eq!(shelf.get(&other, 9).unwrap(), b"abcdef");

        assert_eq!(shelf.noted("oci://r.example/a:b"), None);
        shelf.note("oci://r.example/a:b", &one);
        assert_eq!(shelf.noted("oci://r.example/a:b").unwrap(), one);
        fs::remove_dir_all(&folder).unwrap();
    }
}
