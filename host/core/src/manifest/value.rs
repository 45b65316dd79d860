//! Settings of a plugin: text, or where to find it.

use std::path::PathBuf;

use serde::Deserialize;

use crate::secret::Secret;

/// A value of `config` as written.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(
    untagged,
    expecting = "a setting is a text, { env = \"NAME\" } or { file = \"path\" }"
)]
pub enum RawValue {
    /// The value itself.
    Text(SecretText),
    /// Somewhere else.
    Place(RawPlace),
}

/// Where a value is, as written.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RawPlace {
    /// In this variable of the host's environment.
    Env(String),
    /// In this file, relative to the manifest.
    File(String),
}

/// A text in a manifest that is not shown.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub struct SecretText(pub Secret);

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<String> for RawValue {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

/// A setting: where its value comes from, and the value, once it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// Where it comes from.
    pub origin: Origin,
    /// None until somebody has read it.
    pub secret: Option<Secret>,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The manifest.
    Manifest,
    /// This variable of the host's environment.
    Env(String),
    /// This file; a line break at its end is no part of it.
    File(PathBuf),
}

/// Bytes of the largest file that holds a setting.
pub const VALUE_BYTES_MAX: u64 = 64 << 10;

impl RawValue {
    /// Paths are relative to `folder`.
    pub(super) fn resolve(&self, folder: &std::path::Path) -> Value {
        let (origin, secret) = match self {
            Self::Text(text) => (Origin::Manifest, Some(text.0.clone())),
            Self::Place(RawPlace::Env(name)) => (Origin::Env(name.clone()), None),
            Self::Place(RawPlace::File(path)) => (Origin::File(folder.join(path)), None),
        };
        Value { origin, secret }
    }
}
