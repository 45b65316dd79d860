//! A file into which machine code is written before it is used. `unsafe` is here,
//! and in [`super::pages`]: machine code is run as it is, so it must have been
//! written by nobody but this host or its compiler.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use rustix::fs::MemfdFlags;
use wasmtime::Engine;
use wasmtime::component::Component;

use super::Cache;

/// A file that goes when this is dropped, unless it has been published.
pub(crate) struct Draft {
    file: File,
    path: PathBuf,
    is_in_folder: bool,
}

impl Draft {
    /// One in the cache's folder; without a cache, or if nothing can be written
    /// there, one which is only in memory.
    pub(crate) fn new(cache: Option<&Cache>) -> io::Result<Self> {
        let Some(cache) = cache else {
            return Self::in_memory();
        };
        let path = cache.draft_path();
        let file = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&path);
        match file {
            Ok(file) => Ok(Self {
                file,
                path,
                is_in_folder: true,
            }),
            Err(error) => {
                let folder = cache.folder.display();
                tracing::warn!(%folder, %error, "the cache can't be written to");
                Self::in_memory()
            }
        }
    }

    fn in_memory() -> io::Result<Self> {
        let file = File::from(rustix::fs::memfd_create("component", MemfdFlags::CLOEXEC)?);
        let path = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
        Ok(Self {
            file,
            path,
            is_in_folder: false,
        })
    }

    /// The file for another process to write to.
    pub(crate) fn output(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    /// Writes all of it.
    pub(crate) fn write(&self, code: &[u8]) -> io::Result<()> {
        (&self.file).write_all(code)
    }

    /// The component in it.
    pub(crate) fn load(&self, engine: &Engine) -> anyhow::Result<Component> {
        load(engine, &self.path)
    }

    /// Gives it its name at once and for good, once it is on the disk, so that a
    /// host or a machine which ends half-way leaves no half file. One that is
    /// only in memory stays without.
    pub(super) fn publish(mut self, path: &Path) -> io::Result<()> {
        if !self.is_in_folder {
            return Ok(());
        }
        self.file.sync_all()?;
        fs::rename(&self.path, path)?;
        self.is_in_folder = false;
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if self.is_in_folder {
            // One that stays behind is dropped with the old ones.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// The component in a file of machine code.
#[allow(unsafe_code)]
pub(super) fn load(engine: &Engine, path: &Path) -> anyhow::Result<Component> {
    // SAFETY: the file is a draft, which only this host and its compiler have
    // written to, or was one; then it lies in a folder which only this user can
    // write to, under the digest of its source and of the settings.
    let mapped = unsafe { Component::deserialize_file(engine, path) };
    mapped.or_else(|error| {
        // Where nothing may be run from files, there is still memory.
        let code = fs::read(path)?;
        // SAFETY: as above.
        let copied = unsafe { Component::deserialize(engine, code) };
        copied.map_err(|_| anyhow::Error::from(error))
    })
}
