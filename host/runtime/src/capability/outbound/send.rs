//! One request to one host: look up, check the address, connect, encrypt, send.

use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Uri};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use wasmtime_wasi_http::io::TokioIo;
use wasmtime_wasi_http::{Error, WasiBody};

use super::Answer;
use super::address::is_public;
use super::tls::public_tls;

/// Head of a response, in bytes.
const HEAD_BYTES_MAX: u32 = 64 << 10;

/// Limits of one request.
pub(super) struct Limits {
    pub(super) connect: Duration,
    pub(super) first_byte: Duration,
    pub(super) between_bytes: Duration,
    pub(super) body_bytes_max: u64,
    /// One of those that the plugin has; kept until the response is complete.
    pub(super) _permit: OwnedSemaphorePermit,
}

/// Where a request goes.
pub(super) struct Target {
    /// Name or address, without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) tls: bool,
    /// Whether an address that is not of the public internet is allowed.
    pub(super) local: bool,
}

/// Sends a request and waits for the head of its response. The returned future
/// drives the connection until the response's body is complete.
pub(super) async fn send(target: Target, request: Request<WasiBody>, limits: Limits) -> Answer {
    let stream = timeout(limits.connect, connect(&target))
        .await
        .map_err(|_| Error::ConnectionTimeout)??;
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(HEAD_BYTES_MAX as usize)
        .handshake(TokioIo::new(stream))
        .await?;
    let mut progress: BoxFuture<'static, _> = Box::pin(async move { Ok(connection.await?) });
    let mut sent = std::pin::pin!(timeout(
        limits.first_byte,
        sender.send_request(origin_form(request))
    ));
    let response = tokio::select! {
        biased;
        response = &mut sent => response,
        // The connection may end as soon as it has given the response away.
        ended = &mut progress => {
            ended.map_err(head_error)?;
            progress = Box::pin(async { Ok(()) });
            sent.await
        }
    };
    let response = response.map_err(|_| Error::ConnectionReadTimeout)?;
    let response = response.map_err(|error| head_error(error.into()))?;
    let response = response.map(|body| LimitedBody::new(body, limits).boxed_unsync());
    Ok((response, Box::new(progress)))
}

/// Why there is no head of a response.
fn head_error(error: Error) -> Error {
    match error {
        Error::Hyper(error) if error.is_parse_too_large() => {
            Error::HttpResponseHeaderSectionSize(Some(HEAD_BYTES_MAX))
        }
        other => other,
    }
}

/// The request without scheme and authority, as a server expects it (RFC 9112,
/// section 3.2.1).
fn origin_form(mut request: Request<WasiBody>) -> Request<WasiBody> {
    let path = request.uri().path_and_query().cloned();
    *request.uri_mut() = path.map_or_else(|| Uri::from_static("/"), Uri::from);
    request
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

async fn connect(target: &Target) -> Result<Box<dyn Stream>, Error> {
    let stream = connect_tcp(target).await?;
    if !target.tls {
        return Ok(Box::new(stream));
    }
    let name = ServerName::try_from(target.host.clone()).map_err(|_| Error::DestinationNotFound)?;
    let connector = TlsConnector::from(public_tls());
    let stream = connector.connect(name, stream).await.map_err(Error::Tls)?;
    Ok(Box::new(stream))
}

async fn connect_tcp(target: &Target) -> Result<TcpStream, Error> {
    let addresses = tokio::net::lookup_host((target.host.as_str(), target.port))
        .await
        .map_err(|_| Error::DnsError {
            rcode: None,
            info_code: None,
        })?;
    connect_to_one(addresses, target.local).await
}

/// Connects to one of the addresses for which a name has stood when it was looked
/// up, once. Each is checked itself, so that a name can't be made to mean
/// something else in between.
async fn connect_to_one(
    addresses: impl Iterator<Item = SocketAddr>,
    allows_local: bool,
) -> Result<TcpStream, Error> {
    let mut refused = Error::DestinationNotFound;
    for address in addresses {
        if !(allows_local || is_public(address.ip())) {
            refused = Error::DestinationIpProhibited;
            continue;
        }
        match TcpStream::connect(address).await {
            Ok(stream) => {
                // Requests are written whole; waiting for more would only delay.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(error) => refused = Error::Connect(error),
        }
    }
    Err(refused)
}

/// A response's body with limits of its size, and of the time between its frames.
struct LimitedBody {
    inner: Incoming,
    limits: Limits,
    bytes_left: u64,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl LimitedBody {
    fn new(inner: Incoming, limits: Limits) -> Self {
        Self {
            inner,
            bytes_left: limits.body_bytes_max,
            limits,
            sleep: None,
        }
    }

    /// Counts a frame.
    fn take(&mut self, frame: Frame<Bytes>) -> Result<Frame<Bytes>, Error> {
        let len = frame.data_ref().map_or(0, Bytes::len) as u64;
        let left = self.bytes_left.checked_sub(len);
        let max = self.limits.body_bytes_max;
        self.bytes_left = left.ok_or(Error::HttpResponseBodySize(Some(max)))?;
        Ok(frame)
    }
}

impl Body for LimitedBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(context) {
            self.sleep = None;
            return Poll::Ready(frame.map(|frame| self.take(frame?)));
        }
        let deadline = Instant::now() + self.limits.between_bytes;
        let sleep = self
            .sleep
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        ready!(sleep.as_mut().poll(context));
        Poll::Ready(Some(Err(Error::ConnectionReadTimeout)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_means_an_address_of_ours_too_does_not_reach_it() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build();
        runtime.unwrap().block_on(async {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let ours = listener.local_addr().unwrap();
            let mapped = SocketAddr::new("::ffff:127.0.0.1".parse().unwrap(), ours.port());
            for addresses in [vec![ours], vec![ours, mapped, ours], vec![mapped]] {
                let refused = connect_to_one(addresses.into_iter(), false).await;
                assert!(
                    matches!(refused, Err(Error::DestinationIpProhibited)),
                    "{refused:?}"
                );
            }
            listener.set_nonblocking(true).unwrap();
            assert!(listener.accept().is_err(), "nobody has come");
            assert!(connect_to_one([ours].into_iter(), true).await.is_ok());
            assert!(listener.accept().is_ok());
        });
    }
}
