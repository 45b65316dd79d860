//! Keys and values which outlive connections, instances and versions of the
//! plugin (`wasi:keyvalue`).
//!
//! Any instance may change a key at any time. Where the new value depends on
//! the old one, use [`Store::update`] or [`Store::increment`].
//!
//! ```no_run
//! use holdfast::keyvalue::Store;
//!
//! # fn main() -> holdfast::Result {
//! let visits = Store::open("default")?.increment("visits", 1)?;
//! # Ok(())
//! # }
//! ```

use std::error::Error as StdError;
use std::fmt::{self, Display, Formatter};

use crate::bindings::wasi::keyvalue::{atomics, batch, store as wire};

/// How often [`Store::update`] tries before it gives up. Who is slower than those with
/// whom it contends may lose many times; the time for its event ends it in any case.
pub const ATTEMPTS_MAX: u32 = 1000;

/// A named bucket of keys and values.
#[derive(Debug)]
pub struct Store(wire::Bucket);

impl Store {
    /// Opens a store; `default` is there wherever stores are granted.
    pub fn open(name: &str) -> Result<Self, Error> {
        wire::open(name).map(Self).map_err(Error::from_wire)
    }

    /// The value of a key, if it has one.
    pub fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.0.get(key).map_err(Error::from_wire)
    }

    /// Sets a value, whatever there was.
    pub fn set(&self, key: &str, value: impl AsRef<[u8]>) -> Result<(), Error> {
        self.0.set(key, value.as_ref()).map_err(Error::from_wire)
    }

    /// Removes a key. Removing one that is not there is no error.
    pub fn delete(&self, key: &str) -> Result<(), Error> {
        self.0.delete(key).map_err(Error::from_wire)
    }

    /// Whether a key has a value.
    pub fn exists(&self, key: &str) -> Result<bool, Error> {
        self.0.exists(key).map_err(Error::from_wire)
    }

    /// All keys, in the order of the store. Keys that come or go meanwhile may
    /// or may not be among them.
    pub fn keys(&self) -> Result<Vec<String>, Error> {
        let mut page = self.0.list_keys(None).map_err(Error::from_wire)?;
        let mut keys = std::mem::take(&mut page.keys);
        while let Some(cursor) = page.cursor.take() {
            page = self.0.list_keys(Some(&cursor)).map_err(Error::from_wire)?;
            keys.append(&mut page.keys);
        }
        Ok(keys)
    }

    /// The values of several keys in one call.
    pub fn get_many(&self, keys: &[String]) -> Result<Vec<Found>, Error> {
        batch::get_many(&self.0, keys).map_err(Error::from_wire)
    }

    /// Sets several values in one call.
    pub fn set_many(&self, pairs: &[(String, Vec<u8>)]) -> Result<(), Error> {
        batch::set_many(&self.0, pairs).map_err(Error::from_wire)
    }

    /// Removes several keys in one call.
    pub fn delete_many(&self, keys: &[String]) -> Result<(), Error> {
        batch::delete_many(&self.0, keys).map_err(Error::from_wire)
    }

    /// Adds to a number, which is 0 where the key has no value, and returns the
    /// sum. No other change comes between.
    pub fn increment(&self, key: &str, delta: i64) -> Result<i64, Error> {
        atomics::increment(&self.0, key, delta).map_err(Error::from_wire)
    }

    /// Replaces a value by what `change` makes of it, and returns the new one.
    /// No other change comes between: `change` is called again when one did, so
    /// it has to be free of effects.
    pub fn update(
        &self,
        key: &str,
        mut change: impl FnMut(Option<Vec<u8>>) -> Vec<u8>,
    ) -> Result<Vec<u8>, Error> {
        let mut cas = atomics::Cas::new(&self.0, key).map_err(Error::from_wire)?;
        for _ in 0..ATTEMPTS_MAX {
            let value = change(cas.current().map_err(Error::from_wire)?);
            match atomics::swap(cas, &value) {
                Ok(()) => return Ok(value),
                Err(atomics::CasError::CasFailed(newer)) => cas = newer,
                Err(atomics::CasError::StoreError(error)) => return Err(Error::from_wire(error)),
            }
        }
        Err(Error::Contended)
    }
}

/// A key and its value, if it has one.
pub type Found = (String, Option<Vec<u8>>);

/// Why a store did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// There is no store of this name.
    NoSuchStore,
    /// The plugin has not been granted it.
    AccessDenied,
    /// [`Store::update`] was overtaken [`ATTEMPTS_MAX`] times.
    Contended,
    /// Anything else.
    Other(String),
}

impl Error {
    fn from_wire(error: wire::Error) -> Self {
        match error {
            wire::Error::NoSuchStore => Self::NoSuchStore,
            wire::Error::AccessDenied => Self::AccessDenied,
            wire::Error::Other(text) => Self::Other(text),
        }
    }
}

impl Display for Error {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchStore => formatter.write_str("there is no such key-value store"),
            Self::AccessDenied => formatter.write_str("the key-value store is not granted"),
            Self::Contended => write!(formatter, "overtaken by {ATTEMPTS_MAX} other changes"),
            Self::Other(text) => write!(formatter, "the key-value store failed: {text}"),
        }
    }
}

impl StdError for Error {}
