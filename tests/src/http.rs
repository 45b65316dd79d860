//! HTTP requests to the host.

use std::net::SocketAddr;

use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use crate::host::Host;
use crate::wait::patiently;

/// A body of a request.
pub type Body = BoxBody<Bytes, std::io::Error>;

/// A whole response.
#[derive(Debug)]
pub struct Response {
    /// Status.
    pub status: StatusCode,
    /// Header fields.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
}

impl Response {
    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("UTF-8")
    }

    /// A header field's value, empty if there is none.
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().expect("ASCII"))
    }
}

/// A body that is there at once.
pub fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into())
        .map_err(|never| match never {})
        .boxed()
}

/// A body that is sent piece by piece; it ends when the sender is dropped.
pub fn streamed() -> (mpsc::Sender<Bytes>, Body) {
    let (sender, receiver) = mpsc::channel(1);
    let pieces = stream::unfold(receiver, |mut receiver| async move {
        let piece = receiver.recv().await?;
        Some((Ok(Frame::data(piece)), receiver))
    });
    (sender, BodyExt::boxed(StreamBody::new(pieces)))
}

/// Waits for the next piece of a response's body; none at its end.
pub async fn piece(body: &mut Incoming) -> Option<Bytes> {
    loop {
        let frame = patiently("a piece of the body", body.frame()).await?;
        // HTTP/2 may end a body by an empty piece.
        match frame.expect("a whole body").into_data() {
            Ok(data) if !data.is_empty() => return Some(data),
            _ => {}
        }
    }
}

/// Sends a GET and reads the whole answer.
pub async fn get(host: &Host, path: &str) -> Response {
    whole(host, request("GET", path, full(""))).await
}

/// Sends a POST and reads the whole answer.
pub async fn post(host: &Host, path: &str, body: impl Into<Bytes>) -> Response {
    whole(host, request("POST", path, full(body))).await
}

/// A request with the header fields that every request needs.
pub fn request(method: &str, path: &str, body: Body) -> Request<Body> {
    Request::builder()
        .method(method)
        .uri(path)
        .header("host", "test.example")
        .body(body)
        .expect("a request")
}

/// Sends a request and reads the whole answer.
pub async fn whole(host: &Host, request: Request<Body>) -> Response {
    let response = send(host, request).await.expect("an answer");
    let (head, body) = response.into_parts();
    let body = patiently("the body", body.collect()).await.expect("a body");
    Response {
        status: head.status,
        headers: head.headers,
        body: body.to_bytes(),
    }
}

/// A client that keeps its connection.
#[derive(Debug)]
pub struct Client(http1::SendRequest<Body>);

impl Client {
    /// Connects.
    pub async fn connect(host: &Host) -> Self {
        Self::connect_to(host.address()).await
    }

    /// Connects to the host at this address.
    pub async fn connect_to(address: SocketAddr) -> Self {
        let stream = TokioIo::new(connect_to(address).await);
        let (sender, connection) = http1::handshake(stream).await.expect("HTTP/1.1");
        tokio::spawn(connection);
        Self(sender)
    }

    /// Sends a GET and reads the whole answer; an error if the host has ended
    /// the connection.
    pub async fn get(&mut self, path: &str) -> Result<Response, hyper::Error> {
        self.send(request("GET", path, full(""))).await
    }

    /// The same for any request.
    pub async fn send(&mut self, request: Request<Body>) -> Result<Response, hyper::Error> {
        patiently("room for a request", self.0.ready()).await?;
        let sending = self.0.send_request(request);
        let (head, body) = patiently("an answer", sending).await?.into_parts();
        let body = patiently("the body", body.collect()).await?;
        Ok(Response {
            status: head.status,
            headers: head.headers,
            body: body.to_bytes(),
        })
    }
}

/// Sends a request on a connection of its own, and returns the answer as soon as
/// its head is there.
pub async fn send(
    host: &Host,
    request: Request<Body>,
) -> Result<http::Response<Incoming>, hyper::Error> {
    let stream = connect(host).await;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    patiently("an answer", sender.send_request(request)).await
}

/// The same over HTTP/2, with prior knowledge (RFC 9113, section 3.3).
pub async fn send_http2(
    host: &Host,
    request: Request<Body>,
) -> Result<http::Response<Incoming>, hyper::Error> {
    let io = TokioIo::new(connect(host).await);
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), io).await?;
    tokio::spawn(connection);
    patiently("an answer", sender.send_request(request)).await
}

/// A TCP connection to the host.
pub async fn connect(host: &Host) -> TcpStream {
    connect_to(host.address()).await
}

/// The same to the host at this address.
pub async fn connect_to(address: SocketAddr) -> TcpStream {
    let stream = patiently("a connection", TcpStream::connect(address))
        .await
        .expect("a connection");
    // Two messages in a row would otherwise wait for the host's acknowledgement.
    stream.set_nodelay(true).expect("an open connection");
    stream
}
