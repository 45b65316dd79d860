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
#[macro_use]
mod languages;

mod access_log;
mod api;
mod autobahn;
mod bodies;
mod capabilities;
mod chat;
mod cli;
mod clients;
mod compile;
mod components;
mod compression;
mod compression_clients;
mod conformance;
mod crash;
mod crowd;
mod deploy;
mod dev;
mod drain;
mod encoding;
mod examples;
mod fair;
mod files;
mod floods;
mod foreign;
mod h2spec;
mod handshake;
mod hostile;
mod http;
mod http2;
mod images;
mod isolation;
mod latency;
mod limits;
mod limits_guest;
mod logs;
mod metrics;
mod new;
mod order;
mod origins;
mod page;
mod pressure;
mod projects;
mod protocol;
mod proxies;
mod reload_admin;
mod reload_files;
mod reload_manifest;
mod roles;
mod scale;
mod schemathesis;
mod smuggling;
mod swap;
mod tenants;
mod tls;
mod wsgi;
