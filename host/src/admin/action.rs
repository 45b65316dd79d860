//! What can be asked for, and whose things it is about. Pure.

use holdfast_core::ConnectionId;

use crate::fleet::Name;

/// What can be asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Action {
    Health,
    Ready,
    OpenApi,
    Status,
    Metrics,
    Logs,
    Reload,
    Tenants,
    Tenant(String),
    Plugin(Name),
    Rollback(Name),
    Promote(Name),
    Upload(Name),
    Deploy(Name),
    Drain(Name),
    Undrain(Name),
    Connections(Name),
    Connection(Name, ConnectionId),
    Close(Name, ConnectionId),
    Send(Name, ConnectionId),
    Topics(String),
    Publish(String),
}

impl Action {
    /// Whose things it is about; none if it is about the host.
    pub(super) fn tenant(&self) -> Option<&str> {
        match self {
            Self::Health
            | Self::Ready
            | Self::OpenApi
            | Self::Status
            | Self::Metrics
            // Whose lines is in its query.
            | Self::Logs
            | Self::Reload
            | Self::Tenants => None,
            Self::Tenant(tenant) | Self::Topics(tenant) | Self::Publish(tenant) => Some(tenant),
            Self::Plugin(name)
            | Self::Rollback(name)
            | Self::Promote(name)
            | Self::Upload(name)
            | Self::Deploy(name)
            | Self::Drain(name)
            | Self::Undrain(name)
            | Self::Connections(name)
            | Self::Connection(name, _)
            | Self::Close(name, _)
            | Self::Send(name, _) => Some(&name.tenant),
        }
    }
}

/// The tenant that is named.
pub(super) fn tenant(names: &[&str]) -> Option<String> {
    let [tenant] = names else { return None };
    Some((*tenant).to_owned())
}

/// The plugin that is named.
pub(super) fn name(names: &[&str]) -> Option<Name> {
    let [tenant, plugin] = names else { return None };
    Some(Name {
        tenant: (*tenant).to_owned(),
        plugin: (*plugin).to_owned(),
    })
}

/// The connection that is named.
pub(super) fn connection(names: &[&str]) -> Option<(Name, ConnectionId)> {
    let (id, names) = names.split_last()?;
    Some((name(names)?, id.parse().ok()?))
}
