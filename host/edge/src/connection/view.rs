//! What operators see of a connection.

use std::sync::Arc;

use holdfast_core::ConnectionId;

use super::Connection;
use crate::lock::lock;

/// A connection as operators see it. Of the attachment there is the size alone:
/// what a guest keeps there is the guest's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionView {
    /// Which connection.
    pub id: ConnectionId,
    /// The generation to which the attachment belongs.
    pub generation: u32,
    /// Whether its end is decided.
    pub is_closing: bool,
    /// Size of the attachment.
    pub attachment_bytes: u64,
    /// Counts the changes of the attachment.
    pub attachment_version: u64,
    /// Bytes queued for the client and not yet written.
    pub queue_bytes: u64,
    /// Number of its topics.
    pub topic_count: u32,
}

impl Connection {
    pub(crate) fn view(&self) -> ConnectionView {
        let shared = lock(&self.shared);
        let topics = shared.topics.as_ref().map_or(0, |topics| topics.len());
        ConnectionView {
            id: self.key.id,
            generation: shared.generation,
            is_closing: shared.is_closing(),
            attachment_bytes: shared.attachment.len() as u64,
            attachment_version: shared.attachment_version,
            queue_bytes: shared.queue.bytes() as u64,
            topic_count: u32::try_from(topics).unwrap_or(u32::MAX),
        }
    }

    /// Its topics, sorted.
    pub(crate) fn topics(&self) -> Vec<Arc<str>> {
        let shared = lock(&self.shared);
        let topics = shared.topics.iter().flat_map(|topics| topics.iter());
        let mut topics: Vec<_> = topics.cloned().collect();
        drop(shared);
        topics.sort();
        topics
    }
}
