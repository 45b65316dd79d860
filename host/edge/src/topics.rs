//! Topics: from a tenant and a name to the subscribed connections.
//!
//! A topic exists while it has a subscriber. Its own lock is held while a
//! message is queued for all of them, which only that tenant can feel. Locks are
//! taken in the order topic, connection; that of a shard is never held with
//! another, but for that of the counts.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use holdfast_core::edge::{Delivery, SendError, SubscribeError};
use holdfast_core::{ConnectionId, TenantId};

use crate::connection::Connection;
use crate::deflate::Frames;
use crate::key::{Connections, Entry};
use crate::lock::lock;
use crate::mailbox::Posts;

/// Locks among which the topics are spread.
const SHARD_COUNT: usize = 16;

type Shard = HashMap<TenantId, HashMap<Arc<str>, Arc<Topic>>>;

/// All topics of the host.
pub(crate) struct Topics {
    hasher: RandomState,
    shards: [Mutex<Shard>; SHARD_COUNT],
    /// How many each tenant has. Its lock is the innermost.
    counts: Mutex<HashMap<TenantId, u32>>,
}

struct Topic {
    name: Arc<str>,
    subscribers: Mutex<Subscribers>,
}

#[derive(Default)]
struct Subscribers {
    connections: Connections,
    /// Set with the last subscriber's end. Nobody can join any more; who would
    /// has to make a new topic.
    ended: bool,
}

impl Topics {
    pub(crate) fn new() -> Self {
        Self {
            hasher: RandomState::new(),
            shards: std::array::from_fn(|_| Mutex::default()),
            counts: Mutex::default(),
        }
    }

    fn shard(&self, tenant: TenantId, name: &str) -> Option<&Mutex<Shard>> {
        let hash = self.hasher.hash_one((tenant, name)) as usize;
        self.shards.get(hash % SHARD_COUNT)
    }

    fn get(&self, tenant: TenantId, name: &str) -> Option<Arc<Topic>> {
        let shard = lock(self.shard(tenant, name)?);
        shard.get(&tenant)?.get(name).cloned()
    }

    fn get_or_make(
        &self,
        tenant: TenantId,
        name: &str,
        topics_max: u32,
    ) -> Result<Arc<Topic>, SubscribeError> {
        let shard = self.shard(tenant, name).ok_or(SubscribeError::Gone)?;
        let mut shard = lock(shard);
        let topics = shard.entry(tenant).or_default();
        if let Some(topic) = topics.get(name) {
            return Ok(topic.clone());
        }
        if !self.count_one_more(tenant, topics_max) {
            if topics.is_empty() {
                shard.remove(&tenant);
            }
            return Err(SubscribeError::TooMany(topics_max));
        }
        let topic = Arc::new(Topic {
            name: name.into(),
            subscribers: Mutex::default(),
        });
        topics.insert(topic.name.clone(), topic.clone());
        Ok(topic)
    }

    /// False if the tenant has as many as it may.
    fn count_one_more(&self, tenant: TenantId, topics_max: u32) -> bool {
        let mut counts = lock(&self.counts);
        let count = counts.entry(tenant).or_default();
        let has_room = *count < topics_max;
        *count += u32::from(has_room);
        has_room
    }

    fn count_one_fewer(&self, tenant: TenantId) {
        let mut counts = lock(&self.counts);
        if let Some(count) = counts.get_mut(&tenant) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                counts.remove(&tenant);
            }
        }
    }

    /// Removes a topic that has ended.
    fn forget(&self, tenant: TenantId, ended: &Arc<Topic>) {
        let Some(shard) = self.shard(tenant, &ended.name) else {
            return;
        };
        let mut shard = lock(shard);
        let Some(topics) = shard.get_mut(&tenant) else {
            return;
        };
        if topics
            .get(&ended.name)
            .is_some_and(|topic| Arc::ptr_eq(topic, ended))
        {
            topics.remove(&ended.name);
            self.count_one_fewer(tenant);
        }
        if topics.is_empty() {
            shard.remove(&tenant);
        }
    }

    /// See [`holdfast_core::Edge::subscribe`].
    pub(crate) fn subscribe(
        &self,
        connection: &Arc<Connection>,
        name: &str,
    ) -> Result<(), SubscribeError> {
        let (bytes_max, topics_max) = {
            let settings = connection.settings();
            (
                settings.connection.topic_bytes_max,
                settings.tenant_limits.topics_max,
            )
        };
        if name.is_empty() || name.len() > bytes_max as usize {
            return Err(SubscribeError::InvalidName(bytes_max));
        }
        let tenant = connection.key.tenant;
        loop {
            let topic = self.get_or_make(tenant, name, topics_max)?;
            let mut subscribers = lock(&topic.subscribers);
            if subscribers.ended {
                drop(subscribers);
                self.forget(tenant, &topic);
                continue;
            }
            let added = connection.add_topic(&topic.name);
            if added.is_ok() {
                subscribers.connections.insert(Entry(connection.clone()));
            }
            let is_empty = subscribers.end_if_empty();
            drop(subscribers);
            if is_empty {
                self.forget(tenant, &topic);
            }
            return added;
        }
    }

    /// Ends a subscription.
    pub(crate) fn unsubscribe(&self, connection: &Connection, name: &str) {
        let tenant = connection.key.tenant;
        let Some(topic) = self.get(tenant, name) else {
            return;
        };
        let mut subscribers = lock(&topic.subscribers);
        subscribers.connections.remove(&connection.key);
        connection.remove_topic(name);
        let is_empty = subscribers.end_if_empty();
        drop(subscribers);
        if is_empty {
            self.forget(tenant, &topic);
        }
    }

    /// Queues a message for every subscriber but one.
    pub(crate) fn publish(
        &self,
        tenant: TenantId,
        name: &str,
        frames: &Frames<'_>,
        except: Option<ConnectionId>,
    ) -> Delivery {
        let mut delivery = Delivery::default();
        let Some(topic) = self.get(tenant, name) else {
            return delivery;
        };
        let subscribers = lock(&topic.subscribers);
        let mut posts = Posts::default();
        for Entry(connection) in &subscribers.connections {
            if Some(connection.key.id) == except {
                continue;
            }
            match connection.send_one_of(frames, &mut posts) {
                Ok(()) => delivery.queued += 1,
                Err(SendError::Full(_)) => delivery.full += 1,
                Err(SendError::Gone | SendError::TooLarge(_)) => {}
            }
        }
        delivery
    }

    /// Number of subscribers.
    pub(crate) fn count(&self, tenant: TenantId, name: &str) -> u32 {
        self.get(tenant, name).map_or(0, |topic| {
            let len = lock(&topic.subscribers).connections.len();
            u32::try_from(len).unwrap_or(u32::MAX)
        })
    }

    /// At most `limit` topics of a tenant from behind the name `after` on, with
    /// their numbers of subscribers.
    pub(crate) fn page(
        &self,
        tenant: TenantId,
        after: Option<&str>,
        limit: usize,
    ) -> Vec<(Arc<str>, u32)> {
        let mut page = BTreeMap::new();
        for shard in &self.shards {
            let shard = lock(shard);
            let topics = shard.get(&tenant).into_iter().flatten();
            for (name, topic) in topics {
                if after.is_some_and(|after| **name <= *after) {
                    continue;
                }
                page.insert(name.clone(), topic.clone());
                if page.len() > limit {
                    page.pop_last();
                }
            }
        }
        // Each topic has a lock of its own, which is taken before a shard's.
        let count = |topic: &Topic| lock(&topic.subscribers).connections.len();
        let count = |topic: &Topic| u32::try_from(count(topic)).unwrap_or(u32::MAX);
        let topics = page.into_iter();
        topics.map(|(name, topic)| (name, count(&topic))).collect()
    }

    /// How many topics a tenant has.
    pub(crate) fn total(&self, tenant: TenantId) -> u32 {
        lock(&self.counts).get(&tenant).copied().unwrap_or(0)
    }

    /// At most `limit` subscribers with their attachments.
    pub(crate) fn subscribers(
        &self,
        tenant: TenantId,
        name: &str,
        limit: usize,
    ) -> Vec<(ConnectionId, Bytes)> {
        let Some(topic) = self.get(tenant, name) else {
            return Vec::new();
        };
        lock(&topic.subscribers)
            .connections
            .iter()
            .take(limit)
            .map(|Entry(connection)| (connection.key.id, connection.state().attachment))
            .collect()
    }
}

impl Subscribers {
    fn end_if_empty(&mut self) -> bool {
        self.ended = self.connections.is_empty();
        self.ended
    }
}
