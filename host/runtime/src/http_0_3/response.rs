//! Responses: a handler's, and those to requests which a guest sends. And what
//! both kinds of messages have: a body from either side.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::StatusCode;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use wasmtime::component::{Access, FutureReader, Resource, StreamReader};
use wasmtime::{AsContextMut, StoreContextMut};
use wasmtime_wasi_http::p3::bindings::http::types::{
    self, ErrorCode, Fields, HostResponse, HostResponseWithStore,
};
use wasmtime_wasi_http::{Error, WasiBody};

use super::fields::FieldMap;
use super::incoming::{self, Incoming};
use super::outgoing::{Ending, Made, Outgoing, Sent};
use super::{Http, View};
use crate::guest::Guest;

/// What a response resource stands for.
pub(crate) struct Response {
    pub(super) status: StatusCode,
    pub(super) headers: FieldMap,
    pub(super) body: Body,
}

/// A message's body.
pub(crate) enum Body {
    /// It comes from a peer. Guests may hand it on without reading it.
    Host(WasiBody),
    /// The same, of which a guest has this piece of, and not the rest.
    Begun(Bytes, WasiBody),
    /// A guest writes it.
    Guest(Outgoing),
}

impl Response {
    /// One which a guest makes.
    pub(super) fn outgoing(headers: FieldMap, body: Body) -> Self {
        Self {
            status: StatusCode::OK,
            headers,
            body,
        }
    }

    /// The response as the edge sends it.
    pub(crate) fn into_http(self) -> http::Response<Body> {
        let mut response = http::Response::new(self.body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers.into();
        response
    }
}

impl Body {
    /// The body which a guest gives to a message with these header fields, and
    /// what tells the guest how it went.
    pub(super) fn from_guest(
        mut store: StoreContextMut<'_, Guest>,
        headers: &FieldMap,
        contents: Option<StreamReader<u8>>,
        mut ending: Ending,
        mismatch: fn(Option<u64>) -> ErrorCode,
    ) -> wasmtime::Result<(Self, Sent)> {
        let contents = match contents.map(|it| it.try_into::<Incoming>(store.as_context_mut())) {
            Some(Ok(incoming)) => {
                ending.close(store.as_context_mut())?;
                let sent = FutureReader::new(store, async { wasmtime::error::Ok(Ok(())) })?;
                return Ok((Self::Host(incoming.into_body()), sent));
            }
            Some(Err(contents)) => Some(contents),
            None => None,
        };
        let made = Made {
            contents,
            ending,
            length: headers.length(),
            mismatch,
        };
        let (body, sent) = Outgoing::new(store, made)?;
        Ok((Self::Guest(body), sent))
    }

    /// The body for a guest that reads it.
    pub(super) fn consume(
        self,
        mut store: StoreContextMut<'_, Guest>,
        mut handled: FutureReader<Result<(), ErrorCode>>,
    ) -> wasmtime::Result<(StreamReader<u8>, Ending)> {
        // Nobody here wants to know how the guest liked it.
        handled.close(store.as_context_mut())?;
        incoming::read(store, self)
    }

    /// The whole body, if a guest has written all of it already.
    pub(crate) fn take_whole(&mut self) -> Option<Bytes> {
        match self {
            Self::Host(_) | Self::Begun(..) => None,
            Self::Guest(body) => body.take_whole(),
        }
    }
}

impl Default for Body {
    fn default() -> Self {
        Self::Host(WasiBody::default())
    }
}

impl From<Body> for WasiBody {
    fn from(body: Body) -> Self {
        match body {
            Body::Host(body) => body,
            begun @ Body::Begun(..) => begun.boxed_unsync(),
            Body::Guest(body) => body.boxed_unsync(),
        }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match &mut *self {
            Self::Host(body) => Pin::new(body).poll_frame(context),
            Self::Begun(first, rest) if first.is_empty() => Pin::new(rest).poll_frame(context),
            Self::Begun(first, _) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(first))))),
            Self::Guest(body) => Pin::new(body).poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Host(body) => body.is_end_stream(),
            Self::Begun(first, rest) => first.is_empty() && rest.is_end_stream(),
            Self::Guest(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Host(body) => body.size_hint(),
            Self::Begun(..) => SizeHint::default(),
            Self::Guest(body) => body.size_hint(),
        }
    }
}

impl HostResponseWithStore<Guest> for Http {
    fn new(
        mut store: Access<'_, Guest, Self>,
        headers: Resource<Fields>,
        contents: Option<StreamReader<u8>>,
        trailers: Ending,
    ) -> wasmtime::Result<(Resource<types::Response>, Sent)> {
        let headers = store.get().take_fields(headers)?;
        let (body, sent) = Body::from_guest(
            store.as_context_mut(),
            &headers,
            contents,
            trailers,
            ErrorCode::HttpResponseBodySize,
        )?;
        let response = Response::outgoing(headers, body);
        Ok((store.get().table.responses.push(response)?, sent))
    }

    fn consume_body(
        mut store: Access<'_, Guest, Self>,
        response: Resource<types::Response>,
        handled: FutureReader<Result<(), ErrorCode>>,
    ) -> wasmtime::Result<(StreamReader<u8>, Ending)> {
        let response = store.get().table.responses.take(response)?;
        response.body.consume(store.as_context_mut(), handled)
    }

    fn drop(
        mut store: Access<'_, Guest, Self>,
        response: Resource<types::Response>,
    ) -> wasmtime::Result<()> {
        store.get().table.responses.take(response)?;
        Ok(())
    }
}

impl HostResponse for View<'_> {
    fn get_status_code(&mut self, response: Resource<types::Response>) -> wasmtime::Result<u16> {
        Ok(self.table.responses.get(&response)?.status.as_u16())
    }

    fn set_status_code(
        &mut self,
        response: Resource<types::Response>,
        status: u16,
    ) -> wasmtime::Result<Result<(), ()>> {
        let response = self.table.responses.get_mut(&response)?;
        Ok(match StatusCode::from_u16(status) {
            Ok(valid) if status < 600 => {
                response.status = valid;
                Ok(())
            }
            _ => Err(()),
        })
    }

    fn get_headers(
        &mut self,
        response: Resource<types::Response>,
    ) -> wasmtime::Result<Resource<Fields>> {
        let headers = self.table.responses.get_mut(&response)?.headers.share();
        self.table.fields.push(headers)
    }
}
