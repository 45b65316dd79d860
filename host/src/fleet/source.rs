//! The manifest's file, with those of tenants that have their own, and whether
//! what they say now is in force.

use std::path::{Path, PathBuf};

use holdfast_core::manifest::{self, Manifest, Plugin};
use holdfast_runtime::AllowList;

use super::beneath;
use super::fault::Fault;
use super::look::Look;
use super::report::TenantError;
use super::stamp::{Seen, Stamp, content};
use super::tenants::{Main, Tenants};
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
    /// The operator's part of what is in force.
    pub(super) main: Option<Main>,
    /// The tenants' own.
    pub(super) tenants: Tenants,
}

impl Source {
    /// Reads and checks a manifest, and the files of the tenants.
    ///
    /// # Errors
    /// Fails when the manifest can't be read or does not hold. A tenant's own
    /// file that does not is a fault of that tenant.
    pub(crate) fn read(path: &Path) -> Result<(Self, Manifest), Problem> {
        let read = read(path);
        let main = parse(path, &read.text?)?;
        let mut source = Self {
            path: Some(path.to_owned()),
            seen: read.seen,
            ..Self::default()
        };
        source.tenants.look(&main, true, &Look::asked());
        let manifest = source.tenants.join(&main);
        source.main = Some(main);
        Ok((source, manifest))
    }
}

impl Source {
    /// What is wrong with the manifest, or with the folder of the tenants.
    pub(super) fn fault(&self) -> Option<&Fault> {
        self.fault.as_ref().or(self.tenants.fault())
    }

    /// What is wrong with the tenants' own files.
    pub(super) fn tenant_errors(&self) -> Vec<TenantError> {
        let faults = self.tenants.faults();
        let errors = faults.map(|(tenant, fault)| TenantError {
            tenant: tenant.clone(),
            error: fault.message(),
        });
        errors.collect()
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
    let text = beneath::read_text(None, path, BYTES_MAX);
    let content = text.as_ref().ok().map(|text| content(text.as_bytes()));
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

/// Checks a manifest.
pub(super) fn parse(path: &Path, text: &str) -> Result<Main, Problem> {
    let file = path.display().to_string();
    let folder = path.parent().unwrap_or(Path::new(""));
    let raw = manifest::parse(&file, text)?;
    let manifest = manifest::resolve(&file, folder, &raw)?;
    check(&manifest.plugins)?;
    Ok(Main { raw, manifest })
}

/// Checks what only the runtime knows how to read.
pub(crate) fn check(plugins: &[Plugin]) -> Result<(), Problem> {
    for plugin in plugins {
        AllowList::parse(&plugin.allow_http).map_err(|error| {
            Problem::new(
                format!("plugin `{}`: {error}", plugin.name),
                "write it as example.com, *.example.com or example.com:8443",
            )
        })?;
    }
    Ok(())
}
