//! How components come from registries: `[images]`.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::resolve::Wrong;

/// `[images]` as written.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawImages {
    /// Registries which are spoken with without TLS: `registry.local:5000`. Those
    /// on this machine (`127.0.0.1`, `[::1]`, `localhost`) need not be here.
    #[serde(default)]
    pub plain_http: Vec<String>,
    /// A file of Docker's (`config.json`) with names and passwords, relative to
    /// the manifest; that of the user if left out.
    pub credentials: Option<String>,
    /// Time for one image, from the first question to the last byte.
    pub timeout_ms: Option<u64>,
}

/// How components come from registries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Images {
    /// Registries which are spoken with without TLS, besides those on this machine.
    pub plain_http: Vec<String>,
    /// Where names and passwords are; none for the user's file, if there is one.
    pub credentials: Option<PathBuf>,
    /// Time for one image.
    pub timeout_ms: u64,
}

impl Default for Images {
    fn default() -> Self {
        Self {
            plain_http: Vec::new(),
            credentials: None,
            timeout_ms: TIMEOUT_MS,
        }
    }
}

const TIMEOUT_MS: u64 = 120_000;
const TIMEOUT_MS_MAX: u64 = 3_600_000;

impl RawImages {
    pub(super) fn resolve(&self, folder: &Path) -> Result<Images, Wrong> {
        let timeout_ms = self.timeout_ms.unwrap_or(TIMEOUT_MS);
        if !(1..=TIMEOUT_MS_MAX).contains(&timeout_ms) {
            return Err((
                format!("`images.timeout_ms` is {timeout_ms}"),
                format!("give it a number from 1 to {TIMEOUT_MS_MAX}"),
            ));
        }
        let is_wrong = |entry: &&String| entry.is_empty() || entry.contains('/');
        if let Some(entry) = self.plain_http.iter().find(is_wrong) {
            return Err((
                format!("`images.plain_http` has \"{entry}\""),
                "write it as registry.local:5000".into(),
            ));
        }
        let plain_http = self.plain_http.iter().map(|it| it.to_ascii_lowercase());
        Ok(Images {
            plain_http: plain_http.collect(),
            credentials: self.credentials.as_ref().map(|path| folder.join(path)),
            timeout_ms,
        })
    }
}
