//! Failures of guests, in the log and as HTTP responses. The details go to the
//! log; a client learns no more than it can act on.

use bytes::Bytes;
use holdfast_core::event::{Body, Failure};
use holdfast_core::{ConnectionId, RequestId, Settings};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::{BodyExt, Full};

/// Seconds after which a client may come back to an overloaded host.
const RETRY_AFTER_S: HeaderValue = HeaderValue::from_static("1");

/// What an event was about.
#[derive(Clone, Copy, Default)]
pub(crate) struct About<'a> {
    pub(crate) connection: Option<ConnectionId>,
    pub(crate) request_id: Option<&'a str>,
}

impl<'a> About<'a> {
    /// Of an HTTP request.
    pub(crate) fn request(id: &'a RequestId) -> Self {
        Self {
            request_id: Some(id.as_str()),
            ..Self::default()
        }
    }

    /// Of a connection.
    pub(crate) fn connection(id: ConnectionId) -> Self {
        Self {
            connection: Some(id),
            ..Self::default()
        }
    }
}

/// Logs a failed event, unless the plugin has filled its part of the log.
pub(crate) fn failure(settings: &Settings, about: About<'_>, failure: &Failure) {
    let (plugin, tenant) = (&*settings.name, &*settings.tenant_name);
    let generation = settings.generation;
    let connection = about.connection.map(tracing::field::display);
    let request_id = about.request_id;
    let text = failure.to_string();
    macro_rules! at {
        ($level:ident) => {
            tracing::$level!(plugin, tenant, generation, connection, request_id, "{text}")
        };
    }
    if let Failure::NoHandler | Failure::Disrupted = failure {
        at!(debug);
        return;
    }
    let Some(dropped) = settings.may_log(text.len()) else {
        return;
    };
    if dropped > 0 {
        tracing::warn!(plugin, tenant, dropped, "too many lines for the log");
    }
    match failure {
        Failure::Trap(_) => at!(error),
        _ => at!(warn),
    }
}

/// The response that stands for a failed event.
pub(crate) fn response(failure: &Failure) -> Response<Body> {
    match failure {
        Failure::NoHandler => not_found(),
        Failure::Trap(_) | Failure::Disrupted | Failure::Handler(_) => internal_error(),
        Failure::Timeout(_) => text(StatusCode::GATEWAY_TIMEOUT, "The request took too long."),
        Failure::Overloaded(_) => unavailable(),
    }
}

/// 404.
pub(crate) fn not_found() -> Response<Body> {
    text(StatusCode::NOT_FOUND, "There is nothing here.")
}

/// 204.
pub(crate) fn no_content() -> Response<Body> {
    let mut response = Response::new(Body::default());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// 500.
pub(crate) fn internal_error() -> Response<Body> {
    text(
        StatusCode::INTERNAL_SERVER_ERROR,
        "The request failed on the server's side.",
    )
}

/// 503, to be tried again.
pub(crate) fn unavailable() -> Response<Body> {
    let mut response = text(
        StatusCode::SERVICE_UNAVAILABLE,
        "The server is busy. Try again later.",
    );
    response.headers_mut().insert(RETRY_AFTER, RETRY_AFTER_S);
    response
}

/// 500, with a page for the developer.
pub(crate) fn fault_page(page: Bytes) -> Response<Body> {
    let mut response = Response::new(full(page));
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    let headers = response.headers_mut();
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    headers.insert(CONTENT_TYPE, html);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A plain text.
pub(crate) fn text(status: StatusCode, text: &str) -> Response<Body> {
    let mut response = Response::new(full(Bytes::from(format!("{text}\n"))));
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    response
}

/// A body that is all there.
pub(crate) fn full(bytes: Bytes) -> Body {
    Full::new(bytes)
        .map_err(|never| match never {})
        .boxed_unsync()
}
