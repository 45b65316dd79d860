//! Modules that are linked directly, without the engine's component model
//! (`compile/direct` says which). What it does for other components is done here:
//! values are read from a guest's memory and written to it as the canonical ABI
//! says (component model, CanonicalABI.md), and resources are known to the guest
//! by numbers of ours.
//!
//! What is written here need not be trusted more than a guest itself: no number or
//! address that a guest gives is used before it was checked.

mod handles;
mod link;
mod memory;
mod wasi;

pub(crate) use handles::{Handles, Kind};
pub(crate) use link::{Direct, Linker, is_there};
pub(crate) use memory::{Mem, Room, aligned, no_case, offset, room, view};

use holdfast_core::Message;
use holdfast_core::event::{ConnectionState, Outcome};
use wasmtime::{Caller, Memory, Result};

use crate::guest::Guest;

/// What the host has of a guest that is linked directly.
#[derive(Default)]
pub(crate) struct State {
    /// None until the instance is made.
    memory: Option<Memory>,
    realloc: Option<Room>,
    pub(crate) handles: Handles,
    /// A message on its way to the guest.
    pub(crate) delivery: Option<(ConnectionState, Message)>,
    /// What became of it.
    pub(crate) outcome: Option<Outcome>,
}

/// A host function as modules see it.
pub(crate) type Context<'a> = Caller<'a, Guest>;

/// Defines functions of an interface.
pub(crate) type Definitions = wasmtime::Linker<Guest>;

impl State {
    /// The instance is made: its imports may be called from now on.
    pub(crate) fn set_made(&mut self, memory: Memory, realloc: Room) {
        self.memory = Some(memory);
        self.realloc = Some(realloc);
    }

    pub(crate) fn memory(&self) -> Result<Memory> {
        self.memory.ok_or_else(too_early)
    }

    fn realloc(&self) -> Result<Room> {
        self.realloc.clone().ok_or_else(too_early)
    }
}

fn too_early() -> wasmtime::Error {
    wasmtime::Error::msg("the host was called while the instance was made")
}
