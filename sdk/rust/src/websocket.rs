//! WebSocket events.
//!
//! For one connection the host calls `accept` once, then `open` once, then
//! `receive` for each message in order, one at a time, then `close` exactly
//! once, whatever happened. Different connections run concurrently, in several
//! instances, so a `static` is no place for state: the attachment, topics and
//! [`crate::keyvalue`] are.
//!
//! A plugin implements [`WebSocket`], or [`AsyncWebSocket`] where a handler has
//! to wait for something, and exports it:
//!
//! ```
//! use holdfast::websocket::{Connection, Message, WebSocket};
//!
//! struct Echo;
//!
//! impl WebSocket for Echo {
//!     fn receive(connection: &Connection, message: Message) -> holdfast::Result {
//!         connection.send(message)?;
//!         Ok(())
//!     }
//! }
//! ```

mod answer;
mod attachments;
mod closure;
mod connection;
mod handshake;
mod message;

use std::future::{self, Future};

pub use answer::{Accept, Reject};
pub use attachments::Attachments;
pub use closure::{CloseCause, Closure};
pub use connection::Connection;
pub use handshake::Handshake;
pub use message::Message;

use crate::Result;

/// The WebSocket events of a plugin, as plain functions: the form that costs
/// the host least. Exported by `holdfast::export!(websocket = Type)`.
pub trait WebSocket {
    /// Decides about an opening handshake. Unless implemented, accepts it.
    fn accept(handshake: &Handshake) -> Result<Accept, Reject> {
        let _ = handshake;
        Ok(Accept::new())
    }

    /// The connection is open: the client has been sent its 101.
    fn open(connection: &Connection) -> Result {
        let _ = connection;
        Ok(())
    }

    /// A message arrived.
    fn receive(connection: &Connection, message: Message) -> Result {
        let _ = (connection, message);
        Ok(())
    }

    /// The connection has ended. Nothing can be sent to it any more; its
    /// subscriptions are gone. Its attachment is given a last time.
    fn close(connection: &Connection, closure: Closure) -> Result {
        let _ = (connection, closure);
        Ok(())
    }
}

/// The same events as [`WebSocket`], as async functions: while one waits, for
/// example in [`crate::http::send`], the instance takes events of other
/// connections. Exported by `holdfast::export!(async_websocket = Type)`.
///
/// ```
/// use holdfast::websocket::{AsyncWebSocket, Connection, Message};
///
/// struct Slow;
///
/// impl AsyncWebSocket for Slow {
///     async fn receive(connection: &Connection, message: Message) -> holdfast::Result {
///         holdfast::time::sleep(std::time::Duration::from_secs(1)).await;
///         connection.send(message)?;
///         Ok(())
///     }
/// }
/// ```
pub trait AsyncWebSocket {
    /// See [`WebSocket::accept`].
    fn accept(handshake: &Handshake) -> impl Future<Output = Result<Accept, Reject>> {
        let _ = handshake;
        future::ready(Ok(Accept::new()))
    }

    /// See [`WebSocket::open`].
    fn open(connection: &Connection) -> impl Future<Output = Result> {
        let _ = connection;
        future::ready(Ok(()))
    }

    /// See [`WebSocket::receive`].
    fn receive(connection: &Connection, message: Message) -> impl Future<Output = Result> {
        let _ = (connection, message);
        future::ready(Ok(()))
    }

    /// See [`WebSocket::close`].
    fn close(connection: &Connection, closure: Closure) -> impl Future<Output = Result> {
        let _ = (connection, closure);
        future::ready(Ok(()))
    }
}
