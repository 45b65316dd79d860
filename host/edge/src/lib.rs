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
mod access;
mod addresses;
mod body;
mod bound;
mod connection;
mod deflate;
mod drain;
mod encoding;
mod entrance;
mod event_loop;
mod fields;
mod files;
mod forwarded;
mod frame;
#[doc(hidden)]
pub mod fuzzing;
mod handshake;
mod http;
mod http1;
mod http2;
mod hub;
mod key;
mod listen;
mod lock;
mod mailbox;
mod origin;
mod outbox;
mod patient;
mod preference;
mod protocol;
mod proxy;
mod queue;
mod registered;
mod registry;
mod report;
mod request_id;
mod ring;
mod route;
mod serve;
mod shed;
mod socket;
mod sockets;
mod stream;
mod sweep;
mod tally;
mod target;
mod throttle;
mod tls;
mod topics;
mod view;

pub use access::{AccessLog, Work};
pub use addresses::Addresses;
pub use connection::ConnectionView;
pub use drain::{Drain, Trigger, drain};
pub use entrance::{Entrance, Speech};
pub use hub::{Hub, HubConfig};
pub use listen::{BindError, Incoming, Lane, Listener, Point};
pub use route::{Destination, Route, Site};
pub use serve::serve;
#[cfg(feature = "memory-transport")]
pub use stream::memory::Script;
pub use tls::{Clients, ClientsError, ConfigError, Identities, Identity, IdentityError, Tls};
