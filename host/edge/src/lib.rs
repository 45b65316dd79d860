//! Everything between the socket and the plugins: HTTP, WebSocket, connections,
//! topics, routes.
//!
//! An accepted connection is dealt to one event loop ([`Listener`], [`serve`]),
//! where it lives and dies. Its first bytes say which protocol it speaks, its
//! requests are routed to plugins ([`Site`]), and a handshake that a plugin
//! accepts makes it a WebSocket: one small task, one entry in the registry of
//! the [`Hub`], which all loops share and through which guests reach
//! connections.
//!
//! This crate knows nothing of WebAssembly. Plugins are behind
//! [`holdfast_core::Plugins`], and the hub is the [`holdfast_core::Edge`] they
//! call.

mod accept;
mod addresses;
mod body;
mod connection;
mod deflate;
mod drain;
mod event_loop;
mod fields;
mod frame;
mod guard;
mod handshake;
mod http;
mod hub;
mod key;
mod listen;
mod lock;
mod mailbox;
mod outbox;
mod preference;
mod protocol;
mod queue;
mod registered;
mod registry;
mod report;
mod route;
mod serve;
mod socket;
mod sockets;
mod stream;
mod sweep;
mod tally;
mod target;
mod throttle;
mod topics;

pub use drain::{Drain, Trigger, drain};
pub use hub::Hub;
pub use listen::{BindError, Incoming, Lane, Listener};
pub use route::{Route, Site};
pub use serve::serve;
#[cfg(feature = "memory-transport")]
pub use stream::memory::Script;
