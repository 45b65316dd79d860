//! What went wrong with a plugin, or with the manifest, for as long as nobody
//! has mended it.

use std::path::PathBuf;
use std::time::SystemTime;

use super::plan::Name;
use super::report::Message;
use crate::problem::Problem;

/// An error that `holdfast status` shows.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) at: SystemTime,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
    /// The file that has to be mended.
    pub(crate) file: Option<PathBuf>,
    /// Digest of its content, if that is the cause.
    pub(crate) digest: Option<String>,
}

impl Fault {
    /// Something that has just happened.
    pub(crate) fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            at: SystemTime::now(),
            message: message.into(),
            hint: Some(hint.into()),
            file: None,
            digest: None,
        }
    }

    /// The same, for whoever does not know of which plugin it is.
    pub(crate) fn of(mut self, name: &Name) -> Self {
        self.message = format!("the plugin {name}: {}", self.message);
        self
    }

    /// The same, with the file and the digest of its content.
    pub(crate) fn in_file(mut self, file: PathBuf, digest: Option<String>) -> Self {
        self.file = Some(file);
        self.digest = digest;
        self
    }

    /// For people.
    pub(crate) fn message(&self) -> Message {
        Message {
            message: self.message.clone(),
            hint: self.hint.clone(),
        }
    }

    /// Writes it to the log, in one line.
    pub(crate) fn log(&self, what: &str) {
        let (error, hint) = self.line();
        tracing::error!(error, hint, "{what}");
    }

    /// The same, about a plugin.
    pub(crate) fn log_of(&self, name: &Name, what: &str) {
        let (tenant, plugin) = (&*name.tenant, &*name.plugin);
        let (error, hint) = self.line();
        tracing::error!(tenant, plugin, error, hint, "{what}");
    }

    /// The same, about a tenant.
    pub(crate) fn log_of_tenant(&self, tenant: &str, what: &str) {
        let (error, hint) = self.line();
        tracing::error!(tenant, error, hint, "{what}");
    }

    fn line(&self) -> (String, Option<&str>) {
        let lines: Vec<_> = self.message.lines().map(str::trim).collect();
        (lines.join(" "), self.hint.as_deref())
    }
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        Self {
            at: SystemTime::now(),
            message: problem.message,
            hint: problem.hint,
            file: None,
            digest: None,
        }
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        Self {
            message: fault.message,
            hint: fault.hint,
        }
    }
}
