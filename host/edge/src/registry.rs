//! From an id to its connection.

use std::sync::{Arc, Mutex};

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
        // The upper half of the id: the lower is the hash within the shard.
        let index = (key.id.0 >> 64) as usize % SHARD_COUNT;
        self.shards.get(index)
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
}
