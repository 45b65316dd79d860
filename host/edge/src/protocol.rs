//! Which protocol a client speaks.
//!
//! Over TLS the client has chosen in its handshake. Without TLS, HTTP/1.1 and
//! HTTP/2 with prior knowledge (RFC 9113, section 3.3) share a port: the first
//! bytes tell them apart.

use std::cell::{OnceCell, RefCell};
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use crate::drain::Drain;
use crate::entrance::Speech;
use crate::event_loop::Ticket;
use crate::http::Http;
use crate::listen::{Accepted, Load};
use crate::origin::Origin;
use crate::proxy;
use crate::stream::{Begun, Stream};
use crate::{http1, http2};

/// Time that a new connection has for its first request when the shut-down has
/// started.
const LATE_TIMEOUT: Duration = Duration::from_millis(250);
/// Time a client has to take our last response when its request was refused
/// half-way.
pub(crate) const LINGER_TIMEOUT: Duration = Duration::from_secs(2);
/// With it an HTTP/2 connection begins (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Serves one connection to its end, or until it is a WebSocket.
pub(crate) async fn serve(event_loop: Ticket, accepted: Accepted, drain: Drain) {
    let remote = accepted.address;
    match converse(event_loop, accepted, drain).await {
        Ok(()) => {}
        Err(error) => tracing::debug!(?remote, %error, "a connection broke"),
    }
}

/// Why a connection broke.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

async fn converse(event_loop: Ticket, accepted: Accepted, mut drain: Drain) -> Result<(), Failure> {
    let entrance = Arc::clone(&accepted.entrance);
    let Entered {
        mut stream,
        origin,
        http2,
        load,
    } = tokio::select! {
        biased;
        // Boxed, since it is large, and soon over.
        entered = Box::pin(enter(&event_loop, accepted)) => entered?,
        // It has sent no request yet.
        _ = drain.started() => return Ok(()),
    };
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
    let is_http2 = match http2 {
        Http2::Chosen => true,
        Http2::ByPreface => first.starts_with(PREFACE),
        Http2::No => false,
    };
    let http = Http {
        event_loop,
        origin: Rc::new(origin),
        ending: Rc::default(),
    };
    let stream = Begun { first, stream };
    match is_http2 {
        true => http2::serve(stream, http, load, &entrance.http2, drain).await,
        false => http1::serve(stream, http, load, drain).await,
    }
}

/// Whether a client may speak HTTP/2.
enum Http2 {
    /// It has said so in its TLS handshake.
    Chosen,
    /// If it begins so.
    ByPreface,
    No,
}

/// A connection after what comes before HTTP.
struct Entered {
    stream: Stream,
    origin: Origin,
    http2: Http2,
    load: Load,
}

/// What comes before HTTP.
async fn enter(event_loop: &Ticket, accepted: Accepted) -> Result<Entered, Failure> {
    let Accepted {
        stream,
        address,
        believed,
        entrance,
        mut load,
    } = accepted;
    let mut stream = Stream::from_arriving(stream)?;
    let mut origin = Origin {
        client: address,
        believed,
        proxies: Arc::clone(&entrance.proxies),
        is_encrypted: false,
        subject: None,
        redirect_port: entrance.redirect_port(),
        address: OnceCell::new(),
    };
    if entrance.proxy_protocol {
        load = introduce(&mut stream, &mut origin, load).await?;
    }
    let http2 = match &entrance.speech {
        Speech::Plain { h2c: true } | Speech::Redirect(_) => Http2::ByPreface,
        Speech::Plain { h2c: false } => Http2::No,
        Speech::Tls(tls) => {
            let Stream::Tcp(tcp) = stream else {
                return Err("TLS is spoken over TCP alone".into());
            };
            let secured = tls.accept(tcp).await.inspect_err(|error| {
                event_loop.hub.metrics().note_tls_failure(error.kind());
            })?;
            stream = Stream::of_tls(secured.stream);
            origin.is_encrypted = true;
            origin.subject = secured.subject;
            match secured.is_http2 {
                true => Http2::Chosen,
                false => Http2::No,
            }
        }
    };
    Ok(Entered {
        stream,
        origin,
        http2,
        load,
    })
}

/// Lets a proxy say for whom it has connected. From then on that one is the
/// client, who is believed only if it is a proxy as well.
async fn introduce(stream: &mut Stream, origin: &mut Origin, load: Load) -> Result<Load, Failure> {
    let Some(addresses) = origin.believed.clone() else {
        return Err("it is no proxy that is believed".into());
    };
    let time = Duration::from_millis(origin.proxies.header_timeout_ms);
    let Some(client) = timeout(time, proxy::read(stream)).await?? else {
        return Ok(load);
    };
    origin.client = Some(client);
    if origin.proxies.trusts(Some(client.ip())) {
        return Ok(load);
    }
    origin.believed = None;
    let place = addresses.enter(client.ip());
    let place = place.map_err(|_| "its client has too many connections")?;
    Ok(load.counted(place))
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

/// Ends a connection. A client that is still sending is listened to for a while,
/// or the kernel would take back our last words.
pub(crate) async fn end(
    event_loop: &Ticket,
    mut stream: Stream,
    is_sending: bool,
) -> io::Result<()> {
    // Over TLS the last words may have to wait for a client that does not read.
    timeout(LINGER_TIMEOUT, stream.shutdown()).await??;
    if is_sending {
        let _ = timeout(LINGER_TIMEOUT, event_loop.linger(&RefCell::new(stream))).await;
    }
    Ok(())
}
