//! Runs plugins: compiles components, makes instances, delivers events to their
//! handlers, and gives guests what they may import. It knows nothing of sockets
//! and protocols; what a guest sends goes through [`holdfast_core::Edge`].

mod body;
mod cache;
mod capability;
mod deadline;
mod engine;
mod guest;
mod http_0_3;
mod inspect;
mod instance;
mod line;
mod load;
mod local;
mod plugin;
mod pool;
mod request;
mod runtime;
mod store;
mod volume;
mod world;

pub use cache::Cache;
pub use capability::Provision;
pub use capability::outbound::{AllowList, InvalidHost};
pub use engine::{EngineLimits, Engines};
pub use inspect::{Import, Inspection};
pub use load::{LoadError, Loaded, Loader, Names};
pub use local::Local;
pub use plugin::{Generation, Grants};
pub use runtime::Runtime;
pub use store::Store;
