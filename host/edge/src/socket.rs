//! The task of one open WebSocket.
//!
//! ```text
//!            ┌────────────────────────────────────────────┐
//!            ▼                                            │ done
//! open ──► input: read, and write if the ────message────► guest: write what is
//!            │    socket was full (not while the guest    │      queued meanwhile
//!            │    works, nor what comes too fast,         │
//!            │    nor while a full queue waits)           │
//!            │ somebody has decided to close:             │ failed
//!            │ client, handler, limit, sweep, drain       │
//!            ▼                                            │
//!          closing: write the rest and the close frame, ◄─┘
//!            │      await the client's, bounded
//!            ▼
//!          gone from registry and topics ──► close event ──► linger ──► end
//! ```
//!
//! How it ends is decided once, in the [`Connection`]; this task only finds it
//! there. A transport that breaks is a way to close like the others. Once
//! `open` has been delivered, `close` is too, unless the host itself ends.
//!
//! While it waits for input the task owns no buffer and no timer, and its
//! future is small: what is needed only at the end is boxed then.

mod closing;
mod incoming;

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use arc_swap::Guard;
use bytes::{Buf, Bytes};
use holdfast_core::event::{CloseCause, Closure, Failure};
use holdfast_core::limits::OnError;
use holdfast_core::plugin::LocalFuture;
use holdfast_core::{Event, Outcome, Settings};

use crate::connection::{Connection, Wait, closure};
use crate::event_loop::Ticket;
use crate::frame::{Decoder, Item, Rules};
use crate::listen::Load;
use crate::outbox::{Written, send_all, write_all};
use crate::registered::Registered;
use crate::report::{self, About};
use crate::sockets::Place;
use crate::stream::Stream;
use crate::throttle::Throttle;

pub(crate) use closing::close;

/// Items of one client that are handled before other tasks have their turn.
const TURN_LEN_MAX: u8 = 64;

/// What is left of an HTTP connection that has become a WebSocket.
pub(crate) struct Transport {
    pub(crate) stream: Stream,
    /// What the client has sent behind its handshake.
    pub(crate) rest: Bytes,
    pub(crate) load: Load,
}

/// An open WebSocket.
pub(crate) struct Socket {
    event_loop: Ticket,
    registered: Registered,
    /// The outbox of the loop writes to it, too.
    stream: Rc<RefCell<Stream>>,
    /// Read, but not decoded.
    rest: Bytes,
    decoder: Decoder,
    throttle: Throttle,
    /// Items that may still be handled in this turn.
    turn: u8,
    /// Whether nothing has happened since the last event ended.
    at_once: bool,
    /// Whether the client has sent its close frame.
    client_closed: bool,
    /// Whether nothing that follows can be understood, or is to be, a close frame
    /// neither.
    garbled: bool,
    /// Whether the transport has broken.
    lost: bool,
    place: Place,
    _load: Load,
}

impl Socket {
    pub(crate) fn new(event_loop: Ticket, registered: Registered, transport: Transport) -> Self {
        let stream = Rc::new(RefCell::new(transport.stream));
        let place = event_loop.enter(&registered.connection, &stream);
        registered
            .connection
            .count_received(0, transport.rest.len());
        Self {
            event_loop,
            registered,
            stream,
            rest: transport.rest,
            decoder: Decoder::default(),
            throttle: Throttle::default(),
            turn: TURN_LEN_MAX,
            at_once: false,
            client_closed: false,
            garbled: false,
            lost: false,
            place,
            _load: transport.load,
        }
    }

    /// Serves the client from `open` to `close`. Not an async function: its
    /// future would have room for the socket twice.
    #[expect(clippy::manual_async_fn, reason = "half the size")]
    pub(crate) fn run(mut self) -> impl Future<Output = ()> {
        async move {
            let open = self.deliver(Event::Open(self.connection().event_state()));
            self.complete(open, false).await;
            while let Some(event) = poll_fn(|context| self.poll_underway(context)).await {
                self.complete(event, true).await;
                self.event_loop.write_if_late(Instant::now());
            }
            Box::pin(self.finish()).await;
        }
    }

    /// Handles what the client sends, until an event takes longer. None once the
    /// connection is to be closed.
    fn poll_underway(&mut self, context: &mut Context<'_>) -> Poll<Option<LocalFuture<Outcome>>> {
        let mut settings = self.connection().settings();
        loop {
            let Some(item) = ready!(self.poll_item(context, &mut settings)) else {
                return Poll::Ready(None);
            };
            if let Some(event) = self.handle(item, context, &settings) {
                return Poll::Ready(Some(event));
            }
        }
    }

    /// Handles an item; returns what the guest does with it, if that takes longer.
    fn handle(
        &mut self,
        item: Item,
        context: &mut Context<'_>,
        settings: &Settings,
    ) -> Option<LocalFuture<Outcome>> {
        match item {
            Item::Message(message) => {
                self.connection().count_received(1, 0);
                if self.replied(&message, settings) {
                    self.at_once = false;
                    return None;
                }
                let state = self.connection().event_state();
                let plugins = &self.event_loop.plugins;
                if self.at_once {
                    plugins.follow();
                }
                let plugin = self.connection().plugin;
                match plugins.deliver_now(context, plugin, state, message) {
                    Ok(outcome) => {
                        let ended = plugins.last_turn();
                        self.completed(&outcome);
                        self.at_once = !self.event_loop.write_if_late(ended);
                    }
                    Err(event) => return Some(event),
                }
            }
            Item::Ping(payload) => {
                if !self.is_flooded() {
                    self.connection().pong(&payload);
                }
            }
            Item::Pong => {
                self.is_flooded();
            }
            // It was expanded before.
            Item::Deflated(_) => {}
            Item::Close(close) => self.closed_by_client(close),
        }
        None
    }

    fn connection(&self) -> &Connection {
        &self.registered.connection
    }

    /// Waits for the next item of the client. None once the connection is to
    /// be closed. Replaces the settings where others hold by now.
    fn poll_item(
        &mut self,
        context: &mut Context<'_>,
        settings: &mut Guard<Arc<Settings>>,
    ) -> Poll<Option<Item>> {
        loop {
            let signals = self.connection().resume();
            if signals.closing {
                return Poll::Ready(None);
            }
            if signals.generation != settings.generation {
                *settings = self.connection().settings();
            }
            let limits = &settings.connection;
            let rules = self.rules(limits);
            let per_second = limits.messages_per_second_max;
            let is_turn_over = self.turn == 0;
            let is_paused = self.throttle.poll(context).is_pending();
            let is_full = signals.queue_bytes >= limits.queue_bytes_max;
            if !is_turn_over && !is_paused && !is_full && !self.rest.is_empty() {
                if let Some(item) = self.decode_rest(rules) {
                    self.throttle.count(per_second, &settings.metrics);
                    return Poll::Ready(Some(item));
                }
                continue;
            }
            self.at_once = false;
            let has_output = signals.output || is_full || self.stream.borrow().is_buffered();
            let is_blocked = has_output && self.poll_flush(context).is_pending();
            if is_turn_over {
                self.turn = TURN_LEN_MAX;
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            // What has been read goes before what has not.
            let is_held = is_full && self.connection().is_held(limits);
            let may_go_on = !is_paused && !is_held;
            if may_go_on && !self.rest.is_empty() {
                if let Some(item) = self.decode_rest(rules) {
                    self.throttle.count(per_second, &settings.metrics);
                    return Poll::Ready(Some(item));
                }
                continue;
            }
            if may_go_on && let Poll::Ready(item) = self.poll_read(context, rules) {
                match item {
                    Some(item) => {
                        self.throttle.count(per_second, &settings.metrics);
                        return Poll::Ready(Some(item));
                    }
                    None => continue,
                }
            }
            if self.connection().park(context, Wait::Input, is_blocked) {
                self.turn = TURN_LEN_MAX;
                return Poll::Pending;
            }
        }
    }

    /// Reads and decodes. Ready without an item if there was only a part of
    /// one, or if the connection is to be closed.
    fn poll_read(&mut self, context: &mut Context<'_>, rules: Rules) -> Poll<Option<Item>> {
        let (decoder, rest) = (&mut self.decoder, &mut self.rest);
        let connection = &self.registered.connection;
        let read = self
            .event_loop
            .poll_read(context, &mut self.stream.borrow_mut(), |input| {
                if input.is_empty() {
                    return None;
                }
                connection.count_received(0, input.len());
                let decoded = decoder.decode(input, rules);
                if let Ok(decoded) = &decoded {
                    *rest = Bytes::copy_from_slice(input.get(decoded.used..).unwrap_or_default());
                }
                Some(decoded.map(|decoded| decoded.item))
            });
        match ready!(read) {
            Ok(Some(item)) => {
                self.connection().hear();
                Poll::Ready(self.checked(item, rules))
            }
            Ok(None) | Err(_) => {
                self.lose();
                Poll::Ready(None)
            }
        }
    }

    fn decode_rest(&mut self, rules: Rules) -> Option<Item> {
        let decoded = self.decoder.decode(&self.rest, rules);
        let item = decoded.map(|decoded| {
            self.rest.advance(decoded.used);
            decoded.item
        });
        if self.rest.is_empty() {
            self.rest = Bytes::new();
        }
        self.checked(item, rules)
    }

    /// Writes what is queued. Pending if the socket does not take all of it.
    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let connection = &self.registered.connection;
        let mut batch = self.event_loop.outbox.batch.borrow_mut();
        let mut stream = self.stream.borrow_mut();
        let written = match connection.take(&mut batch) {
            true => write_all(connection, &mut stream, &mut batch, context),
            false => send_all(&mut stream, context),
        };
        drop((batch, stream));
        match written {
            Written::All => Poll::Ready(()),
            Written::Blocked => Poll::Pending,
            Written::Broken => {
                self.lose();
                Poll::Ready(())
            }
        }
    }

    /// Hands an event to the guest. Not async, since a future would keep room
    /// for the largest of events.
    fn deliver(&self, event: Event) -> LocalFuture<Outcome> {
        let plugin = self.connection().plugin;
        self.event_loop.plugins.deliver(plugin, event)
    }

    /// Waits until the guest has handled an event, and closes the connection if
    /// that fails. What is sent to the client meanwhile is written; nothing is
    /// read. `is_begun` says that the event has been polled just now.
    async fn complete(&mut self, mut event: LocalFuture<Outcome>, is_begun: bool) {
        self.at_once = false;
        let mut is_first = true;
        let mut is_polled = is_begun;
        let outcome = poll_fn(|context| {
            if !std::mem::take(&mut is_first) {
                self.connection().resume();
            }
            if !std::mem::take(&mut is_polled)
                && let Poll::Ready(outcome) = event.as_mut().poll(context)
            {
                return Poll::Ready(Some(outcome));
            }
            loop {
                let is_blocked = self.poll_flush(context).is_pending();
                if self.connection().park(context, Wait::Guest, is_blocked) {
                    return Poll::Pending;
                }
                if self.connection().resume().aborted {
                    return Poll::Ready(None);
                }
            }
        })
        .await;
        if let Some(outcome) = outcome {
            self.completed(&outcome);
        }
    }

    /// The guest has handled an event.
    fn completed(&self, outcome: &Outcome) {
        if let Outcome::Failed(failure) = outcome {
            self.failed(failure);
        }
    }

    /// One event has failed.
    fn failed(&self, failure: &Failure) {
        let connection = self.connection();
        let settings = connection.settings();
        report::failure(&settings, About::connection(connection.key.id), failure);
        let on_error = settings.connection.on_error;
        let closure = match failure {
            Failure::Disrupted => return,
            Failure::Handler(_) if on_error == OnError::Skip => return,
            Failure::Overloaded(_) => closure(CloseCause::Limit, 1013, "try again later"),
            Failure::NoHandler | Failure::Trap(_) | Failure::Timeout(_) | Failure::Handler(_) => {
                closure(CloseCause::Error, 1011, "internal error")
            }
        };
        connection.close(closure);
    }

    fn closed_by_client(&mut self, close: Option<(u16, String)>) {
        self.client_closed = true;
        let (code, reason) = close.unwrap_or((1005, String::new()));
        // If a handler was faster, then this is the answer to its close frame.
        self.connection().close(Closure {
            cause: CloseCause::Client,
            code,
            reason,
        });
    }

    fn lose(&mut self) {
        self.lost = true;
        self.connection().lose();
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.event_loop.sockets.remove(self.place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_task_of_a_connection_is_small() {
        fn size<A, F>(_: fn(A) -> F) -> usize {
            size_of::<F>()
        }
        // A little more without optimisation.
        assert!(size(Socket::run) <= 280, "{} bytes", size(Socket::run));
        // With the two counts of its `Arc` that fills a size of the allocator.
        assert!(size_of::<Connection>() <= 208);
    }
}
