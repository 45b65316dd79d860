//! The thread that changes the database, and counts what each tenant has.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use redb::{Database, Durability, ReadableTable, Table};
use sha2::{Digest, Sha256};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::{StoreError, TABLE, key};

/// Changes of one commit.
const BATCH_LEN_MAX: usize = 256;

/// A change of the database. Keys are those of [`super::Scope::key`].
pub(crate) struct Change {
    /// Bytes which the tenant may have, keys included.
    pub(crate) bytes_max: u64,
    pub(crate) kind: Kind,
}

/// What is changed. Several keys are changed together or not at all.
pub(crate) enum Kind {
    Set(Vec<(Vec<u8>, Vec<u8>)>),
    Delete(Vec<Vec<u8>>),
    /// Adds to a number, written in decimal; a missing one is 0.
    Increment(Vec<u8>, i64),
    /// Sets the value only if it is still what was seen.
    Swap {
        key: Vec<u8>,
        seen: Seen,
        value: Vec<u8>,
    },
}

impl Kind {
    /// Whether all values are short enough.
    pub(crate) fn check(&self, bytes_max: u64) -> Result<(), StoreError> {
        let is_short = |value: &Vec<u8>| value.len() as u64 <= bytes_max;
        let are_short = match self {
            Self::Set(entries) => entries.iter().all(|(_, value)| is_short(value)),
            Self::Swap { value, .. } => is_short(value),
            Self::Delete(_) | Self::Increment(..) => true,
        };
        match are_short {
            true => Ok(()),
            false => Err(StoreError::ValueTooLong(bytes_max)),
        }
    }
}

/// A value, or that there was none, as somebody saw it. A digest, so that a guest
/// can't have the host keep values for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen(Option<[u8; 32]>);

impl Seen {
    pub(crate) fn of(value: Option<&[u8]>) -> Self {
        Self(value.map(|value| Sha256::digest(value).into()))
    }
}

/// What came of a change.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Changed {
    Done,
    Number(i64),
    /// The value is not what was seen, but this.
    Conflict(Seen),
}

type Answer = Result<Changed, StoreError>;

/// A change and who waits for it.
pub(super) struct Request {
    pub(super) change: Change,
    pub(super) reply: oneshot::Sender<Answer>,
    /// Its place among those that may wait.
    pub(super) _place: OwnedSemaphorePermit,
}

pub(super) struct Writer {
    database: Arc<Database>,
    /// Bytes of each tenant.
    sizes: HashMap<Vec<u8>, u64>,
    /// When the first change was made that is not on the disk.
    volatile_since: Option<Instant>,
    /// The longest time that a change is not on the disk. If it is zero, nobody
    /// hears of a change that is not.
    durable_within: Duration,
}

impl Writer {
    /// Counts what is there.
    pub(super) fn new(database: Arc<Database>, durable_within: Duration) -> anyhow::Result<Self> {
        let mut sizes = HashMap::new();
        let transaction = database.begin_write()?;
        for entry in transaction.open_table(TABLE)?.iter()? {
            let (key, value) = entry?;
            let size = sizes.entry(key::tenant(key.value()).to_vec()).or_insert(0);
            *size += size_of(key.value(), value.value());
        }
        transaction.commit()?;
        Ok(Self {
            database,
            sizes,
            volatile_since: None,
            durable_within,
        })
    }

    /// Works until no more requests can come.
    pub(super) fn run(mut self, requests: &mpsc::Receiver<Request>) {
        let mut batch = Vec::with_capacity(BATCH_LEN_MAX);
        loop {
            let is_last = match self.wait(requests) {
                Ok(request) => {
                    batch.push(request);
                    batch.extend(requests.try_iter().take(BATCH_LEN_MAX - 1));
                    false
                }
                Err(RecvTimeoutError::Timeout) => false,
                Err(RecvTimeoutError::Disconnected) => true,
            };
            self.commit(&mut batch, is_last);
            if is_last {
                return;
            }
        }
    }

    /// Waits for a request, but no longer than changes may stay volatile.
    fn wait(&self, requests: &mpsc::Receiver<Request>) -> Result<Request, RecvTimeoutError> {
        match self.volatile_since {
            Some(since) => {
                requests.recv_timeout(self.durable_within.saturating_sub(since.elapsed()))
            }
            None => requests.recv().map_err(|_| RecvTimeoutError::Disconnected),
        }
    }

    /// Makes the changes in one transaction, and then answers them.
    fn commit(&mut self, batch: &mut Vec<Request>, is_last: bool) {
        let since = match self.volatile_since {
            Some(since) => since,
            None if batch.is_empty() => return,
            None => Instant::now(),
        };
        let is_durable = is_last || since.elapsed() >= self.durable_within;
        let (changes, replies): (Vec<_>, Vec<_>) = batch
            .drain(..)
            .map(|request| (request.change, request.reply))
            .unzip();
        let sizes = self.sizes.clone();
        match self.apply(changes, is_durable) {
            Ok(answers) => {
                self.volatile_since = (!is_durable).then_some(since);
                for (reply, answer) in replies.into_iter().zip(answers) {
                    // Whoever waited may have gone meanwhile.
                    let _ = reply.send(answer);
                }
            }
            Err(error) => {
                self.sizes = sizes;
                // What is not on the disk is tried again, but not at once.
                self.volatile_since = self.volatile_since.map(|_| Instant::now());
                for reply in replies {
                    let _ = reply.send(Err(StoreError::Failed));
                }
                StoreError::failed(error);
            }
        }
    }

    fn apply(
        &mut self,
        changes: Vec<Change>,
        is_durable: bool,
    ) -> Result<Vec<Answer>, redb::Error> {
        let mut transaction = self.database.begin_write()?;
        transaction.set_durability(match is_durable {
            true => Durability::Immediate,
            false => Durability::None,
        })?;
        let mut answers = Vec::with_capacity(changes.len());
        {
            let mut table = Counted {
                table: transaction.open_table(TABLE)?,
                sizes: &mut self.sizes,
            };
            for change in changes {
                answers.push(table.change(change)?);
            }
        }
        transaction.commit()?;
        Ok(answers)
    }
}

/// The table, and the bytes which each tenant has in it.
struct Counted<'a> {
    table: Table<'a, &'static [u8], &'static [u8]>,
    sizes: &'a mut HashMap<Vec<u8>, u64>,
}

impl Counted<'_> {
    /// One change. The outer error is the database's, the inner one the guest's.
    fn change(&mut self, change: Change) -> Result<Answer, redb::StorageError> {
        let max = change.bytes_max;
        Ok(match change.kind {
            Kind::Set(entries) => self.set(&entries, max)?.map(|()| Changed::Done),
            Kind::Delete(keys) => {
                for key in keys {
                    self.delete(&key)?;
                }
                Ok(Changed::Done)
            }
            Kind::Increment(key, delta) => {
                let value = self.get(&key)?;
                match add(value.as_deref(), delta) {
                    Some(sum) => self
                        .set(&[(key, sum.to_string().into_bytes())], max)?
                        .map(|()| Changed::Number(sum)),
                    None => Err(StoreError::NotANumber),
                }
            }
            Kind::Swap { key, seen, value } => {
                let current = Seen::of(self.get(&key)?.as_deref());
                if current == seen {
                    self.set(&[(key, value)], max)?.map(|()| Changed::Done)
                } else {
                    Ok(Changed::Conflict(current))
                }
            }
        })
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, redb::StorageError> {
        Ok(self.table.get(key)?.map(|value| value.value().to_vec()))
    }

    /// Sets all entries, or none if that would be too much.
    fn set(
        &mut self,
        entries: &[(Vec<u8>, Vec<u8>)],
        bytes_max: u64,
    ) -> Result<Result<(), StoreError>, redb::StorageError> {
        let Some((first, _)) = entries.first() else {
            return Ok(Ok(()));
        };
        // Of several values for one key the last stays, and only that counts.
        let values: HashMap<_, _> = entries.iter().map(|(key, value)| (key, value)).collect();
        let mut added = 0;
        let mut removed = 0;
        for (key, value) in &values {
            added += size_of(key, value);
            if let Some(old) = self.table.get(key.as_slice())? {
                removed += size_of(key, old.value());
            }
        }
        let size = self.sizes.entry(key::tenant(first).to_vec()).or_insert(0);
        let new_size = (*size + added).saturating_sub(removed);
        if new_size > bytes_max && added > removed {
            return Ok(Err(StoreError::Full(bytes_max)));
        }
        *size = new_size;
        for (key, value) in values {
            self.table.insert(key.as_slice(), value.as_slice())?;
        }
        Ok(Ok(()))
    }

    fn delete(&mut self, key: &[u8]) -> Result<(), redb::StorageError> {
        let removed = match self.table.remove(key)? {
            Some(old) => size_of(key, old.value()),
            None => return Ok(()),
        };
        if let Some(size) = self.sizes.get_mut(key::tenant(key)) {
            *size = size.saturating_sub(removed);
        }
        Ok(())
    }
}

fn size_of(key: &[u8], value: &[u8]) -> u64 {
    (key.len() + value.len()) as u64
}

/// The sum, if the value is a decimal number and the sum fits.
fn add(value: Option<&[u8]>, delta: i64) -> Option<i64> {
    let value = match value {
        Some(value) => std::str::from_utf8(value).ok()?.parse().ok()?,
        None => 0_i64,
    };
    value.checked_add(delta)
}
