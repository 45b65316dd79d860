//! The edge over real sockets, with handlers in native code.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests say what they expect by failing"
)]

mod drain;
mod handshake;
mod http;
mod pressure;
mod support;
mod topics;
mod websocket;
