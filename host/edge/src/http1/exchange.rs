//! A request and its response: both bodies stream at once, each as fast as it is
//! taken.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use holdfast_core::event::Body;
use http::{Response, StatusCode};
use http_body::{Body as _, SizeHint};
use tokio::time::Instant;

use super::Connection;
use super::body::{Appetite, Feeder, channel};
use super::framing::{self, Next};
use super::head::{Traits, trailers as trailers_of};
use super::response::{Framing, unread, write_head};
use crate::body::Coming;
use crate::http::Answered;
use crate::protocol::Failure;

/// Pieces of a body, after which others have their turn.
const PIECES_MAX: usize = 16;
/// Bytes of a body which nobody reads that are read nevertheless, for the request
/// behind it.
const SKIPPED_BYTES_MAX: usize = 64 << 10;
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// Where a request and its response are.
pub(super) struct Exchange {
    traits: Traits,
    intake: Intake,
    /// How the rest of the response's body is framed.
    framing: Framing,
    /// The response has begun.
    is_answered: bool,
    /// When that was, as long as nothing was waited for since.
    moment: Option<Instant>,
    /// The connection is for one more request.
    pub(super) keeps_alive: bool,
    /// The connection is to become a WebSocket.
    pub(super) is_upgrade: bool,
}

/// What is to come from the client.
enum Intake {
    /// The rest of the body.
    Body(Feeder, framing::Body),
    /// The rest of the body, which nobody reads, if it is not more than so many bytes.
    Unwanted(framing::Body, usize),
    /// The next request.
    Next,
    /// Nothing that is read here: it may become a WebSocket.
    Held,
    /// Nothing that could be understood, or nothing at all.
    Lost,
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
        answered: Pin<&mut Answered>,
        exchange: &mut Exchange,
    ) -> Poll<Result<Response<Body>, Failure>> {
        if let Poll::Ready(Ok(response)) = answered.poll(context) {
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
        let now = Instant::now();
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

    /// Takes from the client what there is, without waiting for it.
    ///
    /// # Errors
    /// If the client is gone, and waits for no response.
    fn listen(
        &mut self,
        context: &mut Context<'_>,
        exchange: &mut Exchange,
    ) -> Result<(), Failure> {
        match &exchange.intake {
            Intake::Body(..) => match self.feed(context, exchange) {
                Err(Broken) if exchange.is_answered => {
                    return Err("a request's body broke off behind its answer".into());
                }
                _ => {}
            },
            Intake::Unwanted(..) => self.skip(context, exchange),
            Intake::Next => self.watch(context)?,
            Intake::Held | Intake::Lost => {}
        }
        Ok(())
    }

    /// Notices that the client is gone. What it sends meanwhile is kept; of that
    /// there is no more than what is read at once.
    fn watch(&mut self, context: &mut Context<'_>) -> Result<(), Failure> {
        let rest = &mut self.rest;
        while rest.is_empty() {
            let read = self.output.poll_read(context, |bytes| {
                rest.extend_from_slice(bytes);
                bytes.is_empty()
            });
            match read {
                Poll::Ready(Ok(false)) => {}
                Poll::Ready(Ok(true)) => {
                    return Err("the client is gone before its response was complete".into());
                }
                Poll::Ready(Err(error)) => return Err(error.into()),
                Poll::Pending => break,
            }
        }
        Ok(())
    }

    /// Gives the reader of the body what it asks for.
    fn feed(&mut self, context: &mut Context<'_>, exchange: &mut Exchange) -> Result<(), Broken> {
        for _ in 0..PIECES_MAX {
            let Intake::Body(feeder, body) = &mut exchange.intake else {
                return Ok(());
            };
            match feeder.poll_appetite(context) {
                Poll::Pending => return Ok(()),
                Poll::Ready(Appetite::Gone) => {
                    self.give_up(context, exchange);
                    return Ok(());
                }
                Poll::Ready(Appetite::Hungry) => {}
            }
            if self.rest.is_empty() && exchange.traits.expects_continue && !exchange.is_answered {
                exchange.traits.expects_continue = false;
                self.output.add(|out| out.extend_from_slice(CONTINUE));
                // If it is not taken now, then with what comes next.
                let _ = self.output.poll_flush(context);
            }
            let Poll::Ready(piece) = self.poll_piece(context, body) else {
                return Ok(());
            };
            // It does not wait for that any more.
            exchange.traits.expects_continue = false;
            let Some(piece) = piece else {
                exchange.intake = Intake::Lost;
                return Err(Broken);
            };
            if !piece.data.is_empty() {
                feeder.feed(piece.data);
            }
            if piece.is_last {
                let trailers = Some(body.trailers()).filter(|lines| !lines.is_empty());
                let trailers = trailers.and_then(trailers_of);
                if let Intake::Body(feeder, _) =
                    std::mem::replace(&mut exchange.intake, Intake::Next)
                {
                    feeder.end(trailers);
                }
            }
        }
        context.waker().wake_by_ref();
        Ok(())
    }

    /// Nobody reads the body any more. A client that waits for a 100 may send none of
    /// it, or all.
    fn give_up(&mut self, context: &mut Context<'_>, exchange: &mut Exchange) {
        let bytes_max = match exchange.traits.expects_continue && self.rest.is_empty() {
            true => 0,
            false => SKIPPED_BYTES_MAX,
        };
        if let Intake::Body(_, body) = std::mem::replace(&mut exchange.intake, Intake::Lost) {
            exchange.intake = Intake::Unwanted(body, bytes_max);
            self.skip(context, exchange);
        }
    }

    /// Reads what nobody wants, so that the next request can be read.
    fn skip(&mut self, context: &mut Context<'_>, exchange: &mut Exchange) {
        while let Intake::Unwanted(body, left) = &mut exchange.intake {
            let Poll::Ready(piece) = self.poll_piece(context, body) else {
                return;
            };
            let left_then = piece
                .as_ref()
                .and_then(|piece| left.checked_sub(piece.used));
            match (piece, left_then) {
                (Some(piece), Some(_)) if piece.is_last => exchange.intake = Intake::Next,
                (Some(_), Some(left_then)) => *left = left_then,
                _ => exchange.intake = Intake::Lost,
            }
        }
    }

    /// The next piece of a body, which may have no data. None if there is none.
    fn poll_piece(
        &mut self,
        context: &mut Context<'_>,
        body: &mut framing::Body,
    ) -> Poll<Option<Piece>> {
        if !self.rest.is_empty() {
            let Ok(taken) = body.take(&self.rest) else {
                return Poll::Ready(None);
            };
            let used = self.rest.split_to(taken.used).freeze();
            if self.rest.is_empty() {
                self.rest = BytesMut::new();
            }
            return Poll::Ready(Some(Piece {
                used: taken.used,
                data: used.slice(taken.data),
                is_last: taken.is_over,
            }));
        }
        let rest = &mut self.rest;
        let read = self.output.poll_read(context, |bytes| {
            if bytes.is_empty() {
                return None;
            }
            let taken = body.take(bytes).ok()?;
            rest.extend_from_slice(bytes.get(taken.used..).unwrap_or_default());
            Some(Piece {
                used: taken.used,
                data: Bytes::copy_from_slice(bytes.get(taken.data).unwrap_or_default()),
                is_last: taken.is_over,
            })
        });
        Poll::Ready(ready!(read).ok().flatten())
    }
}

/// A body is not framed as it should be, or its client is gone.
struct Broken;

/// What was taken of a body.
struct Piece {
    used: usize,
    data: Bytes,
    is_last: bool,
}
