//! `holdfast:websocket@0.1.0`.

mod answers;
mod attachments;
pub(crate) mod direct;
mod exports;
mod imports;
mod types;

pub(crate) use exports::{Alone, Among, Call, Form, Handlers, Indices};
pub(crate) use imports::add_to_linker;
