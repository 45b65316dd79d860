//! The guest's bytes, and the generation to which they belong.

use std::sync::Arc;

use bytes::Bytes;
use holdfast_core::Settings;
use holdfast_core::edge::{AttachmentError, Migrated, State};
use holdfast_core::event::ConnectionState;

use super::Connection;
use crate::lock::lock;

impl Connection {
    /// See [`holdfast_core::Edge::adopt`]. Hands the number of the generation
    /// before to `moved` if that was another one and the connection counts.
    pub(crate) fn adopt(
        &self,
        settings: &Arc<Settings>,
        migrated: Option<Migrated>,
        moved: impl FnOnce(u32),
    ) -> Result<u64, AttachmentError> {
        let bytes_max = settings.connection.attachment_bytes_max;
        let mut shared = lock(&self.shared);
        if let Some(migrated) = migrated {
            if migrated.attachment.len() > bytes_max {
                return Err(AttachmentError::TooLarge(bytes_max as u64));
            }
            if migrated.expected != shared.attachment_version {
                return Err(AttachmentError::Conflict(shared.attachment_version));
            }
            // A copy, since it may be a part of something larger.
            shared.attachment = Bytes::copy_from_slice(&migrated.attachment);
            shared.attachment_version += 1;
        }
        let before = std::mem::replace(&mut shared.generation, settings.generation);
        if before != settings.generation && !shared.left {
            moved(before);
        }
        // While it is locked, so that nobody sees one without the other.
        self.set_settings(settings);
        let version = shared.attachment_version;
        drop(shared);
        self.home.pace.note(settings.connection.idle_timeout_ms);
        Ok(version)
    }

    /// What an event shows of the connection.
    pub(crate) fn event_state(&self) -> ConnectionState {
        let shared = lock(&self.shared);
        ConnectionState {
            id: self.key.id,
            generation: shared.generation,
            attachment: shared.attachment.clone(),
            attachment_version: shared.attachment_version,
            buffered_bytes: shared.queue.bytes() as u64,
        }
    }

    pub(crate) fn state(&self) -> State {
        let shared = lock(&self.shared);
        State {
            attachment: shared.attachment.clone(),
            attachment_version: shared.attachment_version,
            buffered_bytes: shared.queue.bytes() as u64,
        }
    }

    /// See [`holdfast_core::Edge::set_attachment`].
    pub(crate) fn set_attachment(
        &self,
        attachment: &[u8],
        expected: Option<u64>,
    ) -> Result<u64, AttachmentError> {
        let bytes_max = self.settings().connection.attachment_bytes_max;
        if attachment.len() > bytes_max {
            return Err(AttachmentError::TooLarge(bytes_max as u64));
        }
        let mut shared = lock(&self.shared);
        let version = shared.attachment_version;
        if expected.is_some_and(|expected| expected != version) {
            return Err(AttachmentError::Conflict(version));
        }
        shared.attachment = Bytes::copy_from_slice(attachment);
        shared.attachment_version += 1;
        Ok(shared.attachment_version)
    }

    /// The attachment which the guest gave when it accepted. It stays at
    /// version 0, unless another handler has set one meanwhile.
    pub(crate) fn accept_attachment(&self, attachment: Bytes) {
        let mut shared = lock(&self.shared);
        if shared.attachment_version == 0 {
            shared.attachment = attachment;
        }
    }
}
