//! Compiled components on disk, each under the digest of what it was compiled
//! from and of how. The only module with `unsafe`: compiled code is run as it
//! is, so the folder must be writable by nobody but the host's user.

use std::ffi::OsString;
use std::fs;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

/// A folder of compiled components.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// Opens or makes the folder; one that is made can be entered by its owner
    /// only. One that is there is left as it is.
    ///
    /// # Errors
    /// Fails when the folder can't be made, or when others can write to it: who
    /// does so, has his code run by this host.
    pub fn open(folder: PathBuf) -> io::Result<Self> {
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.recursive(true).create(&folder)?;
        #[cfg(unix)]
        check_owner(&folder)?;
        Ok(Self { folder })
    }

    /// The compiled form of these bytes, if it is there and fits the engine. A
    /// file that can't be loaded counts as missing, and is replaced by
    /// [`Cache::put`].
    pub(crate) fn get(&self, engine: &Engine, bytes: &[u8]) -> Option<Component> {
        let path = self.path(engine, bytes);
        if !path.exists() {
            return None;
        }
        match load(engine, &path) {
            Ok(component) => Some(component),
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "compiled component unusable");
                None
            }
        }
    }

    /// Keeps the compiled form. Written beside its place and then renamed, so
    /// that a host which ends half-way leaves no half file.
    pub(crate) fn put(
        &self,
        engine: &Engine,
        bytes: &[u8],
        component: &Component,
    ) -> anyhow::Result<()> {
        let path = self.path(engine, bytes);
        let mut partial = OsString::from(&path);
        // No process id: hosts in several containers may all have the same.
        partial.push(format!(".{:016x}", RandomState::new().hash_one(())));
        let result = write(Path::new(&partial), &component.serialize()?)
            .and_then(|()| fs::rename(&partial, &path));
        if result.is_err() {
            let _ = fs::remove_file(&partial);
        }
        Ok(result?)
    }

    fn path(&self, engine: &Engine, bytes: &[u8]) -> PathBuf {
        let mut settings = Digester(Sha256::new());
        engine.precompile_compatibility_hash().hash(&mut settings);
        let mut digest = settings.0;
        digest.update(bytes);
        let digest = digest.finalize();
        let name: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        self.folder.join(name).with_extension("cwasm")
    }
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

#[allow(unsafe_code)]
fn load(engine: &Engine, path: &Path) -> wasmtime::Result<Component> {
    // SAFETY: the file was written by `put` into a folder which only this
    // user can write to, under the digest of its source and of the settings.
    unsafe { Component::deserialize_file(engine, path) }
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = fs::File::create_new(path)?;
    file.write_all(bytes)?;
    file.sync_all()
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
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_folder_of_everybody_is_refused_and_left_alone() {
        use std::os::unix::fs::PermissionsExt;
        let mode_of = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let parent = std::env::temp_dir().join(format!("holdfast-cache-{}", std::process::id()));
        let folder = parent.join("made");
        Cache::open(folder.clone()).unwrap();
        assert_eq!(mode_of(&folder), 0o700);
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
        assert!(Cache::open(folder.clone()).is_err());
        assert_eq!(mode_of(&folder), 0o777);
        fs::remove_dir_all(&parent).unwrap();
    }
}
