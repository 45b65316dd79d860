//! What a guest's capability calls can do to connections and topics.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use crate::id::{ConnectionId, PluginId, TenantId};
use crate::message::MessageRef;
use crate::plugin::Settings;

/// Acts on a tenant's connections and topics. Implemented by the edge, called
/// by the runtime's capabilities from any event loop. Every function returns at
/// once. The tenant comes from the instance that calls, never from the guest,
/// so that a guest has no way to name another tenant's connection.
pub trait Edge: Send + Sync {
    /// Queues a message; returns the bytes now queued for the connection.
    fn send(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        message: MessageRef<'_>,
    ) -> Result<u64, SendError>;

    /// Closes a connection after what is queued for it has been sent. `code` is
    /// one an endpoint may send and `reason` at most 123 bytes.
    fn close(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        code: u16,
        reason: &str,
    ) -> Result<(), CloseError>;

    /// The state of a connection, if there is one.
    fn get(&self, tenant: TenantId, connection: ConnectionId) -> Option<State>;

    /// Replaces an attachment; with `expected`, only at that version. Returns
    /// the new version.
    fn set_attachment(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        attachment: &[u8],
        expected: Option<u64>,
    ) -> Result<u64, AttachmentError>;

    /// Moves a connection to another generation of its plugin, whose limits it
    /// has from now on; with `migrated`, its attachment is replaced at the same
    /// time, if it is still at that version. Returns the attachment's version.
    fn adopt(
        &self,
        connection: ConnectionId,
        settings: &Arc<Settings>,
        migrated: Option<Migrated>,
    ) -> Result<u64, AttachmentError>;

    /// How many connections of a plugin belong to which of its generations, those
    /// in their handshake included.
    fn generation_counts(&self, plugin: PluginId) -> BTreeMap<u32, u32>;

    /// Subscribes a connection to a topic.
    fn subscribe(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        topic: &str,
    ) -> Result<(), SubscribeError>;

    /// Ends a subscription, if there is one.
    fn unsubscribe(&self, tenant: TenantId, connection: ConnectionId, topic: &str);

    /// Queues a message for every subscriber but `except`. The caller has held
    /// it against its own `message_bytes_max`.
    fn publish(
        &self,
        tenant: TenantId,
        topic: &str,
        message: MessageRef<'_>,
        except: Option<ConnectionId>,
    ) -> Delivery;

    /// Number of subscribers.
    fn count(&self, tenant: TenantId, topic: &str) -> u32;

    /// At most `limit` subscribers with their attachments.
    fn subscribers(
        &self,
        tenant: TenantId,
        topic: &str,
        limit: usize,
    ) -> Vec<(ConnectionId, Bytes)>;
}

/// Why a message was not queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// No such connection, or it is closing.
    #[error("the connection is gone")]
    Gone,
    /// The queue is full, with this many bytes, and the policy is to wait.
    #[error("the queue is full with {0} bytes")]
    Full(u64),
    /// Larger than this many bytes.
    #[error("the message is larger than {0} bytes")]
    TooLarge(u64),
}

/// Why a connection was not closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CloseError {
    /// No such connection, or it is closing already.
    #[error("the connection is gone")]
    Gone,
    /// Not a code that an endpoint may send.
    #[error("the code may not be sent")]
    InvalidCode,
    /// Longer than 123 bytes.
    #[error("the reason is longer than 123 bytes")]
    ReasonTooLong,
}

/// Why an attachment was not replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AttachmentError {
    /// No such connection.
    #[error("the connection is gone")]
    Gone,
    /// It is at this version.
    #[error("the attachment is at version {0}")]
    Conflict(u64),
    /// Larger than this many bytes.
    #[error("the attachment is larger than {0} bytes")]
    TooLarge(u64),
}

/// Why a subscription was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubscribeError {
    /// No such connection, or it is closing.
    #[error("the connection is gone")]
    Gone,
    /// The connection, or its tenant, has this many topics.
    #[error("there are {0} topics already")]
    TooMany(u32),
    /// Empty, or longer than this many bytes.
    #[error("a topic's name has 1 to {0} bytes")]
    InvalidName(u32),
}

/// An attachment in the format of another generation.
#[derive(Clone, Debug)]
pub struct Migrated {
    /// The bytes.
    pub attachment: Bytes,
    /// The version of the attachment from which they were made.
    pub expected: u64,
}

/// What the host keeps for a connection.
#[derive(Clone, Debug)]
pub struct State {
    /// The guest's bytes.
    pub attachment: Bytes,
    /// Counts their changes.
    pub attachment_version: u64,
    /// Bytes queued and not yet written.
    pub buffered_bytes: u64,
}

/// What became of a published message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// Connections in whose queue it is.
    pub queued: u32,
    /// Connections whose queue was full, under the policy to wait.
    pub full: u32,
}
