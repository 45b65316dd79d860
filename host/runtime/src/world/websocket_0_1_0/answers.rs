//! What the imports `connections` and `topics` answer.

use bytes::Bytes;
use holdfast_core::edge;
use wasmtime::component::{ComponentType, Lower};

/// `connections.send-error`.
#[derive(ComponentType, Lower)]
#[component(variant)]
pub(super) enum SendError {
    #[component(name = "gone")]
    Gone,
    #[component(name = "full")]
    Full(u64),
    #[component(name = "too-large")]
    TooLarge(u64),
}

impl From<edge::SendError> for SendError {
    fn from(error: edge::SendError) -> Self {
        match error {
            edge::SendError::Gone => Self::Gone,
            edge::SendError::Full(bytes) => Self::Full(bytes),
            edge::SendError::TooLarge(max) => Self::TooLarge(max),
        }
    }
}

/// `connections.close-error`.
#[derive(ComponentType, Lower)]
#[component(variant)]
pub(super) enum CloseError {
    #[component(name = "gone")]
    Gone,
    #[component(name = "invalid-code")]
    InvalidCode,
    #[component(name = "reason-too-long")]
    ReasonTooLong,
}

impl From<edge::CloseError> for CloseError {
    fn from(error: edge::CloseError) -> Self {
        match error {
            edge::CloseError::Gone => Self::Gone,
            edge::CloseError::InvalidCode => Self::InvalidCode,
            edge::CloseError::ReasonTooLong => Self::ReasonTooLong,
        }
    }
}

/// `connections.state`.
#[derive(ComponentType, Lower)]
#[component(record)]
pub(super) struct State {
    attachment: Bytes,
    #[component(name = "attachment-version")]
    attachment_version: u64,
    #[component(name = "buffered-bytes")]
    buffered_bytes: u64,
}

impl From<edge::State> for State {
    fn from(state: edge::State) -> Self {
        Self {
            attachment: state.attachment,
            attachment_version: state.attachment_version,
            buffered_bytes: state.buffered_bytes,
        }
    }
}

/// `connections.attachment-error`.
#[derive(ComponentType, Lower)]
#[component(variant)]
pub(super) enum AttachmentError {
    #[component(name = "gone")]
    Gone,
    #[component(name = "conflict")]
    Conflict(u64),
    #[component(name = "too-large")]
    TooLarge(u64),
}

impl From<edge::AttachmentError> for AttachmentError {
    fn from(error: edge::AttachmentError) -> Self {
        match error {
            edge::AttachmentError::Gone => Self::Gone,
            edge::AttachmentError::Conflict(version) => Self::Conflict(version),
            edge::AttachmentError::TooLarge(max) => Self::TooLarge(max),
        }
    }
}

/// `topics.subscribe-error`.
#[derive(ComponentType, Lower)]
#[component(variant)]
pub(super) enum SubscribeError {
    #[component(name = "gone")]
    Gone,
    #[component(name = "too-many")]
    TooMany(u32),
    #[component(name = "invalid-name")]
    InvalidName(u32),
}

impl From<edge::SubscribeError> for SubscribeError {
    fn from(error: edge::SubscribeError) -> Self {
        match error {
            edge::SubscribeError::Gone => Self::Gone,
            edge::SubscribeError::TooMany(max) => Self::TooMany(max),
            edge::SubscribeError::InvalidName(max) => Self::InvalidName(max),
        }
    }
}

/// `topics.delivery`.
#[derive(ComponentType, Lower)]
#[component(record)]
pub(super) struct Delivery {
    queued: u32,
    full: u32,
}

impl From<edge::Delivery> for Delivery {
    fn from(delivery: edge::Delivery) -> Self {
        Self {
            queued: delivery.queued,
            full: delivery.full,
        }
    }
}

/// `topics.publish-error`.
#[derive(ComponentType, Lower)]
#[component(variant)]
pub(super) enum PublishError {
    #[component(name = "too-large")]
    TooLarge(u64),
}

/// `topics.subscriber`.
#[derive(ComponentType, Lower)]
#[component(record)]
pub(super) struct Subscriber {
    pub(super) connection: String,
    pub(super) attachment: Bytes,
}
