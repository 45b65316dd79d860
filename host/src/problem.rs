//! What a person is told when something can't be done.

use std::fmt;
use std::path::Path;

use holdfast_core::manifest::ManifestError;
use holdfast_runtime::LoadError;

/// What is wrong and where, and how to mend it.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl Problem {
    pub(crate) fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: Some(hint.into()),
        }
    }

    /// A component that can't be loaded.
    pub(crate) fn component(path: &Path, error: &LoadError) -> Self {
        Self::new(format!("{}: {error}", path.display()), error.hint())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(formatter, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}

impl From<ManifestError> for Problem {
    fn from(error: ManifestError) -> Self {
        Self {
            message: error.message,
            hint: error.hint,
        }
    }
}

/// Something of the system that nobody expects to fail.
impl From<anyhow::Error> for Problem {
    fn from(error: anyhow::Error) -> Self {
        Self {
            message: format!("{error:#}"),
            hint: None,
        }
    }
}
