//! Write Holdfast plugins in Rust.
//!
//! A plugin is a WebAssembly component with handlers for HTTP requests, for
//! WebSocket events, or for both. The host holds every socket; a handler runs
//! in a sandbox, when something happens, and decides. Here is one with both:
//! what is posted to it appears in every open WebSocket.
//!
//! ```
//! use holdfast::http::{Request, Response, StatusCode};
//! use holdfast::topics;
//! use holdfast::websocket::{Accept, Connection, Handshake, Message, Reject, WebSocket};
//!
//! struct News;
//!
//! impl WebSocket for News {
//!     fn accept(handshake: &Handshake) -> Result<Accept, Reject> {
//!         match handshake.query_value("name") {
//!             Some(name) => Ok(Accept::new().attachment(&*name).topic("news")),
//!             None => Err(Reject::new(StatusCode::BAD_REQUEST).text("add ?name=…")),
//!         }
//!     }
//!
//!     fn receive(connection: &Connection, message: Message) -> holdfast::Result {
//!         let name = String::from_utf8_lossy(connection.attachment());
//!         holdfast::log::info!("{name} says {} bytes", message.len());
//!         Ok(())
//!     }
//! }
//!
//! async fn handle(request: Request) -> holdfast::Result<String> {
//!     let text = request.into_body().text_up_to(10_000).await?;
//!     let delivery = topics::publish("news", text)?;
//!     Ok(format!("sent to {}\n", delivery.queued))
//! }
//!
//! holdfast::export!(http = handle, websocket = News);
//! # fn main() {}
//! ```
//!
//! # What to know
//!
//! - **State.** The host runs as many instances of a plugin as it needs, ends
//!   them when it likes, and replaces the code under open connections. Nothing
//!   in a `static` is there at the next event. State is in attachments
//!   ([`websocket::Connection::set_attachment`]), in [`topics`] and in
//!   [`keyvalue`].
//! - **Deployments.** Attachments outlive the code that wrote them. A plugin that
//!   changes their format implements [`websocket::Attachments`].
//! - **Waiting.** HTTP handlers are async, WebSocket handlers if they implement
//!   [`websocket::AsyncWebSocket`]. They wait with what this crate offers
//!   ([`http::send`], [`http::Body`], [`time::sleep`]); there is no other
//!   runtime and no thread. Sending and publishing never wait. The tasks of two
//!   events can't wake each other: use [`connections`] and [`topics`] instead
//!   of a channel.
//! - **Errors.** Handlers return [`Result`]; `?` takes any error. The host logs
//!   the text and answers 500, or closes the WebSocket (`on_error` in the
//!   manifest). A panic does the same, and ends the instance as well.
//! - **Grants.** A component imports only what its code uses, and the host
//!   loads it only if the operator has granted that. `holdfast inspect` shows
//!   both.
//! - **Tests.** A plugin compiles for the native target too, where `cargo test`
//!   runs the tests of its logic. Calls to the host panic there.

#[cfg(any(
    test,
    all(
        feature = "allocator",
        target_arch = "wasm32",
        not(target_feature = "atomics")
    )
))]
mod alloc;
mod bindings;
pub mod config;
pub mod connections;
mod error;
mod export;
pub mod http;
pub mod keyvalue;
pub mod log;
pub mod time;
pub mod topics;
pub mod uri;
pub mod websocket;

pub use error::{Context, Error, Result};

/// For the expansion of [`export!`] only.
#[doc(hidden)]
pub mod __private {
    pub use crate::bindings::{migration, plain, waiting};
    pub use crate::export::{Carried, Plain, Waiting};

    /// The same for HTTP.
    pub mod http {
        pub use crate::http::serve;
        pub use wasip3 as bindings;
        pub use wasip3::exports::http::handler::Guest;
        pub use wasip3::http::service::export;
        pub use wasip3::http::types::{ErrorCode, Request, Response};
    }
}
