//! Tests of the real binary, over real sockets, with real guests.
//!
//! `cargo xtask test [FILTER]` builds what they need and runs them.

// Tests say what they expect by failing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

#[macro_use]
mod forms;

mod autobahn;
mod capabilities;
mod chat;
mod cli;
mod clients;
mod compile;
mod compression;
mod crash;
mod deploy;
mod dev;
mod drain;
mod fair;
mod floods;
mod foreign;
mod handshake;
mod http;
mod isolation;
mod latency;
mod limits;
mod limits_guest;
mod metrics;
mod new;
mod order;
mod origins;
mod page;
mod pressure;
mod protocol;
mod reload_admin;
mod reload_files;
mod reload_manifest;
mod roles;
mod scale;
mod smuggling;
mod swap;
mod tenants;
