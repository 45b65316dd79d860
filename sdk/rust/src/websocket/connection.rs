//! The connection an event belongs to.

use crate::bindings::holdfast::websocket::websocket_types as wire;
use crate::connections::{self, AttachmentError, CloseError, SendError};
use crate::topics::{self, SubscribeError};
use crate::websocket::Message;

/// The connection an event belongs to, with what the host keeps for it.
///
/// It lives as long as the event. What has to outlive it goes into the
/// attachment, since the next event of the same connection may run in another
/// instance, or in a newer version of the plugin.
#[derive(Debug)]
pub struct Connection(wire::Connection);

impl Connection {
    /// Opaque, unguessable, and meaningful only inside the tenant. With it, any
    /// handler can reach the connection through [`crate::connections`].
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// The attachment as it was when the event began.
    pub fn attachment(&self) -> &[u8] {
        &self.0.attachment
    }

    /// Counts the changes of the attachment, from 0 at the handshake.
    pub fn attachment_version(&self) -> u64 {
        self.0.attachment_version
    }

    /// Bytes that were queued for the client, and not yet written to its
    /// socket, when the event began.
    pub fn buffered_bytes(&self) -> u64 {
        self.0.buffered_bytes
    }

    /// See [`connections::send`].
    pub fn send(&self, message: impl Into<Message>) -> Result<u64, SendError> {
        connections::send(self.id(), message)
    }

    /// See [`connections::close`].
    pub fn close(&self, code: u16, reason: &str) -> Result<(), CloseError> {
        connections::close(self.id(), code, reason)
    }

    /// See [`connections::set_attachment`]. [`Connection::attachment`] goes on
    /// to return the bytes of the beginning.
    pub fn set_attachment(
        &self,
        attachment: impl AsRef<[u8]>,
        expected: impl Into<Option<u64>>,
    ) -> Result<u64, AttachmentError> {
        connections::set_attachment(self.id(), attachment, expected)
    }

    /// See [`topics::subscribe`].
    pub fn subscribe(&self, topic: &str) -> Result<(), SubscribeError> {
        topics::subscribe(self.id(), topic)
    }

    /// See [`topics::unsubscribe`].
    pub fn unsubscribe(&self, topic: &str) {
        topics::unsubscribe(self.id(), topic);
    }

    pub(crate) fn from_wire(connection: wire::Connection) -> Self {
        Self(connection)
    }
}
