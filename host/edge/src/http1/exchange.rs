//! A request and its response: both bodies stream at once, each as fast as it is
//! taken.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use holdfast_core::RequestId;
use holdfast_core::event::Body;
use http::{Response, StatusCode};
use http_body::{Body as _, SizeHint};
use tokio::time::Instant;

use super::Connection;
use super::body::channel;
use super::framing::{self, Next};
use super::head::Traits;
use super::intake::Intake;
use super::response::{Framing, unread, write_head};
use crate::body::Coming;
use crate::http::Answered;
use crate::protocol::Failure;

/// Pieces of a body, after which others have their turn.
pub(super) const PIECES_MAX: usize = 16;

/// Where a request and its response are.
pub(super) struct Exchange {
    pub(super) traits: Traits,
    /// What the request is called, once that is known.
    request_id: Option<RequestId>,
    pub(super) intake: Intake,
    /// How the rest of the response's body is framed.
    framing: Framing,
    /// The response has begun.
    pub(super) is_answered: bool,
    /// The time, as long as nothing was waited for since it was looked at.
    moment: Option<Instant>,
    /// The connection is for one more request.
    pub(super) keeps_alive: bool,
    /// The connection is to become a WebSocket.
    pub(super) is_upgrade: bool,
}

impl Exchange {
    /// For a request with this head; and its body.
    pub(super) fn new(traits: Traits, next: &Next) -> (Self, Coming) {
        let (intake, body) = match framing::Body::behind(next) {
            Some(body) => {
                let (feeder, incoming) = channel(body.len());
                (Intake::Body(feeder, body), Coming::Http1(incoming))
            }
            None if *next == Next::Nothing => (Intake::Held, Coming::Nothing),
            None => (Intake::Next, Coming::Nothing),
        };
        let exchange = Self {
            traits,
            request_id: None,
            intake,
            framing: Framing::Nothing,
            is_answered: false,
            moment: None,
            keeps_alive: traits.keeps_alive,
            is_upgrade: false,
        };
        (exchange, body)
    }

    /// For a request that could not be read.
    pub(super) fn unread() -> Self {
        Self {
            intake: Intake::Lost,
            ..Self::new(unread(), &Next::Head).0
        }
    }

    /// Whether the client may have more to say of this request.
    fn has_body(&self) -> bool {
        matches!(self.intake, Intake::Body(..) | Intake::Unwanted(..))
    }

    /// Whether the client has nothing more to say of this request.
    pub(super) fn is_heard(&self) -> bool {
        matches!(self.intake, Intake::Next | Intake::Held)
    }
}

impl Connection {
    /// Waits for the response; meanwhile the body of the request is read as fast as
    /// it is asked for, and a client that hangs up is noticed.
    pub(super) fn poll_answer(
        &mut self,
        context: &mut Context<'_>,
        mut answered: Pin<&mut Answered>,
        exchange: &mut Exchange,
    ) -> Poll<Result<Response<Body>, Failure>> {
        if let Poll::Ready(Ok(response)) = answered.as_mut().poll(context) {
            exchange.request_id = Some(answered.request_id().clone());
            exchange.moment = answered.moment().map(Instant::from_std);
            if exchange.has_body() {
                // The head is to say whether the rest of that is awaited.
                self.listen(context, exchange)?;
            }
            return Poll::Ready(Ok(response));
        }
        self.listen(context, exchange)?;
        if self.output.is_blocked()
            && let Poll::Ready(flushed) = self.poll_flush(context)
        {
            // Of the response before, or of a 100.
            flushed?;
        }
        Poll::Pending
    }

    /// Writes the head of a response. Returns the body, if there is something of it
    /// to write.
    pub(super) fn begin_response(
        &mut self,
        response: Response<Body>,
        exchange: &mut Exchange,
    ) -> Option<Body> {
        let (head, body) = response.into_parts();
        let now = exchange.moment.unwrap_or_else(Instant::now);
        exchange.is_answered = true;
        exchange.moment = Some(now);
        exchange.is_upgrade = head.status == StatusCode::SWITCHING_PROTOCOLS;
        // What comes behind a body that nobody reads any more, and behind what might
        // have become a WebSocket, is no request.
        let may_go_on = matches!(exchange.intake, Intake::Next | Intake::Body(..));
        let keeps_alive = exchange.keeps_alive && may_go_on && !self.http.ending.draining.get();
        let (framing, keeps_alive) = self.output.add(|out| {
            let mut date = self.http.event_loop.date.borrow_mut();
            let hint = match body.is_end_stream() {
                true => SizeHint::with_exact(0),
                false => body.size_hint(),
            };
            write_head(
                out,
                &head,
                &hint,
                &exchange.traits,
                keeps_alive,
                date.text(now.into_std()),
                exchange.request_id.as_ref(),
            )
        });
        exchange.keeps_alive = keeps_alive;
        exchange.framing = framing;
        self.http.event_loop.keep_fields(head.headers);
        (!exchange.framing.is_over()).then_some(body)
    }

    /// Writes the body of the response as fast as the client takes it.
    pub(super) fn poll_body(
        &mut self,
        context: &mut Context<'_>,
        body: &mut Body,
        exchange: &mut Exchange,
    ) -> Poll<Result<(), Failure>> {
        for _ in 0..PIECES_MAX {
            if self.output.is_full() {
                match self.poll_flush(context) {
                    Poll::Ready(flushed) => flushed?,
                    Poll::Pending => {
                        exchange.moment = None;
                        self.listen(context, exchange)?;
                        return Poll::Pending;
                    }
                }
            }
            let framing = &mut exchange.framing;
            let frame = match Pin::new(&mut *body).poll_frame(context) {
                Poll::Ready(frame) => frame.transpose()?,
                Poll::Pending => {
                    exchange.moment = None;
                    if let Poll::Ready(paused) = self.poll_pause(context, Instant::now()) {
                        paused?;
                    }
                    self.listen(context, exchange)?;
                    return Poll::Pending;
                }
            };
            let Some(frame) = frame else {
                framing.finish(None, &self.output)?;
                return Poll::Ready(Ok(()));
            };
            match frame.into_data() {
                Ok(piece) => framing.write_piece(piece, &self.output),
                Err(frame) => {
                    let trailers = frame.into_trailers().ok();
                    framing.finish(trailers.as_ref(), &self.output)?;
                    return Poll::Ready(Ok(()));
                }
            }
            if framing.is_over() {
                return Poll::Ready(Ok(()));
            }
        }
        exchange.moment = None;
        context.waker().wake_by_ref();
        Poll::Pending
    }

    /// Ends the exchange: the response is on its way, and whoever reads the body of
    /// the request has had all of it, or is gone.
    pub(super) fn poll_end(
        &mut self,
        context: &mut Context<'_>,
        exchange: &mut Exchange,
    ) -> Poll<Result<(), Failure>> {
        let written = match exchange.keeps_alive && exchange.is_heard() {
            true => {
                let now = exchange.moment.take().unwrap_or_else(Instant::now);
                self.waits_since = Some(now);
                self.poll_pause(context, now)
            }
            false => self.poll_flush(context),
        };
        if exchange.has_body() {
            self.listen(context, exchange)?;
        }
        ready!(written)?;
        match exchange.intake {
            Intake::Body(..) => Poll::Pending,
            // It was said that there may be another request behind it.
            Intake::Unwanted(_, 1..) if exchange.keeps_alive => {
                ready!(self.poll_timer(context));
                Poll::Ready(Ok(()))
            }
            _ => Poll::Ready(Ok(())),
        }
    }
}
