//! Where things are.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

/// The top folder of the repository.
pub(crate) fn root() -> Result<&'static Path> {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("xtask lies in no folder")
}

/// Where cargo puts what it builds.
pub(crate) fn target() -> Result<PathBuf> {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => {
            std::path::absolute(folder).context("CARGO_TARGET_DIR does not name a folder")
        }
        None => Ok(root()?.join("target")),
    }
}

/// Where finished guest components are.
pub(crate) fn guests() -> Result<PathBuf> {
    Ok(target()?.join("guests"))
}

/// Cargo, in the top folder.
pub(crate) fn cargo() -> Result<Command> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()?);
    Ok(command)
}
