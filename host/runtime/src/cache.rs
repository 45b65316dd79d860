//! Compiled components on disk, each under the digest of what it was compiled
//! from and of how. The only module with `unsafe`: compiled code is run as it
//! is, so the folder must be writable by nobody but the host's user.

use std::ffi::OsString;
use std::fs;
use std::hash::{Hash, Hasher};
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
    /// Opens or makes the folder; on Unix only its owner may enter it.
    ///
    /// # Errors
    /// Fails when the folder can't be made, or when others can write to it.
    pub fn open(folder: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(&folder, fs::Permissions::from_mode(0o700))?;
        }
        Ok(Self { folder })
    }

    /// The compiled form of these bytes, if it is there and fits the engine. A
    /// damaged file counts as missing, and is replaced by [`Cache::put`].
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
        partial.push(format!(".{}", std::process::id()));
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

#[allow(unsafe_code)]
fn load(engine: &Engine, path: &Path) -> wasmtime::Result<Component> {
    // SAFETY: the file was written by `put` into a folder which only this
    // user can write to, under the digest of its source and of the settings.
    unsafe { Component::deserialize_file(engine, path) }
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = fs::File::create(path)?;
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
