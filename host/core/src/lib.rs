//! The words which the edge and the runtime share.
//!
//! The edge (sockets, protocols, the registry of connections) and the runtime
//! (engine, instances, capabilities) never see each other. They meet here, at
//! two traits: [`Plugins`], by which the edge delivers an [`Event`] and gets an
//! [`Outcome`], and [`Edge`], by which a guest's capability call reaches a
//! connection. Nothing in this crate does input or output.

pub mod bucket;
pub mod deploy;
pub mod edge;
pub mod encoding;
pub mod event;
#[doc(hidden)]
pub mod fuzzing;
pub mod id;
pub mod limits;
pub mod manifest;
pub mod message;
pub mod metrics;
pub mod network;
pub mod plugin;
pub mod request_id;
pub mod secret;
pub mod spare;
pub mod time;
pub mod volume;
pub mod websocket;

pub use bucket::Bucket;
pub use edge::Edge;
pub use event::{Event, Failure, Outcome};
pub use id::{ConnectionId, PluginId, TenantId};
pub use message::{Message, MessageRef};
pub use plugin::{Plugins, Settings};
pub use request_id::RequestId;
pub use secret::Secret;
pub use volume::Volume;
