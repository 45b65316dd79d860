//! What comes from a client while its request is answered: the rest of the body, as
//! fast as somebody reads it, or its end.

use std::task::{Context, Poll, ready};

use bytes::Bytes;

use super::Connection;
use super::body::{Appetite, Feeder};
use super::exchange::{Exchange, PIECES_MAX};
use super::framing;
use super::head::trailers as trailers_of;
use crate::protocol::Failure;

/// Bytes of a body which nobody reads that are read nevertheless, for the request
/// behind it.
const SKIPPED_BYTES_MAX: usize = 64 << 10;
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// What is to come from the client.
pub(super) enum Intake {
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

impl Connection {
    /// Takes from the client what there is, without waiting for it.
    ///
    /// # Errors
    /// If the client is gone, and waits for no response.
    pub(super) fn listen(
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
            return Poll::Ready(Some(Piece {
                used: taken.used,
                data: self.take_rest(taken.used).slice(taken.data),
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
