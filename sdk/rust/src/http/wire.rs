//! Between the `http` crate's types and those of `wasi:http` 0.3.

use std::future::Future;

use ::http::uri::{Authority, PathAndQuery, Scheme};
use bytes::Bytes;
use wasip3::http::types::{self, ErrorCode, Fields};
use wasip3::wit_bindgen::{FutureReader, StreamReader};

use super::body::Content;
use super::parts::{Message, WireEnding};
use super::whole::{self, Whole};
use super::{
    Body, HeaderMap, HeaderName, HeaderValue, IntoResponse, Method, Request, Response, SendError,
    StatusCode, Uri, header,
};
use crate::{Context, Error, Result};

/// Runs a handler. The one place where its error becomes that of `wasi:http`.
#[doc(hidden)]
pub async fn serve<H, F>(handler: H, request: types::Request) -> Result<types::Response, ErrorCode>
where
    H: FnOnce(Request) -> F,
    F: Future,
    F::Output: IntoResponse,
{
    let response = handler(Request::incoming(request)).await;
    response
        .into_response()
        .and_then(write_response)
        .map_err(|error| ErrorCode::InternalError(Some(error.to_string())))
}

pub(super) fn read_path(wire: &types::Request) -> Option<PathAndQuery> {
    let path = wire.get_path_with_query().unwrap_or_else(|| "/".to_owned());
    PathAndQuery::from_maybe_shared(Bytes::from(path)).ok()
}

pub(super) fn read_uri(wire: &types::Request, path: PathAndQuery) -> Option<Uri> {
    let Some(authority) = wire.get_authority() else {
        return Some(path.into());
    };
    let mut parts = ::http::uri::Parts::default();
    parts.path_and_query = Some(path);
    parts.authority = Some(Authority::from_maybe_shared(Bytes::from(authority)).ok()?);
    parts.scheme = Some(match wire.get_scheme() {
        None | Some(types::Scheme::Http) => Scheme::HTTP,
        Some(types::Scheme::Https) => Scheme::HTTPS,
        Some(types::Scheme::Other(scheme)) => scheme.parse().ok()?,
    });
    Uri::from_parts(parts).ok()
}

/// The longest body of a response whose length is not said: a host that takes all of it
/// at once knows how long it is, and to be told costs more than the body.
const KNOWN_BYTES_MAX: usize = 16 << 10;

fn write_response(response: Response) -> Result<types::Response> {
    let (head, body) = response.into_parts();
    let content = body.into_content();
    let has_none = head.status.is_informational()
        || head.status == StatusCode::NO_CONTENT
        || head.status == StatusCode::NOT_MODIFIED;
    let is_said = |length: &usize| !has_none && *length > KNOWN_BYTES_MAX;
    let length = content.len().filter(is_said);
    let fields = write_fields(&head.headers, length)?;
    let (contents, trailers, whole) = outgoing(content);
    let (wire, _transmission) = types::Response::new(fields, contents, trailers);
    // Which it has already.
    if head.status != StatusCode::OK {
        wire.set_status_code(head.status.as_u16())
            .map_err(|()| Error::msg(format!("the host refuses the status {}", head.status)))?;
    }
    if let Some(whole) = whole {
        whole.write();
    }
    Ok(wire)
}

pub(super) fn write_request(request: Request) -> Result<types::Request> {
    let (mut head, body) = request.into_parts();
    let content = body.into_content();
    // The host adds it from the URI, and accepts no other.
    head.headers.remove(header::HOST);
    let length = content.len().filter(|length| *length > 0);
    let fields = write_fields(&head.headers, length)?;
    let (contents, trailers, whole) = outgoing(content);
    let (wire, _transmission) = types::Request::new(fields, contents, trailers, None);
    let scheme = head.uri.scheme().context("the URI has no scheme")?;
    let authority = head.uri.authority().context("the URI has no authority")?;
    wire.set_method(&write_method(&head.method))
        .and_then(|()| wire.set_scheme(Some(&write_scheme(scheme))))
        .and_then(|()| wire.set_authority(Some(authority.as_str())))
        .and_then(|()| {
            let path = head.uri.path_and_query().map(PathAndQuery::as_str);
            wire.set_path_with_query(path)
        })
        .map_err(|()| Error::msg("the host refuses its method or URI"))?;
    if let Some(whole) = whole {
        whole.write();
    }
    Ok(wire)
}

pub(super) fn read_response(wire: types::Response) -> Result<Response, SendError> {
    let status = StatusCode::from_u16(wire.get_status_code())
        .map_err(|error| SendError::Invalid(error.to_string()))?;
    let headers = read_fields(&wire.get_headers());
    let mut response = Response::new(Body::incoming(Message::Response(wire)));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}

/// A body as `wasi:http` takes it, and what is to be written when it has.
type Outgoing = (
    Option<StreamReader<u8>>,
    FutureReader<WireEnding>,
    Option<Whole>,
);

fn outgoing(content: Content) -> Outgoing {
    match content.into_parts() {
        Ok(parts) => (Some(parts.stream), parts.ending.into_wire(), None),
        Err(bytes) => {
            let (contents, trailers, whole) = whole::open(bytes);
            (contents, trailers, Some(whole))
        }
    }
}

/// What the `http` crate refuses is left out; the host lets nothing through
/// that it would refuse.
pub(super) fn read_fields(fields: &Fields) -> HeaderMap {
    let fields = fields.copy_all().into_iter();
    let fields = fields.filter_map(|(name, value)| {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        Some((
            name,
            HeaderValue::from_maybe_shared(Bytes::from(value)).ok()?,
        ))
    });
    fields.collect()
}

/// The fields, and with them the length of a body, if that is to be said. Without it
/// the host would have to send one in chunks that it does not take at once.
pub(super) fn write_fields(headers: &HeaderMap, length: Option<usize>) -> Result<Fields> {
    const REFUSED: &str = "the host refuses the header fields";
    // One by one, as they lie: a list of them would have to be made first.
    let fields = Fields::new();
    for (name, value) in headers {
        fields
            .append(name.as_str(), value.as_bytes())
            .context(REFUSED)?;
    }
    if let Some(length) = length
        && !headers.contains_key(header::CONTENT_LENGTH)
    {
        let length = HeaderValue::from(length);
        fields
            .append(header::CONTENT_LENGTH.as_str(), length.as_bytes())
            .context(REFUSED)?;
    }
    Ok(fields)
}

pub(super) fn read_method(method: types::Method) -> Option<Method> {
    Some(match method {
        types::Method::Get => Method::GET,
        types::Method::Head => Method::HEAD,
        types::Method::Post => Method::POST,
        types::Method::Put => Method::PUT,
        types::Method::Delete => Method::DELETE,
        types::Method::Connect => Method::CONNECT,
        types::Method::Options => Method::OPTIONS,
        types::Method::Trace => Method::TRACE,
        types::Method::Patch => Method::PATCH,
        types::Method::Other(method) => Method::from_bytes(method.as_bytes()).ok()?,
    })
}

fn write_method(method: &Method) -> types::Method {
    match *method {
        Method::GET => types::Method::Get,
        Method::HEAD => types::Method::Head,
        Method::POST => types::Method::Post,
        Method::PUT => types::Method::Put,
        Method::DELETE => types::Method::Delete,
        Method::CONNECT => types::Method::Connect,
        Method::OPTIONS => types::Method::Options,
        Method::TRACE => types::Method::Trace,
        Method::PATCH => types::Method::Patch,
        ref other => types::Method::Other(other.as_str().to_owned()),
    }
}

fn write_scheme(scheme: &Scheme) -> types::Scheme {
    match scheme.as_str() {
        "http" => types::Scheme::Http,
        "https" => types::Scheme::Https,
        other => types::Scheme::Other(other.to_owned()),
    }
}

/// An error of `wasi:http` in words: the name of its case, or its own text.
pub(super) fn describe(code: &ErrorCode) -> String {
    match code {
        ErrorCode::InternalError(Some(text)) => text.clone(),
        code => format!("{code:?}").replace("ErrorCode::", ""),
    }
}
