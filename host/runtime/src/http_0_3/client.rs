//! Requests which guests send.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::header::HOST;
use http::uri::Scheme;
use http::{HeaderMap, HeaderValue, Uri};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use tokio::task::JoinHandle;
use wasmtime::component::{Accessor, Resource};
use wasmtime_wasi::TrappableError;
use wasmtime_wasi_http::p3::bindings::http::client::{Host, HostWithStore};
use wasmtime_wasi_http::p3::bindings::http::types::{self, ErrorCode};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use super::error::code;
use super::fields::FieldMap;
use super::request::Request;
use super::response::{Body, Response};
use super::{Http, View};
use crate::guest::Guest;

type Failed = TrappableError<ErrorCode>;

impl Host for View<'_> {}

impl HostWithStore<Guest> for Http {
    async fn send(
        store: &Accessor<Guest, Self>,
        request: Resource<types::Request>,
    ) -> Result<Resource<types::Response>, Failed> {
        let sent = store.with(|mut access| {
            let sent = send(&mut access.get(), request);
            sent.map_err(TrappableError::trap)
        })?;
        let response = sent.await?;
        store.with(|mut access| {
            let response = received(&mut access.get(), response);
            response.map_err(TrappableError::trap)
        })
    }
}

/// A response that comes from somebody else, or why there is none.
pub(crate) type Answer = Result<http::Response<WasiBody>, ErrorCode>;

/// Begins to send a request.
pub(super) fn send(
    view: &mut View<'_>,
    request: Resource<types::Request>,
) -> wasmtime::Result<Sending> {
    let answer = match assemble(view.table.requests.take(request)?) {
        Ok((request, options)) => {
            let received = Box::new(std::future::ready(Ok(())));
            Ok(view.outbound.send_request(request, options, received))
        }
        Err(code) => Err(code),
    };
    Ok(Box::pin(async {
        let (response, progress) = Box::into_pin(answer?).await.map_err(|it| code(&it))?;
        let (head, body) = response.into_parts();
        let body = driven(body, Box::into_pin(progress)).map_err(|it| code(&it))?;
        Ok(http::Response::from_parts(head, body))
    }))
}

/// A request on its way.
pub(crate) type Sending = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// The response for a guest.
pub(crate) fn received(
    view: &mut View<'_>,
    response: http::Response<WasiBody>,
) -> wasmtime::Result<Resource<types::Response>> {
    let (head, body) = response.into_parts();
    view.table.responses.push(Response {
        status: head.status,
        headers: FieldMap::received(head.headers),
        body: Body::Host(body),
    })
}

type Assembled = (http::Request<WasiBody>, Option<RequestOptions>);

/// The request with its target as one URI and in the Host field.
fn assemble(mut request: Request) -> Result<Assembled, ErrorCode> {
    let mut headers = HeaderMap::from(std::mem::take(request.headers()));
    let authority = request.authority().take();
    let scheme = request.scheme.unwrap_or(Scheme::HTTPS);
    if scheme != Scheme::HTTP && scheme != Scheme::HTTPS {
        return Err(ErrorCode::HttpProtocolError);
    }
    let host = authority.as_ref().map_or("", |it| it.as_str());
    let host = HeaderValue::try_from(host);
    let host = host.map_err(|error| ErrorCode::InternalError(Some(error.to_string())))?;
    let mut uri = http::uri::Parts::default();
    uri.scheme = Some(scheme);
    uri.authority = authority;
    uri.path_and_query = request.path_with_query;
    let uri = Uri::from_parts(uri).map_err(|_| ErrorCode::HttpRequestUriInvalid)?;
    headers.append(HOST, host);
    let mut assembled = http::Request::new(request.body.into());
    *assembled.method_mut() = request.method;
    *assembled.uri_mut() = uri;
    *assembled.headers_mut() = headers;
    Ok((assembled, request.options.as_deref().copied()))
}

type Progress = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

/// The body, and with it whatever drives its connection.
fn driven(body: WasiBody, mut progress: Progress) -> Result<WasiBody, Error> {
    match progress
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(ended) => ended.map(|()| body),
        Poll::Pending => {
            let driver = Driver(tokio::spawn(async {
                // The body tells of the connection's end.
                let _ = progress.await;
            }));
            let driven = Driven {
                body,
                _driver: driver,
            };
            Ok(driven.boxed_unsync())
        }
    }
}

struct Driven {
    body: WasiBody,
    _driver: Driver,
}

/// Ends its task when nobody wants the response any more.
struct Driver(JoinHandle<()>);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl http_body::Body for Driven {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
