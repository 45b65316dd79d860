//! Reads the file of a component: a bounded one, and never one that blocks.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use rustix::fs::{Mode, OFlags};

use super::LoadError;

/// Reads a regular file of at most `bytes_max` bytes. It is opened once: one
/// that is replaced meanwhile is read as it was.
pub(super) fn read(path: &Path, bytes_max: u64) -> Result<Vec<u8>, LoadError> {
    // Opening a pipe to which nobody writes must not wait, nor a terminal become
    // the host's own.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = rustix::fs::open(path, flags, Mode::empty()).map_err(std::io::Error::from)?;
    read_file(File::from(file), bytes_max)
}

/// Reads a file that is open already.
pub(super) fn read_file(file: File, bytes_max: u64) -> Result<Vec<u8>, LoadError> {
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(LoadError::NotAFile);
    }
    check_size(metadata.len(), bytes_max)?;
    let mut bytes = Vec::with_capacity(metadata.len() as usize);
    // It may have grown since, so that the bound is kept here too.
    file.take(bytes_max.saturating_add(1))
        .read_to_end(&mut bytes)?;
    check_size(bytes.len() as u64, bytes_max)?;
    Ok(bytes)
}

fn check_size(bytes: u64, max: u64) -> Result<(), LoadError> {
    if bytes > max {
        return Err(LoadError::TooLarge { bytes, max });
    }
    Ok(())
}
