//! The manifest, `holdfast.toml`: [`Raw`] is what the file says, [`Manifest`]
//! is what it means. Parsing only reads, resolving only checks, and neither
//! opens a file or a port.

mod raw;
mod resolve;
mod tokens;

pub use raw::{Kind, Raw, RawAdmin, RawDev, RawPlugin, RawRoute, parse};
pub use resolve::{DEFAULT_LISTEN, DEFAULT_TENANT, Dev, Host, Manifest, Plugin, Route, resolve};
pub use tokens::{AdminToken, RawToken, Role, Secret};

/// What is wrong with a manifest, and how to mend it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub struct ManifestError {
    /// Which file, what in it, and why.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl std::fmt::Display for ManifestError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(formatter, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}
