//! The edge over real sockets, with handlers in native code.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests say what they expect by failing"
)]

mod drain;
mod fault;
mod handshake;
mod http;
mod http1;
mod pressure;
mod reload;
mod removal;
mod support;
mod tenant;
mod topics;
mod websocket;
