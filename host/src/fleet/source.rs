//! The manifest's file, and whether what it says now is in force.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use holdfast_core::manifest::{self, Manifest};
use holdfast_runtime::AllowList;
use sha2::{Digest, Sha256};

use super::fault::Fault;
use super::stamp::{Seen, Stamp, hex};
use crate::problem::Problem;

/// Bytes of the largest manifest.
const BYTES_MAX: u64 = 64 << 20;

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
        let read = read(path);
        let manifest = parse(path, &read.text?)?;
        let source = Self {
            path: Some(path.to_owned()),
            seen: read.seen,
            ..Self::default()
        };
        Ok((source, manifest))
    }
}

/// A manifest's file, as it was found.
pub(super) struct Read {
    pub(super) seen: Seen,
    pub(super) text: Result<String, Problem>,
}

/// Reads the file.
pub(super) fn read(path: &Path) -> Read {
    // The stamp comes first: whatever happens to the file from now on makes
    // another one.
    let stamp = Stamp::of(path);
    let text = read_text(path);
    let content = text.as_ref().ok().map(|text| hex(&Sha256::digest(text)));
    let text = text.map_err(|error| {
        Problem::new(
            format!("{}: it can't be read: {error}", path.display()),
            "check the path, and that this user may read the file",
        )
    });
    Read {
        seen: Seen::new(stamp, content),
        text,
    }
}

fn read_text(path: &Path) -> io::Result<String> {
    // A pipe would block whoever opens it.
    let metadata = std::fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    if metadata.len() > BYTES_MAX {
        return Err(io::Error::other(format!(
            "it has more than {BYTES_MAX} bytes"
        )));
    }
    let mut text = String::new();
    File::open(path)?
        .take(BYTES_MAX)
        .read_to_string(&mut text)?;
    Ok(text)
}

/// Checks a manifest.
pub(super) fn parse(path: &Path, text: &str) -> Result<Manifest, Problem> {
    let file = path.display().to_string();
    let folder = path.parent().unwrap_or(Path::new(""));
    let raw = manifest::parse(&file, text)?;
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
