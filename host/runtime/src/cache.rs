//! Compiled components on disk, each under the digest of what it was compiled
//! from and of how. Several hosts may share the folder. What has not been used
//! for the longest time goes when there is too much.

use std::fs;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use sha2::{Digest as _, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

pub(crate) use draft::Draft;
pub(crate) use pages::release;

use crate::compile;
use crate::digest::Digest;

mod draft;
mod pages;

/// How the names of finished files end, and those of drafts.
const FINISHED: &str = "cwasm";
const UNFINISHED: &str = "draft";

/// A draft that is older was left by a host which was killed.
const DRAFT_AGE_MAX: Duration = Duration::from_secs(24 * 3600);

/// A folder of compiled components.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: PathBuf,
    bytes_max: u64,
}

impl Cache {
    /// Opens or makes the folder; one that is made can be entered by its owner
    /// only. One that is there is left as it is. Drops what is too much for
    /// `bytes_max`, and what hosts that were killed have left.
    ///
    /// # Errors
    /// Fails when the folder can't be made, or when others can write to it: who
    /// does so, has his code run by this host.
    pub fn open(folder: PathBuf, bytes_max: u64) -> io::Result<Self> {
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.recursive(true).create(&folder)?;
        #[cfg(unix)]
        check_owner(&folder)?;
        let cache = Self { folder, bytes_max };
        cache.trim();
        Ok(cache)
    }

    /// The compiled form of this component, if it is there and fits the engine.
    /// A file that can't be loaded counts as missing, and is replaced when the
    /// component has been compiled again.
    pub(crate) fn get(&self, engine: &Engine, digest: Digest) -> Option<Component> {
        let path = self.path(engine, digest);
        let file = fs::File::open(&path).ok()?;
        match draft::load(engine, &path) {
            Ok(component) => {
                // Not to be allowed to is no reason not to use it.
                let _ = file.set_modified(SystemTime::now());
                Some(component)
            }
            Err(error) => {
                // The error names the file.
                tracing::warn!("compiled component unusable: {error:#}");
                None
            }
        }
    }

    /// Keeps what this process has compiled. Not to be able to is no failure.
    pub(crate) fn keep(&self, digest: Digest, component: &Component) {
        let draft = || -> anyhow::Result<Draft> {
            let draft = Draft::new(Some(self))?;
            draft.write(&component.serialize()?)?;
            Ok(draft)
        };
        match draft() {
            Ok(draft) => self.put(component.engine(), digest, draft),
            Err(error) => tracing::warn!("compiled component not kept: {error:#}"),
        }
    }

    /// Gives a finished draft its place. Not to be able to is no failure.
    pub(crate) fn put(&self, engine: &Engine, digest: Digest, draft: Draft) {
        match draft.publish(&self.path(engine, digest)) {
            Ok(()) => self.trim(),
            Err(error) => tracing::warn!(%error, "compiled component not kept"),
        }
    }

    fn path(&self, engine: &Engine, digest: Digest) -> PathBuf {
        let mut settings = Digester(Sha256::new());
        engine.precompile_compatibility_hash().hash(&mut settings);
        compile::fingerprint(&mut settings);
        let settings: String = settings
            .0
            .finalize()
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        self.folder.join(format!("{digest}-{settings}.{FINISHED}"))
    }

    /// A name for a draft. It has no process id in it, since hosts in several
    /// containers may all have the same.
    fn draft_path(&self) -> PathBuf {
        let random = RandomState::new().hash_one(());
        self.folder.join(format!("{random:016x}.{UNFINISHED}"))
    }

    /// Drops the oldest until the rest fits. Whoever uses such a file keeps what
    /// he has mapped of it.
    fn trim(&self) {
        let mut files = match self.files() {
            Ok(files) => files,
            Err(error) => {
                let folder = self.folder.display();
                return tracing::warn!(%folder, %error, "the cache can't be looked through");
            }
        };
        files.sort_by_key(|file| file.used);
        let mut bytes: u64 = files.iter().map(|file| file.bytes).sum();
        for file in files {
            let goes = if file.is_draft {
                file.used.elapsed().unwrap_or_default() > DRAFT_AGE_MAX
            } else {
                bytes > self.bytes_max
            };
            if !goes {
                continue;
            }
            bytes = bytes.saturating_sub(file.bytes);
            match fs::remove_file(&file.path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    let path = file.path.display();
                    tracing::warn!(%path, %error, "the cache can't be trimmed");
                }
                // Or another host was faster.
                _ => {}
            }
        }
    }

    /// What of the folder is ours.
    fn files(&self) -> io::Result<Vec<Entry>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let path = entry.path();
            let extension = path.extension().and_then(|extension| extension.to_str());
            let is_draft = extension == Some(UNFINISHED);
            if !is_draft && extension != Some(FINISHED) {
                continue;
            }
            // Another host may have dropped it just now.
            let Ok(metadata) = entry.metadata() else {
                continue;
            };
            files.push(Entry {
                bytes: metadata.len(),
                used: metadata.modified()?,
                is_draft,
                path,
            });
        }
        Ok(files)
    }
}

/// A file of the cache.
struct Entry {
    path: PathBuf,
    bytes: u64,
    used: SystemTime,
    is_draft: bool,
}

#[cfg(unix)]
fn check_owner(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let permissions = fs::metadata(folder)?.permissions();
    if permissions.mode() & 0o022 != 0 {
        let text = "others than its owner can write to it";
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, text));
    }
    // Nothing changes, but only its owner may do this.
    fs::set_permissions(folder, permissions)
}

/// Lets a cryptographic digest take what `Hash` gives.
struct Digester(Sha256);

impl Hasher for Digester {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}

#[cfg(test)]
mod tests;
