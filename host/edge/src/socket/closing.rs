//! The end of a WebSocket: the closing handshake (RFC 6455, section 7.1), the
//! `close` event, and the end of the transport.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use holdfast_core::{Event, Outcome};
use tokio::io::AsyncWrite;
use tokio::time::{Instant, timeout_at};

use super::Socket;
use crate::connection::{Connection, Wait};
use crate::event_loop::Ticket;
use crate::frame::{Item, Rules};
use crate::report::{self, About};

impl Socket {
    /// Ends the connection, and tells the guest.
    pub(super) async fn finish(&mut self) {
        let settings = self.connection().settings();
        let close_timeout_ms = settings.connection.close_timeout_ms;
        let rules = self.rules(&settings.connection);
        drop(settings);
        let deadline = Instant::now() + Duration::from_millis(close_timeout_ms);
        let closed = poll_fn(|context| self.poll_close(context, rules));
        let is_clean = timeout_at(deadline, closed).await.unwrap_or(false);
        // It is never closed, so it always gives one.
        let turn = self.event_loop.endings.acquire().await;
        self.registered.end();
        if is_clean {
            let stream = &self.stream;
            let shut =
                poll_fn(|context| Pin::new(&mut *stream.borrow_mut()).poll_shutdown(context));
            // The client may have done the same, and then this says so. Over TLS
            // and HTTP/2 it may have to wait for a client that does not read.
            let _ = timeout_at(deadline, shut).await;
        }
        {
            let mut closed = pin!(close(&self.event_loop, self.connection()));
            let begun = poll_fn(|context| Poll::Ready(closed.as_mut().poll(context))).await;
            // A guest that waits may not hold up others.
            drop(turn);
            if begun.is_pending() {
                closed.await;
            }
        }
        self.registered.leave();
        // Behind its close frame a client sends nothing.
        if is_clean && !self.client_closed {
            let linger = self.event_loop.linger(&self.stream);
            let _ = timeout_at(deadline, linger).await;
        }
    }

    /// Writes what is left and awaits the client's close frame. False if
    /// there is nobody to wait for.
    fn poll_close(&mut self, context: &mut Context<'_>, rules: Rules) -> Poll<bool> {
        loop {
            if self.lost || self.connection().resume().aborted {
                return Poll::Ready(false);
            }
            let is_blocked = self.poll_flush(context).is_pending();
            let is_silent = self.client_closed || self.garbled;
            if is_silent && !is_blocked && !self.lost {
                return Poll::Ready(true);
            }
            if !is_silent {
                if !self.rest.is_empty() {
                    let item = self.decode_rest(rules);
                    self.client_closed |= matches!(item, Some(Item::Close(_)));
                    continue;
                }
                if let Poll::Ready(item) = self.poll_read(context, rules) {
                    self.client_closed |= matches!(item, Some(Item::Close(_)));
                    continue;
                }
            }
            if self.connection().park(context, Wait::Close, is_blocked) {
                return Poll::Pending;
            }
        }
    }
}

/// Tells the guest that a connection has ended.
pub(crate) async fn close(event_loop: &Ticket, connection: &Connection) {
    let event = Event::Close(connection.event_state(), connection.closure());
    let closed = event_loop.plugins.deliver(connection.plugin, event).await;
    if let Outcome::Failed(failure) = closed {
        let about = About::connection(connection.key.id);
        report::failure(&connection.settings(), about, &failure);
    }
}
