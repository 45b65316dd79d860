//! Connections of the tenant, by id, from any handler, HTTP included.
//!
//! Every function returns at once. An id of another tenant is answered like one
//! that never was.

use std::error::Error;
use std::fmt::{self, Display, Formatter};

use crate::bindings::holdfast::websocket::connections as wire;
use crate::websocket::Message;

/// Queues a message; the host writes it when the socket takes it. Returns the
/// number of bytes now waiting for this client, the message included. Delivery
/// is at most once.
pub fn send(connection: &str, message: impl Into<Message>) -> Result<u64, SendError> {
    let message = message.into().into_wire();
    wire::send(connection, &message).map_err(|error| match error {
        wire::SendError::Gone => SendError::Gone,
        wire::SendError::Full(bytes) => SendError::Full(bytes),
        wire::SendError::TooLarge(bytes) => SendError::TooLarge(bytes),
    })
}

/// Closes a connection after what is already queued for it has been sent. The
/// code is 1000, 1001, 1003, 1007 to 1014, or 3000 to 4999, the reason at most
/// 123 bytes (RFC 6455, sections 5.5 and 7.4).
pub fn close(connection: &str, code: u16, reason: &str) -> Result<(), CloseError> {
    wire::close(connection, code, reason).map_err(|error| match error {
        wire::CloseError::Gone => CloseError::Gone,
        wire::CloseError::InvalidCode => CloseError::InvalidCode,
        wire::CloseError::ReasonTooLong => CloseError::ReasonTooLong,
    })
}

/// Reads a connection's state; none if there is no such connection.
pub fn get(connection: &str) -> Option<State> {
    wire::get(connection).map(|state| State {
        attachment: state.attachment,
        attachment_version: state.attachment_version,
        buffered_bytes: state.buffered_bytes,
    })
}

/// Replaces a connection's attachment and returns its new version. With a
/// version for `expected`, only if it is still at that one (compare-and-set);
/// with `None`, in any case.
pub fn set_attachment(
    connection: &str,
    attachment: impl AsRef<[u8]>,
    expected: impl Into<Option<u64>>,
) -> Result<u64, AttachmentError> {
    let result = wire::set_attachment(connection, attachment.as_ref(), expected.into());
    result.map_err(|error| match error {
        wire::AttachmentError::Gone => AttachmentError::Gone,
        wire::AttachmentError::Conflict(version) => AttachmentError::Conflict(version),
        wire::AttachmentError::TooLarge(bytes) => AttachmentError::TooLarge(bytes),
    })
}

/// What the host knows of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The bytes last set.
    pub attachment: Vec<u8>,
    /// Counts their changes, from 0 at the handshake.
    pub attachment_version: u64,
    /// Bytes queued and not yet written to the socket.
    pub buffered_bytes: u64,
}

/// Why a message was not queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendError {
    /// No such connection, or it is closing.
    Gone,
    /// The outbound queue is full (`queue_bytes_max`), with this many bytes, and
    /// the slow-consumer policy is to wait.
    Full(u64),
    /// The message is larger than this many bytes (`message_bytes_max`).
    TooLarge(u64),
}

impl Display for SendError {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gone => formatter.write_str("the connection is gone"),
            Self::Full(bytes) => write!(formatter, "its queue is full, with {bytes} bytes"),
            Self::TooLarge(bytes) => write!(formatter, "the message is over {bytes} bytes"),
        }
    }
}

impl Error for SendError {}

/// Why a connection could not be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseError {
    /// No such connection, or it is closing already.
    Gone,
    /// Not a code an endpoint may send.
    InvalidCode,
    /// The reason is longer than 123 bytes.
    ReasonTooLong,
}

impl Display for CloseError {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Gone => "the connection is gone",
            Self::InvalidCode => "an endpoint may not send this close code",
            Self::ReasonTooLong => "the reason for closing is over 123 bytes",
        })
    }
}

impl Error for CloseError {}

/// Why an attachment was not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttachmentError {
    /// No such connection.
    Gone,
    /// It is no longer at the expected version, but at this one.
    Conflict(u64),
    /// It is larger than this many bytes (`attachment_bytes_max`).
    TooLarge(u64),
}

impl Display for AttachmentError {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gone => formatter.write_str("the connection is gone"),
            Self::Conflict(version) => {
                write!(
                    formatter,
                    "the attachment has changed, to version {version}"
                )
            }
            Self::TooLarge(bytes) => write!(formatter, "the attachment is over {bytes} bytes"),
        }
    }
}

impl Error for AttachmentError {}
