//! Topics: named groups of connections within the tenant. The host does the
//! fan-out without waking a guest. A topic exists while it has a subscriber.

use std::error::Error;
use std::fmt::{self, Display, Formatter};

use crate::bindings::holdfast::websocket::topics as wire;
use crate::websocket::Message;

/// The most subscribers that [`subscribers`] returns.
pub const SUBSCRIBERS_MAX: u32 = 1000;

/// Queues a message for every subscriber. Messages published by one handler
/// arrive in order.
pub fn publish(topic: &str, message: impl Into<Message>) -> Result<Delivery, PublishError> {
    deliver(topic, message.into(), None)
}

/// Queues a message for every subscriber but one connection, by id.
pub fn publish_except(
    topic: &str,
    message: impl Into<Message>,
    except: &str,
) -> Result<Delivery, PublishError> {
    deliver(topic, message.into(), Some(except))
}

fn deliver(topic: &str, message: Message, except: Option<&str>) -> Result<Delivery, PublishError> {
    match wire::publish(topic, &message.into_wire(), except) {
        Ok(delivery) => Ok(Delivery {
            queued: delivery.queued,
            full: delivery.full,
        }),
        Err(wire::PublishError::TooLarge(bytes)) => Err(PublishError::TooLarge(bytes)),
    }
}

/// Subscribes a connection, by id. Doing so twice is no error.
pub fn subscribe(connection: &str, topic: &str) -> Result<(), SubscribeError> {
    wire::subscribe(connection, topic).map_err(|error| match error {
        wire::SubscribeError::Gone => SubscribeError::Gone,
        wire::SubscribeError::TooMany(count) => SubscribeError::TooMany(count),
        wire::SubscribeError::InvalidName(bytes) => SubscribeError::InvalidName(bytes),
    })
}

/// Ends a subscription. Ending one that is not there is no error.
pub fn unsubscribe(connection: &str, topic: &str) {
    wire::unsubscribe(connection, topic);
}

/// How many connections are subscribed.
pub fn count(topic: &str) -> u32 {
    wire::count(topic)
}

/// The subscribers and their attachments, at most `limit` of them and at most
/// [`SUBSCRIBERS_MAX`], in no particular order.
pub fn subscribers(topic: &str, limit: u32) -> Vec<Subscriber> {
    let subscribers = wire::subscribers(topic, limit).into_iter();
    subscribers
        .map(|subscriber| Subscriber {
            connection: subscriber.connection,
            attachment: subscriber.attachment,
        })
        .collect()
}

/// A connection that is subscribed to a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscriber {
    /// Its id.
    pub connection: String,
    /// Its attachment.
    pub attachment: Vec<u8>,
}

/// What became of a published message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// Connections in whose queue it is now.
    pub queued: u32,
    /// Connections whose queue was full, under the policy to wait.
    pub full: u32,
}

/// Why a message was not published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublishError {
    /// It is larger than this many bytes (`message_bytes_max`).
    TooLarge(u64),
}

impl Display for PublishError {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let Self::TooLarge(bytes) = self;
        write!(formatter, "the message is over {bytes} bytes")
    }
}

impl Error for PublishError {}

/// Why a subscription was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubscribeError {
    /// No such connection, or it is closing.
    Gone,
    /// The connection has reached this number of topics
    /// (`topics_per_connection_max`).
    TooMany(u32),
    /// The name is empty, or longer than this many bytes (`topic_bytes_max`).
    InvalidName(u32),
}

impl Display for SubscribeError {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gone => formatter.write_str("the connection is gone"),
            Self::TooMany(count) => write!(formatter, "it has {count} topics already"),
            Self::InvalidName(bytes) => write!(formatter, "a topic's name has 1 to {bytes} bytes"),
        }
    }
}

impl Error for SubscribeError {}
