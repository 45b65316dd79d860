//! Which protocol a client speaks, and hyper's part of it.
//!
//! HTTP/1.1 and HTTP/2 with prior knowledge (RFC 9113, section 3.3) share a
//! port: the first bytes tell them apart. TLS and the PROXY protocol will come
//! before that.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::AsyncWrite;
use tokio::time::{Instant, timeout, timeout_at};

use crate::drain::Drain;
use crate::event_loop::Ticket;
use crate::guard::Guarded;
use crate::http::Http;
use crate::listen::{Accepted, Load};
use crate::socket::Transport;
use crate::stream::{Begun, Stream};

/// Time that a new connection has for its first request when the shut-down has
/// started.
const LATE_TIMEOUT: Duration = Duration::from_millis(250);
/// Time a client has to take our last response when its request was refused
/// half-way.
const LINGER_TIMEOUT: Duration = Duration::from_secs(2);
/// With it an HTTP/2 connection begins (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Serves one connection to its end, or until it is a WebSocket.
pub(crate) async fn serve(event_loop: Ticket, accepted: Accepted, drain: Drain) {
    let remote = accepted.address;
    match converse(event_loop, accepted, drain).await {
        Ok(()) => {}
        Err(error) => tracing::debug!(%remote, %error, "a connection broke"),
    }
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

async fn converse(event_loop: Ticket, accepted: Accepted, mut drain: Drain) -> Result<(), Failure> {
    let mut stream = Stream::from_std(accepted.stream)?;
    let head_timeout = Duration::from_millis(event_loop.hub.heads().timeout_ms);
    let first = {
        let mut first = std::pin::pin!(first_bytes(&event_loop, &mut stream));
        tokio::select! {
            biased;
            first = timeout(head_timeout, first.as_mut()) => first??,
            // It may have sent a request which we have not seen, or was opened for
            // later.
            _ = drain.started() => match timeout(LATE_TIMEOUT, first).await {
                Ok(first) => first?,
                Err(_) => return Ok(()),
            },
        }
    };
    if first.is_empty() {
        return Ok(());
    }
    let http = Http {
        event_loop,
        remote: accepted.address,
        ending: Rc::default(),
    };
    let is_http2 = first.starts_with(PREFACE);
    let stream = Begun { first, stream };
    match is_http2 {
        true => serve_http2(stream, http, drain).await,
        false => serve_http1(stream, http, accepted.load, drain).await,
    }
}

/// The first bytes: enough of them to know the protocol.
async fn first_bytes(event_loop: &Ticket, stream: &mut Stream) -> io::Result<Bytes> {
    let read = poll_fn(|context| event_loop.poll_read(context, stream, Bytes::copy_from_slice));
    let first = read.await?;
    if first.is_empty() || first.len() >= PREFACE.len() || !PREFACE.starts_with(&first) {
        return Ok(first);
    }
    let mut first = BytesMut::from(first);
    while first.len() < PREFACE.len() && PREFACE.starts_with(&first) {
        let read = poll_fn(|context| event_loop.poll_read(context, stream, Bytes::copy_from_slice));
        let more = read.await?;
        if more.is_empty() {
            break;
        }
        first.extend_from_slice(&more);
    }
    Ok(first.freeze())
}

async fn serve_http1(
    begun: Begun,
    http: Http,
    load: Load,
    mut drain: Drain,
) -> Result<(), Failure> {
    let ending = http.ending.clone();
    let event_loop = http.event_loop.another();
    let heads = *http.event_loop.hub.heads();
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(heads.timeout_ms))
        .max_headers(heads.fields_max as usize)
        .max_header_size(heads.bytes_max)
        .max_buf_size(heads.bytes_max)
        .serve_connection(TokioIo::new(Guarded::new(begun)), http);
    let mut ended = tokio::select! {
        biased;
        ended = poll_fn(|context| connection.poll_without_shutdown(context)) => Ok(ended),
        deadline = drain.started() => Err(deadline),
    };
    if let Err(deadline) = ended {
        Pin::new(&mut connection).graceful_shutdown();
        let end = poll_fn(|context| connection.poll_without_shutdown(context));
        ended = Ok(timeout_at(deadline, end).await?);
    }
    let parts = connection.into_parts();
    let (stream, first) = parts.io.into_inner().into_parts();
    if let Ok(Err(error)) = ended {
        // The client may have been told why.
        if error.is_parse() {
            end(&event_loop, stream, true).await?;
        }
        return Err(error.into());
    }
    if let Some(upgrade) = ending.upgrade.take() {
        // What hyper has not read yet follows what it has. Copied, since even
        // an empty part would keep all of hyper's buffer alive.
        let rest = Bytes::from([parts.read_buf, first].concat());
        let _ = upgrade.send(Transport { stream, rest, load });
        return Ok(());
    }
    Ok(end(&event_loop, stream, ending.refused.get()).await?)
}

/// Ends a connection. A client that is still sending is listened to for a while,
/// or the kernel would take back our last words.
async fn end(event_loop: &Ticket, mut stream: Stream, is_sending: bool) -> io::Result<()> {
    poll_fn(|context| AsyncWrite::poll_shutdown(Pin::new(&mut stream), context)).await?;
    if is_sending {
        let _ = timeout(LINGER_TIMEOUT, event_loop.linger(&RefCell::new(stream))).await;
    }
    Ok(())
}

async fn serve_http2(stream: Begun, http: Http, mut drain: Drain) -> Result<(), Failure> {
    let connection = http2::Builder::new(LocalExecutor)
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), http);
    let mut connection = std::pin::pin!(connection);
    let deadline: Instant = tokio::select! {
        biased;
        ended = connection.as_mut() => return Ok(ended?),
        deadline = drain.started() => deadline,
    };
    connection.as_mut().graceful_shutdown();
    Ok(timeout_at(deadline, connection).await??)
}

/// Runs what hyper needs to run on the loop of the connection.
#[derive(Clone, Copy)]
struct LocalExecutor;

impl<F: Future<Output: 'static> + 'static> hyper::rt::Executor<F> for LocalExecutor {
    fn execute(&self, future: F) {
        tokio::task::spawn_local(future);
    }
}
