//! Keys and values of all tenants, in one embedded database: in a file, or only
//! in memory. Reads go to the database where they are asked; what neither it nor
//! the system has in memory, an event loop waits for. Writes go to one thread,
//! which commits as many at a time as have come together, so that no event loop
//! waits until something is on the disk.

mod key;
mod writer;

use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use redb::{Database, ReadableDatabase, TableDefinition, TableError};
use tokio::sync::{Semaphore, oneshot};

pub(crate) use key::Scope;
pub(crate) use writer::{Change, Changed, Kind, Seen};

const TABLE: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("keyvalue");

/// Changes that wait for the writer. When so many wait, guests wait too.
const QUEUE_LEN_MAX: usize = 1024;

/// How often a database in memory is tidied up.
const SYNC: Duration = Duration::from_millis(200);

/// Bytes of the database that are kept in memory.
const CACHE_BYTES: usize = 32 << 20;

/// The longest key, and bucket name, in bytes.
pub(crate) const KEY_BYTES_MAX: usize = 1024;

/// Keys of one page of a listing.
const PAGE_LEN: usize = 1000;

/// A database of keys and values. Clones share it.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    database: Arc<Database>,
    /// Gone only while the store is dropped.
    changes: Option<mpsc::Sender<writer::Request>>,
    places: Arc<Semaphore>,
    writer: Option<JoinHandle<()>>,
}

/// Why the store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// The key or the bucket's name is too long.
    #[error("a key has at most {KEY_BYTES_MAX} bytes")]
    KeyTooLong,
    /// The tenant has so many bytes already, or would have.
    #[error("the store is full: its limit is {0} bytes")]
    Full(u64),
    /// One value is too long.
    #[error("a value has at most {0} bytes")]
    ValueTooLong(u64),
    /// Incrementing what is no number.
    #[error("the value is not a number")]
    NotANumber,
    /// The database failed; the details are in the log.
    #[error("the store has failed")]
    Failed,
}

impl StoreError {
    pub(crate) fn failed(error: impl std::fmt::Display) -> Self {
        tracing::error!(%error, "key-value store");
        Self::Failed
    }
}

impl Store {
    /// Opens or makes a database file. A change is on the disk after `sync` at the
    /// latest; if that is zero, whoever makes it hears of it when it is.
    ///
    /// # Errors
    /// Fails when the file is damaged, in use, or can't be made.
    pub fn open(path: &Path, sync: Duration) -> anyhow::Result<Self> {
        let mut builder = Database::builder();
        let database = builder.set_cache_size(CACHE_BYTES).create(path)?;
        Self::new(database, sync)
    }

    /// A database that ends with the process.
    ///
    /// # Errors
    /// Fails when no thread can be started.
    pub fn in_memory() -> anyhow::Result<Self> {
        let backend = redb::backends::InMemoryBackend::new();
        Self::new(Database::builder().create_with_backend(backend)?, SYNC)
    }

    fn new(database: Database, sync: Duration) -> anyhow::Result<Self> {
        let database = Arc::new(database);
        let (changes, requests) = mpsc::channel();
        let writer = writer::Writer::new(Arc::clone(&database), sync)?;
        let writer = std::thread::Builder::new()
            .name("store".into())
            .spawn(move || writer.run(&requests))?;
        Ok(Self(Arc::new(Inner {
            database,
            changes: Some(changes),
            places: Arc::new(Semaphore::new(QUEUE_LEN_MAX)),
            writer: Some(writer),
        })))
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let transaction = self.0.database.begin_read().map_err(StoreError::failed)?;
        let table = match transaction.open_table(TABLE) {
            Ok(table) => table,
            Err(TableError::TableDoesNotExist(_)) => return Ok(None),
            Err(error) => return Err(StoreError::failed(error)),
        };
        let value = table.get(key).map_err(StoreError::failed)?;
        Ok(value.map(|value| value.value().to_vec()))
    }

    /// The keys of a scope in order, from behind `after` on; with them, whether
    /// there are more.
    pub(crate) fn keys(
        &self,
        scope: &Scope,
        after: Option<&str>,
    ) -> Result<(Vec<String>, bool), StoreError> {
        let transaction = self.0.database.begin_read().map_err(StoreError::failed)?;
        let table = match transaction.open_table(TABLE) {
            Ok(table) => table,
            Err(TableError::TableDoesNotExist(_)) => return Ok((Vec::new(), false)),
            Err(error) => return Err(StoreError::failed(error)),
        };
        let from = scope.after(after)?;
        let mut keys = Vec::new();
        for entry in table.range(from.as_slice()..).map_err(StoreError::failed)? {
            let (key, _) = entry.map_err(StoreError::failed)?;
            let Some(key) = scope.strip(key.value()) else {
                break;
            };
            if keys.len() == PAGE_LEN {
                return Ok((keys, true));
            }
            keys.push(key);
        }
        Ok((keys, false))
    }

    /// Makes a change, and returns when it is visible to everybody. When it is on
    /// the disk is said by [`Self::open`].
    pub(crate) async fn change(&self, change: Change) -> Result<Changed, StoreError> {
        let places = Arc::clone(&self.0.places);
        let (reply, changed) = oneshot::channel();
        let request = writer::Request {
            change,
            reply,
            _place: places.acquire_owned().await.map_err(StoreError::failed)?,
        };
        let Some(changes) = &self.0.changes else {
            return Err(StoreError::Failed);
        };
        changes.send(request).map_err(StoreError::failed)?;
        changed.await.map_err(StoreError::failed)?
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Ends the writer, which first makes everything durable.
        self.changes = None;
        if let Some(writer) = self.writer.take()
            && writer.join().is_err()
        {
            tracing::error!("the key-value store's writer has panicked");
        }
    }
}

#[cfg(test)]
mod tests;
