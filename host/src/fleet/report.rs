//! What has come of a command.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a look has changed.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Report {
    /// One for each plugin that was concerned.
    pub(crate) changes: Vec<Change>,
    /// Why the manifest is not in force, if it is not.
    pub(crate) manifest_error: Option<Message>,
    /// Why a certificate is not in force, if one is not.
    #[serde(default)]
    pub(crate) certificate_error: Option<Message>,
    /// What is wrong with tenants' own files.
    pub(crate) tenant_errors: Vec<TenantError>,
}

/// What is wrong with a tenant's own file.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct TenantError {
    pub(crate) tenant: String,
    #[serde(flatten)]
    pub(crate) error: Message,
}

/// What is wrong, and how to mend it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Message {
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

/// What has become of one plugin.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Change {
    pub(crate) tenant: String,
    pub(crate) plugin: String,
    pub(crate) what: What,
    /// The generation that is its newest now; none if it has none.
    pub(crate) generation: Option<u32>,
    /// Digest of that one's component.
    pub(crate) digest: Option<String>,
    /// If it has failed.
    pub(crate) error: Option<Message>,
}

/// What can become of a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum What {
    /// A new generation serves.
    Reloaded,
    /// It has been added.
    Added,
    /// It has been removed.
    Removed,
    /// Nothing that its guests could notice has changed.
    Noted,
    /// It has failed, and everything is as before.
    Failed,
    /// An earlier generation serves again.
    RolledBack,
    /// The canary serves everybody.
    Promoted,
    /// An uploaded component serves.
    Deployed,
}

impl Report {
    /// Whether everything is as the files say.
    pub(crate) fn is_good(&self) -> bool {
        let has_failed = |change: &Change| change.what == What::Failed;
        self.manifest_error.is_none()
            && self.certificate_error.is_none()
            && self.tenant_errors.is_empty()
            && !self.changes.iter().any(has_failed)
    }
}

/// Why a command about one plugin was not obeyed.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Refusal {
    pub(crate) kind: RefusalKind,
    pub(crate) message: String,
    pub(crate) hint: String,
}

/// How a refusal is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RefusalKind {
    /// No such plugin.
    NotFound,
    /// Not as the plugin is now.
    Conflict,
    /// The component can't serve.
    Unusable,
    /// It can't be kept.
    Storage,
}
