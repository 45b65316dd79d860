//! Helpers of the tests: the host as a process, clients of it, a browser.
//!
//! Nothing of the host's inside is used here. A test starts the real binary with
//! real guests on a port of its own, and sees what a user would see. Both have to
//! be built before: `cargo xtask test [FILTER]` does that.

// Tests say what they expect by failing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

pub mod admin;
pub mod browser;
pub mod build;
pub mod bulk;
pub mod decode;
pub mod deploy;
pub mod folder;
pub mod host;
pub mod http;
pub mod http2;
pub mod names;
pub mod neighbour;
pub mod place;
pub mod process;
pub mod project;
pub mod raw;
pub mod registry;
pub mod scale;
pub mod schema;
pub mod setup;
pub mod socket;
pub mod stage;
pub mod status;
pub mod tls;
pub mod upstream;
pub mod wait;
