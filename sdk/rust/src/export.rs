//! What `export!` expands to: adapters between the generated traits and ours.

use std::marker::PhantomData;

use crate::Error;
use crate::bindings::holdfast::websocket::websocket_types as wire;
use crate::bindings::{migration, plain, waiting};
use crate::websocket::{
    AsyncWebSocket, Attachments, Closure, Connection, Handshake, Message, WebSocket,
};

/// Exports a plugin's handlers. Once in a crate, with any of
///
/// - `http = function`: an `async fn(Request) -> impl IntoResponse`;
/// - `websocket = Type`: a type that implements
///   [`WebSocket`](crate::websocket::WebSocket), or
/// - `async_websocket = Type`: one that implements
///   [`AsyncWebSocket`](crate::websocket::AsyncWebSocket) instead;
/// - `attachments = Type`, beside either of these: a type that implements
///   [`Attachments`](crate::websocket::Attachments).
///
/// ```
/// async fn handle(_: holdfast::http::Request) -> &'static str {
///     "Hello!\n"
/// }
///
/// holdfast::export!(http = handle);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! export {
    ($($kind:ident = $handler:path),+ $(,)?) => {
        $($crate::__export!($kind = $handler);)+
    };
}

// A native build, as `cargo test` makes it, only checks the handlers: the names
// of a component's exports are none that a native linker takes.
#[doc(hidden)]
#[macro_export]
macro_rules! __export {
    (http = $handler:path) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            struct Exported;
            impl $crate::__private::http::Guest for Exported {
                async fn handle(
                    request: $crate::__private::http::Request,
                ) -> ::std::result::Result<
                    $crate::__private::http::Response,
                    $crate::__private::http::ErrorCode,
                > {
                    $crate::__private::http::serve($handler, request).await
                }
            }
            $crate::__private::http::export!(
                Exported with_types_in $crate::__private::http::bindings
            );
        };
        #[cfg(not(target_arch = "wasm32"))]
        const _: fn($crate::__private::http::Request) =
            |request| ::std::mem::drop($crate::__private::http::serve($handler, request));
    };
    (websocket = $handler:path) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type Exported = $crate::__private::Plain<$handler>;
            $crate::__private::plain::export_plain!(
                Exported with_types_in $crate::__private::plain
            );
        };
        #[cfg(not(target_arch = "wasm32"))]
        const _: $crate::__private::Plain<$handler> = $crate::__private::Plain::CHECK;
    };
    (async_websocket = $handler:path) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type Exported = $crate::__private::Waiting<$handler>;
            $crate::__private::waiting::export_waiting!(
                Exported with_types_in $crate::__private::waiting
            );
        };
        #[cfg(not(target_arch = "wasm32"))]
        const _: $crate::__private::Waiting<$handler> = $crate::__private::Waiting::CHECK;
    };
    (attachments = $attachments:path) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type Exported = $crate::__private::Carried<$attachments>;
            $crate::__private::migration::export_migration!(
                Exported with_types_in $crate::__private::migration
            );
        };
        #[cfg(not(target_arch = "wasm32"))]
        const _: $crate::__private::Carried<$attachments> = $crate::__private::Carried::CHECK;
    };
    ($other:ident = $handler:path) => {
        ::std::compile_error!(
            "a plugin exports `http`, `websocket` or `async_websocket`, and `attachments`"
        );
    };
}

fn failed(error: &Error) -> wire::HandlerError {
    wire::HandlerError::Failed(error.to_string())
}

/// Makes a [`WebSocket`] what the generated export expects.
pub struct Plain<W>(PhantomData<W>);

impl<W: WebSocket> Plain<W> {
    #[doc(hidden)]
    pub const CHECK: Self = Self(PhantomData);
}

impl<W: WebSocket> plain::exports::holdfast::websocket::websocket_handler_sync::Guest for Plain<W> {
    fn accept(request: wire::Handshake) -> Result<wire::Acceptance, wire::Rejection> {
        match W::accept(&Handshake::from_wire(request)) {
            Ok(accept) => Ok(accept.into_wire()),
            Err(reject) => Err(reject.into_wire()),
        }
    }

    fn open(connection: wire::Connection) -> Result<(), wire::HandlerError> {
        W::open(&Connection::from_wire(connection)).map_err(|error| failed(&error))
    }

    fn receive(
        connection: wire::Connection,
        message: wire::Message,
    ) -> Result<(), wire::HandlerError> {
        let connection = Connection::from_wire(connection);
        W::receive(&connection, Message::from_wire(message)).map_err(|error| failed(&error))
    }

    fn close(
        connection: wire::Connection,
        closure: wire::Closure,
    ) -> Result<(), wire::HandlerError> {
        let connection = Connection::from_wire(connection);
        W::close(&connection, Closure::from_wire(closure)).map_err(|error| failed(&error))
    }
}

/// Makes an [`AsyncWebSocket`] what the generated export expects.
pub struct Waiting<W>(PhantomData<W>);

impl<W: AsyncWebSocket> Waiting<W> {
    #[doc(hidden)]
    pub const CHECK: Self = Self(PhantomData);
}

impl<W: AsyncWebSocket> waiting::exports::holdfast::websocket::websocket_handler::Guest
    for Waiting<W>
{
    async fn accept(request: wire::Handshake) -> Result<wire::Acceptance, wire::Rejection> {
        match W::accept(&Handshake::from_wire(request)).await {
            Ok(accept) => Ok(accept.into_wire()),
            Err(reject) => Err(reject.into_wire()),
        }
    }

    async fn open(connection: wire::Connection) -> Result<(), wire::HandlerError> {
        let connection = Connection::from_wire(connection);
        W::open(&connection).await.map_err(|error| failed(&error))
    }

    async fn receive(
        connection: wire::Connection,
        message: wire::Message,
    ) -> Result<(), wire::HandlerError> {
        let connection = Connection::from_wire(connection);
        let result = W::receive(&connection, Message::from_wire(message)).await;
        result.map_err(|error| failed(&error))
    }

    async fn close(
        connection: wire::Connection,
        closure: wire::Closure,
    ) -> Result<(), wire::HandlerError> {
        let connection = Connection::from_wire(connection);
        let result = W::close(&connection, Closure::from_wire(closure)).await;
        result.map_err(|error| failed(&error))
    }
}

/// Makes [`Attachments`] what the generated export expects.
pub struct Carried<A>(PhantomData<A>);

/// The longest name of a format, in bytes.
const FORMAT_BYTES_MAX: usize = 64;

impl<A: Attachments> Carried<A> {
    #[doc(hidden)]
    pub const CHECK: Self = {
        assert!(
            A::FORMAT.len() <= FORMAT_BYTES_MAX,
            "the name of a format has at most 64 bytes"
        );
        Self(PhantomData)
    };
}

impl<A: Attachments> migration::exports::holdfast::websocket::attachments::Guest for Carried<A> {
    fn format() -> String {
        let Self(_) = const { Self::CHECK };
        A::FORMAT.to_owned()
    }

    fn migrate(from_format: String, attachment: Vec<u8>) -> Result<Vec<u8>, String> {
        A::migrate(&from_format, &attachment).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use migration::exports::holdfast::websocket::attachments::Guest;

    struct Doubled;

    impl Attachments for Doubled {
        const FORMAT: &'static str = "doubled";

        fn migrate(from: &str, attachment: &[u8]) -> crate::Result<Vec<u8>> {
            match from {
                "" => Ok([attachment, attachment].concat()),
                other => Err(Error::msg(format!("no way from {other:?}"))),
            }
        }
    }

    #[test]
    fn attachments_are_migrated_by_name() {
        type Exported = Carried<Doubled>;
        assert_eq!(Exported::format(), "doubled");
        let migrated = Exported::migrate(String::new(), b"ab".to_vec());
        assert_eq!(migrated, Ok(b"abab".to_vec()));
        let refused = Exported::migrate("v2".into(), Vec::new());
        assert_eq!(refused, Err("no way from \"v2\"".into()));
    }
}
