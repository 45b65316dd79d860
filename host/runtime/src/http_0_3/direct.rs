//! `wasi:http` 0.3 for modules that are linked directly: how its values lie in a
//! guest's memory. The resources, and what the functions do, are the same as for
//! other components.

pub(crate) mod client;
mod exports;
mod imports;
mod messages;

pub(crate) use exports::{Exports, Handlers, Next};
pub(crate) use imports::{IMPORTS, define};
