//! From an id to its connection.

use std::sync::{Arc, Mutex};

use holdfast_core::{ConnectionId, PluginId};

use crate::connection::Connection;
use crate::key::{Connections, Entry, Key};
use crate::lock::lock;

/// Locks among which the connections are spread. With a million of them, four
/// thousand are behind each.
const SHARD_COUNT: usize = 256;

/// All connections of the host, open ones and those in their handshake.
pub(crate) struct Registry {
    shards: [Mutex<Connections>; SHARD_COUNT],
}

impl Registry {
    pub(crate) fn new() -> Self {
        Self {
            shards: std::array::from_fn(|_| Mutex::default()),
        }
    }

    fn shard(&self, key: &Key) -> Option<&Mutex<Connections>> {
        self.shards.get(shard_index(key.id))
    }

    pub(crate) fn insert(&self, connection: Arc<Connection>) {
        if let Some(shard) = self.shard(&connection.key) {
            lock(shard).insert(Entry(connection));
        }
    }

    pub(crate) fn get(&self, key: &Key) -> Option<Arc<Connection>> {
        let shard = lock(self.shard(key)?);
        shard.get(key).map(|entry| entry.0.clone())
    }

    pub(crate) fn remove(&self, key: &Key) {
        if let Some(shard) = self.shard(key) {
            lock(shard).remove(key);
        }
    }

    /// At most `limit` connections of a plugin from behind the id `after` on, by
    /// their shards and within these by their ids.
    pub(crate) fn page(
        &self,
        plugin: PluginId,
        after: Option<ConnectionId>,
        limit: usize,
    ) -> Vec<Arc<Connection>> {
        let start = after.map_or(0, shard_index);
        let mut page = Vec::new();
        for (index, shard) in self.shards.iter().enumerate().skip(start) {
            let after = after.filter(|_| index == start);
            let is_next = |connection: &&Arc<Connection>| {
                connection.plugin == plugin
                    && after.is_none_or(|after| connection.key.id.0 > after.0)
            };
            let shard = lock(shard);
            let connections = shard.iter().map(|Entry(connection)| connection);
            let mut found: Vec<_> = connections.filter(is_next).cloned().collect();
            drop(shard);
            found.sort_unstable_by_key(|connection| connection.key.id.0);
            found.truncate(limit - page.len());
            page.append(&mut found);
            if page.len() == limit {
                break;
            }
        }
        page
    }
}

/// The upper half of the id says it: the lower is the hash within the shard.
fn shard_index(id: ConnectionId) -> usize {
    (id.0 >> 64) as usize % SHARD_COUNT
}
