//! Files that a route serves from a folder.
//!
//! Nothing is kept in memory: every request opens its file, so that what changes
//! on disk is served at once. What is in the system's cache is opened and read on
//! the event loop, since that waits for nothing; for everything else there are a
//! few threads ([`Shelf`]).

mod answer;
mod body;
mod find;
mod media;
mod open;
mod path;
mod range;
mod shelf;
mod validator;

pub(crate) use answer::{answer, refusal};
pub(crate) use shelf::Shelf;
