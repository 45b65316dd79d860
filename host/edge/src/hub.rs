//! What all event loops share: the site, the connections, the topics.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use holdfast_core::edge::{
    AttachmentError, CloseError, Delivery, Migrated, SendError, State, SubscribeError,
};
use holdfast_core::event::CloseCause;
use holdfast_core::limits::{EncodingLimits, FileLimits, HeadLimits};
use holdfast_core::metrics::EdgeMetrics;
use holdfast_core::{ConnectionId, Edge, MessageRef, PluginId, Settings, TenantId};
use tokio::sync::watch;

use crate::access::AccessLog;
use crate::body::open::OpenBodies;
use crate::connection::{Connection, closure};
use crate::deflate::{Compressors, Frames};
use crate::encoding::Encoders;
use crate::files::Shelf;
use crate::frame;
use crate::key::Key;
use crate::lock::lock;
use crate::mailbox::Mailbox;
use crate::registered::Registered;
use crate::registry::Registry;
use crate::route::Site;
use crate::tally::{EnterError, Tally};
use crate::topics::Topics;

/// The edge as the rest of the host sees it. One for the process; the event
/// loops and the capabilities of all plugins share it.
pub struct Hub {
    front: Mutex<Front>,
    /// How often that was changed. Every request needs it, so that the loops only look
    /// at this as long as it stays the same.
    front_version: AtomicU64,
    registry: Registry,
    topics: Topics,
    tally: Tally,
    /// Tells the event loops that a plugin has been removed.
    removals: watch::Sender<()>,
    /// See [`Hub::set_close_window`].
    close_window_ms: AtomicU64,
    /// See [`Hub::set_drain_code`].
    drain_code: AtomicU16,
    compressors: Compressors,
    heads: HeadLimits,
    shelf: Arc<Shelf>,
    encoders: Arc<Encoders>,
    open_bodies: OpenBodies,
    access_log: Option<Arc<AccessLog>>,
    metrics: Arc<EdgeMetrics>,
}

/// What requests meet first.
#[derive(Clone, Default)]
pub(crate) struct Front {
    /// The routes.
    pub(crate) site: Arc<Site>,
    /// The page that stands for all others, if there is one.
    pub(crate) fault_page: Option<Bytes>,
}

/// What concerns all sites of a hub.
#[derive(Default)]
pub struct HubConfig {
    /// Of the heads of requests.
    pub heads: HeadLimits,
    /// Of routes to files.
    pub files: FileLimits,
    /// Of encoding responses.
    pub encoding: EncodingLimits,
    /// Where is counted what clients do.
    pub metrics: Arc<EdgeMetrics>,
    /// Where requests are logged, if they are.
    pub access_log: Option<Arc<AccessLog>>,
}

/// Why no connection could be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    /// The plugin takes none.
    #[error(transparent)]
    Plugin(#[from] EnterError),
    /// No random number for the id.
    #[error("no entropy: {0}")]
    Entropy(#[from] getrandom::Error),
}

impl Hub {
    /// A hub with an empty site.
    pub fn new() -> Arc<Self> {
        Self::with(HubConfig::default())
    }

    /// The same with what concerns all of its sites.
    pub fn with(config: HubConfig) -> Arc<Self> {
        Arc::new(Self {
            front: Mutex::default(),
            front_version: AtomicU64::new(0),
            registry: Registry::new(),
            topics: Topics::new(),
            tally: Tally::default(),
            removals: watch::Sender::new(()),
            close_window_ms: AtomicU64::new(0),
            drain_code: AtomicU16::new(1001),
            compressors: Compressors::default(),
            heads: config.heads,
            shelf: Shelf::new(&config.files),
            encoders: Encoders::new(&config.encoding),
            access_log: config.access_log,
            metrics: config.metrics,
            open_bodies: OpenBodies::default(),
        })
    }

    /// Replaces the routes. New work takes the new ones; open connections stay
    /// with the plugin that accepted them.
    pub fn set_site(&self, site: Site) {
        let site = Arc::new(site);
        self.change_front(|front| front.site = site);
    }

    fn change_front(&self, change: impl FnOnce(&mut Front)) {
        change(&mut lock(&self.front));
        self.front_version.fetch_add(1, Ordering::Release);
    }

    /// What requests meet first.
    pub(crate) fn front(&self) -> Front {
        lock(&self.front).clone()
    }

    /// Another number for each [`Self::front`], which is at least as new.
    pub(crate) fn front_version(&self) -> u64 {
        self.front_version.load(Ordering::Acquire)
    }

    /// The time over which many WebSockets are closed at a shut-down, and those of
    /// a plugin that is removed, so that their clients do not all come back at the
    /// same moment. Zero at first: at once.
    pub fn set_close_window(&self, window: Duration) {
        let ms = u64::try_from(window.as_millis()).unwrap_or(u64::MAX);
        self.close_window_ms.store(ms, Ordering::Relaxed);
    }

    pub(crate) fn close_window(&self) -> Duration {
        Duration::from_millis(self.close_window_ms.load(Ordering::Relaxed))
    }

    /// With which code sockets are closed at a shut-down, and by
    /// [`Self::drain_some`]: 1001 at first.
    pub fn set_drain_code(&self, code: u16) {
        self.drain_code.store(code, Ordering::Relaxed);
    }

    pub(crate) fn drain_code(&self) -> u16 {
        self.drain_code.load(Ordering::Relaxed)
    }

    /// Closes all WebSockets of a plugin with 1001, cause `deploy`; each has its
    /// `close` event as always. Returns at once: every event loop closes its
    /// own, over the [close window](Self::set_close_window). A handshake that is under way is closed right after
    /// its 101, and a later one is refused with 404.
    ///
    /// The routes to the plugin have to be gone before, by [`Self::set_site`].
    /// The plugin is needed until [`Self::connection_count`] is 0.
    pub fn close_plugin(&self, plugin: PluginId) {
        if self.tally.remove(plugin) {
            self.removals.send_replace(());
        }
    }

    /// Hears of each call of [`Self::close_plugin`] from now on.
    pub(crate) fn removals(&self) -> watch::Receiver<()> {
        self.removals.subscribe()
    }

    /// WebSockets of a plugin whose `close` event has not been handled, those in
    /// their handshake included.
    pub fn connection_count(&self, plugin: PluginId) -> u32 {
        self.tally.connections(plugin)
    }

    /// To how many WebSockets of a plugin the attachment is that of which
    /// generation, those in their handshake included.
    pub fn generation_counts(&self, plugin: PluginId) -> BTreeMap<u32, u32> {
        self.tally.generations(plugin)
    }

    /// For development: every GET or HEAD request of somebody who would rather
    /// have HTML is answered with this page and the status 500, until it is
    /// `None` again. A WebSocket handshake is none of them.
    pub fn set_fault_page(&self, page: Option<Bytes>) {
        self.change_front(|front| front.fault_page = page);
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
        let plugin = settings.id;
        let is_served = || self.front().site.has(plugin);
        self.tally.enter(&settings, is_served)?;
        let connection = Arc::new(Connection::new(key, settings, home));
        self.registry.insert(connection.clone());
        Ok(Registered::new(self.clone(), connection))
    }

    /// Takes a connection out of the registry and of its topics.
    pub(crate) fn unregister(&self, connection: &Connection) {
        self.registry.remove(&connection.key);
        // It mostly ends where its messages were sent. A thread that ends keeps
        // nothing anyway.
        let _ = LAST.try_with(|last| {
            let mut last = last.borrow_mut();
            last.take_if(|last| last.key == connection.key)
        });
        for topic in connection.end().into_iter().flat_map(|topics| *topics) {
            self.topics.unsubscribe(connection, &topic);
        }
    }

    pub(crate) fn registry(&self) -> &Registry {
        &self.registry
    }

    pub(crate) fn topics(&self) -> &Topics {
        &self.topics
    }

    pub(crate) fn heads(&self) -> &HeadLimits {
        &self.heads
    }

    /// What routes to files share.
    pub(crate) fn shelf(&self) -> &Arc<Shelf> {
        &self.shelf
    }

    /// Where requests are logged, if they are.
    pub(crate) fn access_log(&self) -> Option<&Arc<AccessLog>> {
        self.access_log.as_ref()
    }

    /// What is counted of all clients together.
    pub(crate) fn metrics(&self) -> &EdgeMetrics {
        &self.metrics
    }

    /// The memory of what encodes responses.
    pub(crate) fn encoders(&self) -> &Arc<Encoders> {
        &self.encoders
    }

    /// Bodies that come while a guest has them.
    pub(crate) fn open_bodies(&self) -> &OpenBodies {
        &self.open_bodies
    }

    pub(crate) fn compressors(&self) -> &Compressors {
        &self.compressors
    }

    pub(crate) fn tally(&self) -> &Tally {
        &self.tally
    }

    pub(crate) fn connection(&self, tenant: TenantId, id: ConnectionId) -> Option<Arc<Connection>> {
        self.registry.get(&Key { tenant, id })
    }
}

thread_local! {
    /// To which this thread sent last: most handlers send to the connection whose
    /// event they handle, and a client's messages come together. One that is not
    /// in the registry any more has ended, and says so.
    static LAST: RefCell<Option<Arc<Connection>>> = const { RefCell::new(None) };
}

impl Edge for Hub {
    fn send(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        message: MessageRef<'_>,
    ) -> Result<u64, SendError> {
        let key = Key {
            tenant,
            id: connection,
        };
        LAST.with_borrow_mut(|last| {
            let connection = match last {
                Some(last) if last.key == key => last,
                _ => last.insert(self.registry.get(&key).ok_or(SendError::Gone)?),
            };
            connection.check_len(message)?;
            connection.send_message(message, &self.compressors)
        })
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
            .adopt(settings, migrated, |before| {
                self.tally.adopt(settings.id, before, settings.generation);
            })
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
        let frames = Frames::new(message, &self.compressors);
        self.topics.publish(tenant, topic, &frames, except)
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
