//! HTTP/2 (RFC 9113): hyper's part of it, and what hyper leaves to us: a client
//! that does nothing, or that makes the host work for nothing.

mod frames;

use std::cell::Cell;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use holdfast_core::event::{Body, BodyError};
use holdfast_core::limits::Http2Limits;
use http::request::Parts;
use http::{Request, Response, StatusCode};
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use hyper::ext::Protocol;
use hyper::server::conn::http2;
use hyper::service::Service;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use crate::addresses::Place;
use crate::body::Coming;
use crate::drain::Drain;
use crate::http::{Answered, Http};
use crate::listen::Load;
use crate::patient::Patient;
use crate::protocol::Failure;
use crate::report;
use crate::socket::Transport;
use crate::stream::{Begun, Stream};

use frames::Watched;

/// The largest frame that is taken; the smallest there may be (section 4.2).
const FRAME_BYTES_MAX: u32 = 16 << 10;
/// Time a client has to end an idle connection when it was told to.
const END_TIMEOUT: Duration = Duration::from_secs(10);

/// Serves a connection to its end: its requests, and the WebSockets in it.
pub(crate) async fn serve(
    stream: Begun,
    http: Http,
    load: Load,
    limits: &Http2Limits,
    mut drain: Drain,
) -> Result<(), Failure> {
    let streams = Rc::<Streams>::default();
    let stream = Patient::new(
        Watched::new(stream, limits, &http.event_loop.hub),
        http.ending.clone(),
    );
    let service = Streaming {
        http,
        load,
        streams: Rc::clone(&streams),
    };
    let connection = builder(limits).serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let idle_timeout = Duration::from_millis(limits.idle_timeout_ms);
    let deadline = tokio::select! {
        biased;
        ended = connection.as_mut() => return Ok(ended?),
        deadline = drain.started() => deadline,
        () = streams.idle(idle_timeout) => {
            connection.as_mut().graceful_shutdown();
            streams.begin_anew();
            tokio::select! {
                biased;
                ended = connection.as_mut() => return Ok(ended?),
                deadline = drain.started() => deadline,
                // What has begun before the client knew goes on.
                () = streams.idle(END_TIMEOUT) => return Ok(()),
            }
        }
    };
    connection.as_mut().graceful_shutdown();
    Ok(timeout_at(deadline, connection).await??)
}

fn builder(limits: &Http2Limits) -> http2::Builder<LocalExecutor> {
    let ping_interval = match limits.ping_interval_ms {
        0 => None,
        interval_ms => Some(Duration::from_millis(interval_ms)),
    };
    let mut builder = http2::Builder::new(LocalExecutor);
    builder
        .timer(TokioTimer::new())
        .enable_connect_protocol()
        .max_frame_size(FRAME_BYTES_MAX)
        .max_concurrent_streams(limits.streams_max)
        .max_header_list_size(limits.header_list_bytes_max)
        .initial_stream_window_size(limits.window_bytes)
        .initial_connection_window_size(limits.connection_window_bytes)
        .max_send_buf_size(limits.send_buffer_bytes_max as usize)
        .max_pending_accept_reset_streams(limits.resets_pending_max as usize)
        .max_local_error_reset_streams(limits.error_resets_max as usize)
        .keep_alive_interval(ping_interval)
        .keep_alive_timeout(Duration::from_millis(limits.ping_timeout_ms));
    builder
}

/// For fuzzing: looks at frames that come in pieces, until there are too many.
pub(crate) fn watch<'a>(pieces: impl Iterator<Item = &'a [u8]>, limits: &Http2Limits) {
    frames::watch(pieces, limits);
}

/// How many streams are at work.
struct Streams {
    count: Cell<usize>,
    /// Since when there is none.
    idle_since: Cell<Instant>,
}

impl Default for Streams {
    fn default() -> Self {
        Self {
            count: Cell::new(0),
            idle_since: Cell::new(Instant::now()),
        }
    }
}

impl Streams {
    /// What was is not counted.
    fn begin_anew(&self) {
        self.idle_since.set(Instant::now());
    }

    /// Waits until there has been none for so long.
    async fn idle(&self, time: Duration) {
        loop {
            let now = Instant::now();
            let since = match self.count.get() {
                0 => self.idle_since.get(),
                _ => now,
            };
            let due = since + time;
            if due <= now {
                return;
            }
            tokio::time::sleep_until(due).await;
        }
    }
}

/// A stream that is at work for as long as this lives.
pub(crate) struct Open(Rc<Streams>);

impl Open {
    fn new(streams: &Rc<Streams>) -> Self {
        streams.count.update(|count| count + 1);
        Self(Rc::clone(streams))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.count.update(|count| count - 1);
        if self.0.count.get() == 0 {
            self.0.idle_since.set(Instant::now());
        }
    }
}

/// What a WebSocket needs that is a stream of HTTP/2 (RFC 8441).
pub(crate) struct Tunnel {
    upgrade: OnUpgrade,
    load: Load,
    open: Open,
}

impl Tunnel {
    /// The same, counted for the client of a proxy.
    pub(crate) fn of(mut self, place: Option<Box<Place>>) -> Self {
        self.load = self.load.counted(place);
        self
    }

    /// Hands over what it leads to, when the 200 is on its way. Nothing, if the
    /// client is gone by then.
    pub(crate) fn hand_over(self, receiver: oneshot::Sender<Transport>) {
        tokio::task::spawn_local(async move {
            if let Ok(upgraded) = self.upgrade.await {
                let _ = receiver.send(Transport {
                    stream: Stream::of_http2(upgraded, self.open),
                    rest: Bytes::new(),
                    load: self.load,
                });
            }
        });
    }
}

/// Answers the requests of one connection.
struct Streaming {
    http: Http,
    load: Load,
    streams: Rc<Streams>,
}

impl Service<Request<Incoming>> for Streaming {
    type Response = Response<Counted>;
    type Error = Infallible;
    type Future = Streamed;

    fn call(&self, mut request: Request<Incoming>) -> Streamed {
        let open = Some(Open::new(&self.streams));
        let protocol = request.extensions().get::<Protocol>();
        let is_websocket = protocol.map(|it| it.as_str() == "websocket");
        let reply = match is_websocket {
            None => {
                let (head, body) = apart(request);
                self.http.answer(head, body, None)
            }
            Some(true) => match self.load.another() {
                Ok(load) => {
                    let tunnel = Tunnel {
                        upgrade: hyper::upgrade::on(&mut request),
                        load,
                        open: Open::new(&self.streams),
                    };
                    let (head, body) = apart(request);
                    self.http.answer(head, body, Some(tunnel))
                }
                Err(_) => self.http.refuse(apart(request).0, report::unavailable()),
            },
            // RFC 9220, section 3, which holds here as well.
            Some(false) => {
                let sentence = "The only protocol for which there is a CONNECT is WebSocket.";
                let response = report::text(StatusCode::NOT_IMPLEMENTED, sentence);
                self.http.refuse(apart(request).0, response)
            }
        };
        Streamed { reply, open }
    }
}

/// A request, without what is hyper's own.
fn apart(request: Request<Incoming>) -> (Box<Parts>, Coming) {
    let (mut head, body) = request.into_parts();
    // Nothing of it goes to a guest.
    head.extensions.clear();
    (Box::new(head), Coming::Http2(body))
}

/// A response that is awaited.
struct Streamed {
    reply: Answered,
    /// None once it is there.
    open: Option<Open>,
}

impl Future for Streamed {
    type Output = Result<Response<Counted>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Ok(mut response) = ready!(Pin::new(&mut self.reply).poll(context));
        self.reply.request_id().put(response.headers_mut());
        let open = self.open.take();
        Poll::Ready(Ok(response.map(|body| Counted { body, _open: open })))
    }
}

/// A body whose stream is at work for as long as it is there.
struct Counted {
    body: Body,
    _open: Option<Open>,
}

impl http_body::Body for Counted {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Runs what hyper needs to run on the loop of the connection.
#[derive(Clone, Copy)]
struct LocalExecutor;

impl<F: Future<Output: 'static> + 'static> hyper::rt::Executor<F> for LocalExecutor {
    fn execute(&self, future: F) {
        tokio::task::spawn_local(future);
    }
}
