//! The manifest's file, and whether what it says now is in force.

use std::path::{Path, PathBuf};

use holdfast_core::manifest::{self, Manifest};
use holdfast_runtime::AllowList;

use super::fault::Fault;
use super::stamp::{Seen, Stamp, content};
use crate::problem::Problem;

/// Where the manifest comes from.
#[derive(Default)]
pub(crate) struct Source {
    /// None: from the command line.
    pub(super) path: Option<PathBuf>,
    pub(super) seen: Seen,
    /// Why the file as it is now is not in force.
    pub(super) fault: Option<Fault>,
    /// Keys that it has changed and that need a restart.
    pub(super) restart_keys: Vec<&'static str>,
}

impl Source {
    /// Reads and checks a manifest.
    pub(crate) fn read(path: &Path) -> Result<(Self, Manifest), Problem> {
        // The stamp comes first: whatever happens to the file from now on makes
        // another one.
        let seen = see(path);
        let manifest = read(path)?;
        let source = Self {
            path: Some(path.to_owned()),
            seen,
            ..Self::default()
        };
        Ok((source, manifest))
    }
}

/// What is there now.
pub(super) fn see(path: &Path) -> Seen {
    let stamp = Stamp::of(path);
    Seen::new(stamp, content(path))
}

/// Reads and checks a manifest.
pub(super) fn read(path: &Path) -> Result<Manifest, Problem> {
    let file = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| {
        Problem::new(
            format!("{file}: it can't be read: {error}"),
            "check the path, and that this user may read the file",
        )
    })?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let raw = manifest::parse(&file, &text)?;
    let manifest = manifest::resolve(&file, folder, &raw)?;
    check(&manifest)?;
    Ok(manifest)
}

/// Checks what only the runtime knows how to read.
pub(crate) fn check(manifest: &Manifest) -> Result<(), Problem> {
    for plugin in &manifest.plugins {
        AllowList::parse(&plugin.allow_http).map_err(|error| {
            Problem::new(
                format!("plugin `{}`: {error}", plugin.name),
                "write it as example.com, *.example.com or example.com:8443",
            )
        })?;
    }
    Ok(())
}
