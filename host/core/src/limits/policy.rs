//! What is done when something goes wrong with a connection.

use serde::Deserialize;

/// What to do with a message for a connection whose outbound queue is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SlowConsumer {
    /// Refuse the message: the sender is told `full`. The host also stops
    /// reading from a client that does not read.
    Wait,
    /// Drop the oldest queued messages to make room.
    DropOldest,
    /// Close the connection with 1013.
    #[default]
    Close,
}

/// What to do with a connection whose handler returned an error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnError {
    /// Close it with 1011.
    #[default]
    Close,
    /// Log the error and go on with the next event.
    Skip,
}
