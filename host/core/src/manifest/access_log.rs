//! The access log: one line for each request.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::resolve::Wrong;

/// `[access_log]` as written.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawAccessLog {
    /// What a line looks like; there is none if left out.
    #[serde(default)]
    pub format: RawAccessFormat,
    /// The file, relative to the manifest; `-`, standard output, if left out.
    pub path: Option<String>,
}

/// What a line looks like, or that there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RawAccessFormat {
    /// There is none.
    #[default]
    Off,
    /// See [`AccessFormat::Combined`].
    Combined,
    /// See [`AccessFormat::Json`].
    Json,
}

/// What a line looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessFormat {
    /// The combined format of Apache and nginx, and what Holdfast knows besides
    /// behind it.
    Combined,
    /// A JSON object.
    Json,
}

/// How requests are logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessLog {
    /// What a line looks like.
    pub format: AccessFormat,
    /// Where it is written; none for standard output.
    pub path: Option<PathBuf>,
}

impl RawAccessLog {
    /// None if requests are not logged.
    pub(super) fn resolve(&self, folder: &Path) -> Result<Option<AccessLog>, Wrong> {
        let path = match self.path.as_deref() {
            Some("") => {
                return Err((
                    "`access_log.path` is empty".into(),
                    "name a file, or leave it out for standard output".into(),
                ));
            }
            None | Some("-") => None,
            Some(path) => Some(folder.join(path)),
        };
        let format = match self.format {
            RawAccessFormat::Off => return Ok(None),
            RawAccessFormat::Combined => AccessFormat::Combined,
            RawAccessFormat::Json => AccessFormat::Json,
        };
        Ok(Some(AccessLog { format, path }))
    }
}
