//! Modules that are linked directly, without the engine's component model
//! (`compile/direct` says which). What it does for other components is done here:
//! values are read from a guest's memory and written to it as the canonical ABI
//! says (component model, CanonicalABI.md), and resources are known to the guest
//! by numbers of ours.
//!
//! What is written here need not be trusted more than a guest itself: no number or
//! address that a guest gives is used before it was checked.

mod canon;
mod capabilities;
mod codes;
mod handles;
mod link;
mod made;
mod memory;
mod pipes;
mod subtasks;
mod tasks;
pub(crate) mod turns;
mod waits;
mod wasi;

pub(crate) use codes::put_value;
pub(crate) use handles::{Handles, Kind};
pub(crate) use link::{Direct, Linker, imports, is_there};
pub(crate) use made::{Made, none};
pub(crate) use memory::{Mem, Room, aligned, give, no_case, offset, places, room, view};
pub(crate) use pipes::{Flow, Peer, Taking, Value};
pub(crate) use tasks::{Returned, Tasks};
pub(crate) use waits::{Event, Woken};

use std::sync::Arc;

use holdfast_core::Message;
use holdfast_core::event::{ConnectionState, Outcome};
use slab::Slab;
use wasmtime::component::Resource;
use wasmtime::{Caller, Memory, Result};
use wasmtime_wasi_http::p3::bindings::http::types::Request;

use pipes::Pipe;

use crate::guest::Guest;

/// What the host has of a guest that is linked directly.
pub(crate) struct State {
    /// None until the instance is made.
    memory: Option<Memory>,
    realloc: Option<Room>,
    pub(crate) handles: Handles,
    pub(crate) tasks: Tasks,
    /// Streams and futures.
    pipes: Slab<Pipe>,
    /// Those ends of them for which the host has something to do.
    pub(crate) woken: Arc<Woken>,
    /// What it is given piece by piece.
    pub(crate) gift: Option<turns::Gift>,
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
    /// With so many handles at most.
    pub(crate) fn new(handles_max: usize) -> Self {
        Self {
            memory: None,
            realloc: None,
            handles: Handles::new(handles_max),
            tasks: Tasks::default(),
            pipes: Slab::new(),
            woken: Arc::default(),
            gift: None,
            delivery: None,
            outcome: None,
        }
    }

    /// The instance is made: its imports may be called from now on.
    fn set_made(&mut self, memory: Memory, realloc: Option<Room>) {
        self.memory = Some(memory);
        self.realloc = realloc;
    }

    /// A client's request for the guest.
    pub(crate) fn give_request(&mut self, request: &Resource<Request>) -> Result<u32> {
        self.handles.give(Kind::Request, request)
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
