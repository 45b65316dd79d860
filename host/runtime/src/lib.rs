//! Runs plugins: compiles components, makes instances, delivers events to their
//! handlers, and gives guests what they may import. It knows nothing of sockets
//! and protocols; what a guest sends goes through [`holdfast_core::Edge`].

mod body;
mod cache;
mod capability;
mod compile;
mod cooling;
mod deadline;
mod digest;
mod direct;
mod engine;
mod epoch;
#[doc(hidden)]
pub mod fuzzing;
mod generation;
mod guest;
mod house;
mod http_0_3;
mod inspect;
mod instance;
mod line;
mod lineup;
mod load;
mod local;
mod migrate;
mod placement;
mod plugin;
mod pool;
mod prepare;
mod probation;
mod rate;
mod reaper;
mod request;
mod runtime;
mod share;
mod store;
mod subject;
mod team;
mod tenant;
#[cfg(test)]
mod tests;
mod world;

pub use cache::Cache;
pub use capability::Provision;
pub use capability::folders::Folders;
pub use capability::outbound::{AllowList, InvalidHost, is_public, public_tls};
pub use compile::{Compiler, compile_stdin};
pub use digest::Digest;
pub use engine::{EngineLimits, Engines};
pub use generation::{Generation, GenerationStatus, Grants, Prepared, Role, TenantStatus};
pub use inspect::{Import, Inspection};
pub use load::{Imports, LoadError, Loaded, Loader, Names};
pub use local::Local;
pub use runtime::Runtime;
pub use store::Store;
