//! `wasi:http` 0.3 for guests. The bindings and the header fields are those of
//! the library; the resources behind them are ours, made so that a short
//! response costs few calls of the engine and no turn of its event loop:
//!
//! The body of a message begins to flow when the guest *makes* the message, not
//! when it returns or sends it. What the guest writes then is taken at once, up
//! to one piece, and so is what follows the body. A guest that writes its whole
//! body before it returns is done when it returns, and need not be called again.

mod client;
pub(crate) mod direct;
mod error;
mod fields;
mod incoming;
mod options;
mod outgoing;
mod request;
mod response;
mod shelf;

use http::HeaderMap;
use wasmtime::component::{HasData, Linker};
use wasmtime_wasi_http::p3::bindings::http::{client as client_bindings, types};

pub(crate) use request::Request;
pub(crate) use response::{Body, Response};

use crate::capability::outbound::Outbound;
use crate::guest::Guest;
use fields::FieldMap;
use shelf::Shelf;

/// The guest's ends of a message's body.
pub(crate) mod flow {
    pub(crate) use super::client::{Answer, Sending, received};
    pub(crate) use super::incoming::{Ended, Incoming, Tail};
    pub(crate) use super::outgoing::ends::{Closer, Taken, Witness, Writer};
}

/// Bytes of the header fields of one message which a guest makes: their text, and for
/// each what it takes to keep it.
const FIELDS_BYTES_MAX: usize = 128 << 10;

/// What the host keeps of `wasi:http` 0.3 for one guest.
pub(crate) struct Table {
    fields: Shelf<types::Fields, FieldMap>,
    requests: Shelf<types::Request, Request>,
    responses: Shelf<types::Response, Response>,
    options: Shelf<types::RequestOptions, types::RequestOptions>,
    /// An empty map, whose memory is used again.
    spare: HeaderMap,
}

impl Table {
    /// With at most so many resources of each kind.
    pub(crate) fn new(len_max: usize) -> Self {
        Self {
            fields: Shelf::new(len_max),
            requests: Shelf::new(len_max),
            responses: Shelf::new(len_max),
            options: Shelf::new(len_max),
            spare: HeaderMap::new(),
        }
    }

    /// A client's request, for a handler.
    pub(crate) fn push_request(
        &mut self,
        request: Request,
    ) -> wasmtime::Result<wasmtime::component::Resource<types::Request>> {
        self.requests.push(request)
    }

    /// The guest needs this request no more.
    fn drop_request(
        &mut self,
        request: wasmtime::component::Resource<types::Request>,
    ) -> wasmtime::Result<()> {
        if let Some(spare) = self.requests.take(request)?.into_spare() {
            self.spare = spare;
        }
        Ok(())
    }

    /// What a handler has answered.
    pub(crate) fn take_response(
        &mut self,
        response: wasmtime::component::Resource<types::Response>,
    ) -> wasmtime::Result<Response> {
        self.responses.take(response)
    }
}

/// A guest as these imports see it.
pub(crate) struct View<'a> {
    pub(crate) table: &'a mut Table,
    pub(crate) outbound: &'a mut Outbound,
}

/// Stands for [`View`] in the linker.
struct Http;

impl HasData for Http {
    type Data<'a> = View<'a>;
}

/// Adds `wasi:http/types@0.3` and `wasi:http/client@0.3`.
pub(crate) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    types::add_to_linker::<_, Http>(linker, Guest::http_0_3)?;
    fields::add_to_linker(linker)?;
    client_bindings::add_to_linker::<_, Http>(linker, Guest::http_0_3)
}

impl types::Host for View<'_> {
    fn convert_error_code(
        &mut self,
        error: wasmtime_wasi::TrappableError<types::ErrorCode>,
    ) -> wasmtime::Result<types::ErrorCode> {
        error.downcast()
    }

    fn convert_header_error(
        &mut self,
        error: wasmtime_wasi::TrappableError<types::HeaderError>,
    ) -> wasmtime::Result<types::HeaderError> {
        error.downcast()
    }

    fn convert_request_options_error(
        &mut self,
        error: wasmtime_wasi::TrappableError<types::RequestOptionsError>,
    ) -> wasmtime::Result<types::RequestOptionsError> {
        error.downcast()
    }
}
