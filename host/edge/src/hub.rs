//! What all event loops share: the site, the connections, the topics.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use arc_swap::ArcSwap;
use bytes::Bytes;
use holdfast_core::edge::{
    AttachmentError, CloseError, Delivery, Migrated, SendError, State, SubscribeError,
};
use holdfast_core::event::CloseCause;
use holdfast_core::{ConnectionId, Edge, MessageRef, PluginId, Settings, TenantId};

use crate::connection::{Connection, closure};
use crate::frame;
use crate::key::Key;
use crate::lock::lock;
use crate::mailbox::Mailbox;
use crate::registry::Registry;
use crate::route::Site;
use crate::topics::Topics;

/// The edge as the rest of the host sees it. One for the process; the event
/// loops and the capabilities of all plugins share it.
pub struct Hub {
    site: ArcSwap<Site>,
    registry: Registry,
    topics: Topics,
    /// Connections of each plugin that has any.
    counts: Mutex<HashMap<PluginId, u32>>,
}

/// Why no connection could be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    /// The plugin has as many as it may.
    #[error("the plugin has {0} connections")]
    TooMany(u32),
    /// No random number for the id.
    #[error("no entropy: {0}")]
    Entropy(#[from] getrandom::Error),
}

impl Hub {
    /// A hub with an empty site.
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            site: ArcSwap::from_pointee(Site::default()),
            registry: Registry::new(),
            topics: Topics::new(),
            counts: Mutex::default(),
        })
    }

    /// Replaces the routes. New work takes the new ones; open connections stay
    /// with the plugin that accepted them.
    pub fn set_site(&self, site: Site) {
        self.site.store(Arc::new(site));
    }

    /// The current routes.
    pub(crate) fn site(&self) -> arc_swap::Guard<Arc<Site>> {
        self.site.load()
    }

    /// WebSockets of a plugin, those in their handshake included.
    pub fn connection_count(&self, plugin: PluginId) -> u32 {
        lock(&self.counts).get(&plugin).copied().unwrap_or(0)
    }

    /// How many WebSockets of a plugin belong to which of its generations, those
    /// in their handshake included.
    pub fn generation_counts(&self, plugin: PluginId) -> BTreeMap<u32, u32> {
        let mut counts = BTreeMap::new();
        self.registry.for_each(|connection| {
            let settings = connection.settings();
            if settings.id == plugin {
                *counts.entry(settings.generation).or_default() += 1;
            }
        });
        counts
    }

    /// Enters a new connection, whose task will run on the loop of `home`.
    pub(crate) fn open(
        self: &Arc<Self>,
        settings: Arc<Settings>,
        home: Arc<Mailbox>,
    ) -> Result<Registered, OpenError> {
        let mut id = [0; 16];
        getrandom::fill(&mut id)?;
        let key = Key {
            tenant: settings.tenant,
            id: ConnectionId(u128::from_ne_bytes(id)),
        };
        let count_max = settings.connection.count_max;
        let mut counts = lock(&self.counts);
        let count = counts.entry(settings.id).or_default();
        if *count >= count_max {
            return Err(OpenError::TooMany(*count));
        }
        *count += 1;
        drop(counts);
        let connection = Arc::new(Connection::new(key, settings, home));
        self.registry.insert(connection.clone());
        Ok(Registered {
            hub: self.clone(),
            connection,
            ended: false,
        })
    }

    pub(crate) fn topics(&self) -> &Topics {
        &self.topics
    }

    fn connection(&self, tenant: TenantId, id: ConnectionId) -> Option<Arc<Connection>> {
        self.registry.get(&Key { tenant, id })
    }
}

/// A connection that is in the registry for as long as this lives.
pub(crate) struct Registered {
    hub: Arc<Hub>,
    pub(crate) connection: Arc<Connection>,
    ended: bool,
}

impl Registered {
    /// Takes the connection out of the registry and of its topics.
    pub(crate) fn end(&mut self) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        let connection = &self.connection;
        self.hub.registry.remove(&connection.key);
        for topic in connection.end().into_iter().flat_map(|topics| *topics) {
            self.hub.topics.unsubscribe(connection, &topic);
        }
        let mut counts = lock(&self.hub.counts);
        if let Some(count) = counts.get_mut(&connection.settings().id) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&connection.settings().id);
            }
        }
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.end();
    }
}

impl Edge for Hub {
    fn send(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        message: MessageRef<'_>,
    ) -> Result<u64, SendError> {
        let connection = self.connection(tenant, connection).ok_or(SendError::Gone)?;
        let bytes_max = connection.settings().connection.message_bytes_max;
        if message.payload().len() > bytes_max {
            return Err(SendError::TooLarge(bytes_max as u64));
        }
        connection.send(frame::encode(message))
    }

    fn close(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        code: u16,
        reason: &str,
    ) -> Result<(), CloseError> {
        if !frame::is_sendable(code) {
            return Err(CloseError::InvalidCode);
        }
        if reason.len() > frame::REASON_BYTES_MAX {
            return Err(CloseError::ReasonTooLong);
        }
        let connection = self
            .connection(tenant, connection)
            .ok_or(CloseError::Gone)?;
        match connection.close(closure(CloseCause::Server, code, reason)) {
            true => Ok(()),
            false => Err(CloseError::Gone),
        }
    }

    fn get(&self, tenant: TenantId, connection: ConnectionId) -> Option<State> {
        Some(self.connection(tenant, connection)?.state())
    }

    fn set_attachment(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        attachment: &[u8],
        expected: Option<u64>,
    ) -> Result<u64, AttachmentError> {
        self.connection(tenant, connection)
            .ok_or(AttachmentError::Gone)?
            .set_attachment(attachment, expected)
    }

    fn adopt(
        &self,
        connection: ConnectionId,
        settings: &Arc<Settings>,
        migrated: Option<Migrated>,
    ) -> Result<u64, AttachmentError> {
        self.connection(settings.tenant, connection)
            .ok_or(AttachmentError::Gone)?
            .adopt(settings, migrated)
    }

    fn generation_counts(&self, plugin: PluginId) -> BTreeMap<u32, u32> {
        Self::generation_counts(self, plugin)
    }

    fn subscribe(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        topic: &str,
    ) -> Result<(), SubscribeError> {
        let connection = self
            .connection(tenant, connection)
            .ok_or(SubscribeError::Gone)?;
        self.topics.subscribe(&connection, topic)
    }

    fn unsubscribe(&self, tenant: TenantId, connection: ConnectionId, topic: &str) {
        if let Some(connection) = self.connection(tenant, connection) {
            self.topics.unsubscribe(&connection, topic);
        }
    }

    fn publish(
        &self,
        tenant: TenantId,
        topic: &str,
        message: MessageRef<'_>,
        except: Option<ConnectionId>,
    ) -> Delivery {
        self.topics
            .publish(tenant, topic, &frame::encode(message), except)
    }

    fn count(&self, tenant: TenantId, topic: &str) -> u32 {
        self.topics.count(tenant, topic)
    }

    fn subscribers(
        &self,
        tenant: TenantId,
        topic: &str,
        limit: usize,
    ) -> Vec<(ConnectionId, Bytes)> {
        self.topics.subscribers(tenant, topic, limit)
    }
}
