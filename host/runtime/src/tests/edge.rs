//! An edge that has connections, and nothing else.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use holdfast_core::edge::{
    AttachmentError, CloseError, Delivery, Edge, Migrated, SendError, State, SubscribeError,
};
use holdfast_core::event::ConnectionState;
use holdfast_core::{ConnectionId, MessageRef, PluginId, Settings, TenantId};

/// The longest attachment, in bytes.
const ATTACHMENT_BYTES_MAX: usize = 100;

#[derive(Default)]
pub(super) struct Connections {
    open: Mutex<HashMap<ConnectionId, ConnectionState>>,
    /// Changes of an attachment that come between its migration and its end.
    rivals: Mutex<u32>,
}

impl Connections {
    pub(super) fn open(&self, id: u128, generation: u32, attachment: &'static str) {
        let state = ConnectionState {
            id: ConnectionId(id),
            generation,
            attachment: Bytes::from_static(attachment.as_bytes()),
            attachment_version: 0,
            buffered_bytes: 0,
        };
        self.open.lock().unwrap().insert(ConnectionId(id), state);
    }

    pub(super) fn end(&self, id: u128) {
        self.open.lock().unwrap().remove(&ConnectionId(id));
    }

    pub(super) fn state(&self, id: u128) -> ConnectionState {
        self.open.lock().unwrap()[&ConnectionId(id)].clone()
    }

    /// Generation, attachment and its version.
    pub(super) fn seen(&self, id: u128) -> (u32, String, u64) {
        let state = self.state(id);
        let attachment = String::from_utf8(state.attachment.to_vec()).unwrap();
        (state.generation, attachment, state.attachment_version)
    }

    /// Has somebody else be faster the next times.
    pub(super) fn set_rivals(&self, count: u32) {
        *self.rivals.lock().unwrap() = count;
    }
}

impl Edge for Connections {
    fn get(&self, _: TenantId, id: ConnectionId) -> Option<State> {
        let open = self.open.lock().unwrap();
        let state = open.get(&id)?;
        Some(State {
            attachment: state.attachment.clone(),
            attachment_version: state.attachment_version,
            buffered_bytes: 0,
        })
    }

    fn adopt(
        &self,
        id: ConnectionId,
        settings: &Arc<Settings>,
        migrated: Option<Migrated>,
    ) -> Result<u64, AttachmentError> {
        let mut open = self.open.lock().unwrap();
        let state = open.get_mut(&id).ok_or(AttachmentError::Gone)?;
        if let Some(migrated) = migrated {
            let mut rivals = self.rivals.lock().unwrap();
            if *rivals > 0 {
                *rivals -= 1;
                state.attachment = Bytes::from(format!("rival{rivals}"));
                state.attachment_version += 1;
            }
            if migrated.attachment.len() > ATTACHMENT_BYTES_MAX {
                return Err(AttachmentError::TooLarge(ATTACHMENT_BYTES_MAX as u64));
            }
            if migrated.expected != state.attachment_version {
                return Err(AttachmentError::Conflict(state.attachment_version));
            }
            state.attachment = migrated.attachment;
            state.attachment_version += 1;
        }
        state.generation = settings.generation;
        Ok(state.attachment_version)
    }

    fn generation_counts(&self, _: PluginId) -> BTreeMap<u32, u32> {
        let mut counts = BTreeMap::new();
        for state in self.open.lock().unwrap().values() {
            *counts.entry(state.generation).or_default() += 1;
        }
        counts
    }

    fn send(&self, _: TenantId, _: ConnectionId, _: MessageRef<'_>) -> Result<u64, SendError> {
        Err(SendError::Gone)
    }

    fn close(&self, _: TenantId, _: ConnectionId, _: u16, _: &str) -> Result<(), CloseError> {
        Err(CloseError::Gone)
    }

    fn set_attachment(
        &self,
        _: TenantId,
        _: ConnectionId,
        _: &[u8],
        _: Option<u64>,
    ) -> Result<u64, AttachmentError> {
        Err(AttachmentError::Gone)
    }

    fn subscribe(&self, _: TenantId, _: ConnectionId, _: &str) -> Result<(), SubscribeError> {
        Err(SubscribeError::Gone)
    }

    fn unsubscribe(&self, _: TenantId, _: ConnectionId, _: &str) {}

    fn publish(
        &self,
        _: TenantId,
        _: &str,
        _: MessageRef<'_>,
        _: Option<ConnectionId>,
    ) -> Delivery {
        Delivery::default()
    }

    fn count(&self, _: TenantId, _: &str) -> u32 {
        0
    }

    fn subscribers(&self, _: TenantId, _: &str, _: usize) -> Vec<(ConnectionId, Bytes)> {
        Vec::new()
    }
}
