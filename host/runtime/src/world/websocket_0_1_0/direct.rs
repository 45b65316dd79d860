//! The same interfaces for modules that are linked directly: how their values lie
//! in a guest's memory. What the imports do and what becomes of an event is the
//! same as for other components.

mod exports;
mod imports;
mod values;

pub(crate) use exports::{Exports, Handlers};
pub(crate) use imports::{IMPORTS, define};
