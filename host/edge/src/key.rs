//! By what a connection is found, and sets of connections.

use std::borrow::Borrow;
use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::sync::Arc;

use holdfast_core::{ConnectionId, TenantId};

use crate::connection::Connection;

/// What a connection is found by: an id of another tenant is simply not there.
/// Packed, since each connection has one, and the id would have it aligned.
#[repr(Rust, packed(8))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) tenant: TenantId,
    pub(crate) id: ConnectionId,
}

impl Hash for Key {
    /// Ids are random, so half of one is as good as any hash.
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.id.0 as u64);
    }
}

/// A connection in a set, found by its key: nine bytes an entry.
#[derive(Clone)]
pub(crate) struct Entry(pub(crate) Arc<Connection>);

impl Borrow<Key> for Entry {
    fn borrow(&self) -> &Key {
        &self.0.key
    }
}

impl Hash for Entry {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.key.hash(state);
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.0.key == other.0.key
    }
}

impl Eq for Entry {}

/// Passes on the random bits of a [`Key`].
#[derive(Clone, Copy, Default)]
pub(crate) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, bits: u64) {
        self.0 = bits;
    }
}

/// A set of connections.
pub(crate) type Connections = HashSet<Entry, BuildHasherDefault<IdHasher>>;
