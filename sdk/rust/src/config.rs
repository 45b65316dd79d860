//! Settings which the operator has written for this plugin (`wasi:config`).

use std::error::Error as StdError;
use std::fmt::{self, Display, Formatter};

use crate::bindings::wasi::config::store as wire;

/// The value of a key, if it is set.
pub fn get(key: &str) -> Result<Option<String>, Error> {
    wire::get(key).map_err(Error::from_wire)
}

/// All keys and values.
pub fn all() -> Result<Vec<(String, String)>, Error> {
    wire::get_all().map_err(Error::from_wire)
}

/// Why the settings could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// Where the host gets them from has failed.
    Upstream(String),
    /// Reading or writing has failed.
    Io(String),
}

impl Error {
    fn from_wire(error: wire::Error) -> Self {
        match error {
            wire::Error::Upstream(text) => Self::Upstream(text),
            wire::Error::Io(text) => Self::Io(text),
        }
    }
}

impl Display for Error {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let (Self::Upstream(text) | Self::Io(text)) = self;
        write!(formatter, "the settings can't be read: {text}")
    }
}

impl StdError for Error {}
