//! Files that are there as a whole or not at all, whenever the process ends.

use std::fs::{File, rename};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// Reads a file of at most so many bytes.
pub(super) fn read(path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    File::open(path)?
        .take(bytes_max + 1)
        .read_to_end(&mut text)?;
    match text.len() as u64 > bytes_max {
        true => Err(io::Error::other(format!(
            "{} has more than {bytes_max} bytes",
            path.display()
        ))),
        false => Ok(text),
    }
}

/// Writes a file in place of the one that is there. When this returns, it has
/// reached the disk. Two must not write the same file at once.
pub(super) fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let mut file = File::create(&partial)?;
    file.write_all(content)?;
    file.sync_all()?;
    rename(&partial, path)?;
    // The new name is in the folder, which has to reach the disk too.
    let folder = path.parent().unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}
