//! HTTP/1.1 (RFC 9112) and 1.0: the requests of one connection, one after the other.
//!
//! ```text
//!  arrival ─► head ─► Http::answer ─► response ─► output ─► outbox
//!                          ▲
//!             intake ─► body           (while it is answered: exchange)
//! ```
//!
//! Where a request begins and ends is decided by [`framing`] alone, and stricter than by
//! others. Nothing of a request is read before the one before it is answered; those
//! which a client has sent together wait for their turn, one of all clients of the
//! loop after the other, so that who sends thousands at once keeps nobody waiting
//! who sends one.

mod arrival;
mod body;
mod exchange;
pub(crate) mod framing;
mod head;
mod intake;
mod output;
mod response;

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use holdfast_core::event::Body;
use http::{HeaderMap, Response};
use tokio::time::{Instant, Sleep, timeout, timeout_at};

use crate::drain::Drain;
use crate::event_loop::Ticket;
use crate::http::{Ending, Http, last};
use crate::listen::Load;
use crate::patient::Patience;
use crate::protocol::{Failure, LINGER_TIMEOUT, end};
use crate::report;
use crate::socket::Transport;
use crate::stream::Begun;
use arrival::{Arrived, Turn};
pub(crate) use body::Incoming;
use exchange::Exchange;
use framing::Head;
use head::Refusal;
use output::Output;
pub(crate) use output::{Cork, Due};
pub(crate) use response::Date;

/// For fuzzing: reads a head, if the bytes begin with one.
pub(crate) fn read_head(bytes: &[u8]) {
    let Ok((len, Some(_))) = Head::default().take(bytes) else {
        return;
    };
    let head = bytes.get(..len).unwrap_or_default();
    if let Ok((parts, _)) = head::parse(head, 64, HeaderMap::new()) {
        assert!(parts.headers.len() <= 64, "that is too many");
    }
    head::trailers(bytes);
}

/// Serves a connection to its end, or until it is a WebSocket.
pub(crate) async fn serve(
    begun: Begun,
    http: Http,
    load: Load,
    drain: Drain,
) -> Result<(), Failure> {
    let ending = Rc::clone(&http.ending);
    let event_loop = http.event_loop.another();
    let mut connection = Connection::new(begun, http);
    let end_of_http = {
        let mut served = pin!(connection.serve());
        match drain.or(served.as_mut()).await {
            Ok(ended) => ended,
            Err(deadline) => {
                ending.draining.set(true);
                timeout_at(deadline, served).await?
            }
        }
    };
    let Connection { output, rest, .. } = connection;
    if end_of_http.is_err() && output.is_blocked() {
        // It takes nothing, and has had its time for that.
        return end_of_http.map(drop);
    }
    // The client may not take what it has been told last.
    let stream = timeout(LINGER_TIMEOUT, output.release()).await;
    let end_of_http = end_of_http?;
    let stream = stream??;
    match end_of_http {
        End::Upgrade => {
            if let Some(upgrade) = ending.upgrade.take() {
                let load = load.counted(ending.place.take());
                let rest = Bytes::copy_from_slice(&rest);
                let _ = upgrade.send(Transport { stream, rest, load });
            }
        }
        End::Heard => end(&event_loop, stream, ending.refused.get()).await?,
        End::Unheard => end(&event_loop, stream, true).await?,
    }
    Ok(())
}

/// How the HTTP of a connection has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// It becomes a WebSocket.
    Upgrade,
    /// The client has nothing more to say.
    Heard,
    /// The client may still be sending.
    Unheard,
}

/// One connection.
struct Connection {
    http: Http,
    output: Output,
    /// What was read and not used.
    rest: BytesMut,
    /// The head that is arriving.
    head: Head,
    /// How much of `rest` that has seen.
    seen: usize,
    /// Whether there was more behind the last request when that was over.
    came_together: bool,
    turn: Option<Turn>,
    patience: Patience,
    /// Since when a head has been awaited, or the time when the last response was
    /// written.
    waits_since: Option<Instant>,
    /// For a head that does not come. Kept from one to the next, since to set it each
    /// time would cost more than to set it again when it is early.
    timer: Option<Pin<Box<Sleep>>>,
    timer_is_set: bool,
}

impl Connection {
    fn new(begun: Begun, http: Http) -> Self {
        let Begun { first, stream } = begun;
        // Until a plugin says how long its clients may take nothing.
        let patience_ms = http.event_loop.hub.heads().timeout_ms;
        http.ending.patience_ms.set(patience_ms);
        Self {
            output: Output::new(stream, http.event_loop.another()),
            http,
            rest: BytesMut::from(&first[..]),
            head: Head::default(),
            seen: 0,
            came_together: false,
            turn: None,
            patience: Patience::default(),
            waits_since: None,
            timer: None,
            timer_is_set: false,
        }
    }

    fn ending(&self) -> &Ending {
        &self.http.ending
    }

    fn event_loop(&self) -> &Ticket {
        &self.http.event_loop
    }

    /// Takes so many bytes of what was read. Keeps no memory if that is all.
    fn take_rest(&mut self, len: usize) -> Bytes {
        let taken = self.rest.split_to(len).freeze();
        if self.rest.is_empty() {
            self.rest = BytesMut::new();
        }
        taken
    }

    /// Serves one request after the other.
    async fn serve(&mut self) -> Result<End, Failure> {
        loop {
            let ((parts, traits), next) = match poll_fn(|context| self.poll_head(context)).await? {
                Arrived::Head(parsed, next) => (parsed, next),
                Arrived::Nothing => return Ok(End::Heard),
                Arrived::Refused(refusal) => return self.refuse(refusal).await,
            };
            let (mut exchange, body) = Exchange::new(traits, &next);
            let response = {
                let mut answered = pin!(self.http.answer(parts, body, None));
                poll_fn(|context| self.poll_answer(context, answered.as_mut(), &mut exchange))
                    .await?
            };
            self.respond(response, &mut exchange).await?;
            if exchange.is_upgrade {
                return Ok(End::Upgrade);
            }
            match (exchange.is_heard(), exchange.keeps_alive) {
                (false, _) => return Ok(End::Unheard),
                (true, false) => return Ok(End::Heard),
                (true, true) => self.came_together = !self.rest.is_empty(),
            }
        }
    }

    /// Answers what is no request.
    async fn refuse(&mut self, refusal: Refusal) -> Result<End, Failure> {
        let Refusal { status, sentence } = refusal;
        if let Some(log) = self.event_loop().hub.access_log() {
            // With its line break.
            let bytes = sentence.len() as u64 + 1;
            log.note_nameless(self.http.origin.client, status, bytes);
        }
        let response = last(report::text(status, sentence));
        self.respond(response, &mut Exchange::unread()).await?;
        Ok(End::Unheard)
    }

    /// Writes a response to its end.
    async fn respond(
        &mut self,
        response: Response<Body>,
        exchange: &mut Exchange,
    ) -> Result<(), Failure> {
        if let Some(mut body) = self.begin_response(response, exchange) {
            poll_fn(|context| self.poll_body(context, &mut body, exchange)).await?;
        }
        poll_fn(|context| self.poll_end(context, exchange)).await
    }

    /// Writes all there is, as long as the client takes it.
    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = self.output.poll_flush(context);
        self.bear(context, flushed)
    }

    /// There is nothing more to write for the moment.
    fn poll_pause(&mut self, context: &mut Context<'_>, now: Instant) -> Poll<io::Result<()>> {
        let paused = self.output.poll_pause(context, now.into_std());
        self.bear(context, paused)
    }

    /// An error, if the client takes nothing for too long.
    fn bear(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<()>>,
    ) -> Poll<io::Result<()>> {
        if written.is_pending() && self.output.has_moved() {
            self.patience = Patience::default();
        }
        let patience_ms = self.http.ending.patience_ms.get();
        self.patience.check(context, patience_ms, written)
    }
}
