//! Waiting for a request's head: for its bytes, for its turn, and for no longer than
//! a client may take.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::coop::has_budget_remaining;
use tokio::time::{Instant, sleep_until};

use super::Connection;
use super::framing::{Head, Next};
use super::head::{self, Parsed, Refusal};
use crate::event_loop::EventLoop;
use crate::protocol::Failure;

pub(super) type Turn = Pin<Box<dyn Future<Output = ()>>>;

/// Waits until it is the turn of one more request. One of them begins, and the
/// system is asked for other clients' input, before the next does.
async fn turn(turns: Arc<Semaphore>) {
    // It is never closed.
    let turn = turns.acquire().await;
    tokio::task::yield_now().await;
    drop(turn);
}

/// What has come instead of a request's head, or of it.
pub(super) enum Arrived {
    Head(Parsed, Next),
    /// No request will come.
    Nothing,
    Refused(Refusal),
}

impl Connection {
    /// Waits for the head of a request.
    pub(super) fn poll_head(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Arrived, Failure>> {
        if self.output.is_blocked() {
            // Who does not read keeps nobody else waiting.
            self.turn = None;
            ready!(self.poll_flush(context))?;
            self.waits_since = None;
        }
        if self.came_together {
            let turns = &self.http.event_loop.pipelines;
            let turn = self
                .turn
                .get_or_insert_with(|| Box::pin(turn(Arc::clone(turns))));
            ready!(turn.as_mut().poll(context));
            self.turn = None;
            self.came_together = false;
        }
        loop {
            if let Some(arrived) = self.look() {
                self.waits_since = None;
                return Poll::Ready(Ok(arrived));
            }
            let Poll::Ready(read) = self.poll_read_head(context) else {
                break;
            };
            if let Some(arrived) = read? {
                self.waits_since = None;
                return Poll::Ready(Ok(arrived));
            }
        }
        if self.ending().draining.get() && self.is_idle() {
            return Poll::Ready(Ok(Arrived::Nothing));
        }
        ready!(self.poll_timer(context));
        Poll::Ready(Err("the head of a request did not come in time".into()))
    }

    /// Whether nothing has come of the next request.
    fn is_idle(&self) -> bool {
        self.rest.is_empty() && self.head.is_untouched()
    }

    /// Looks for a head in what is there.
    fn look(&mut self) -> Option<Arrived> {
        let unseen = self.rest.get(self.seen..).unwrap_or_default();
        if unseen.is_empty() {
            return None;
        }
        let bytes_max = self.http.event_loop.hub.heads().bytes_max;
        match see(&mut self.head, self.seen, unseen, bytes_max) {
            Ok((len, Some(next))) => {
                self.seen = 0;
                let head = self.take_rest(len);
                Some(parsed(&head, next, &self.http.event_loop))
            }
            // Empty lines, which some clients send behind a body.
            Ok((len, None)) if self.head.is_untouched() => {
                self.take_rest(len);
                self.seen = 0;
                None
            }
            Ok((len, None)) => {
                self.seen = len;
                None
            }
            Err(refusal) => Some(Arrived::Refused(refusal)),
        }
    }

    /// Reads from the client. Most heads come in one piece, and alone.
    fn poll_read_head(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Option<Arrived>, Failure>> {
        let bytes_max = self.http.event_loop.hub.heads().bytes_max;
        let (head, rest, seen) = (&mut self.head, &mut self.rest, &mut self.seen);
        let event_loop = &self.http.event_loop;
        let read = self.output.poll_read(context, |bytes| {
            if bytes.is_empty() {
                return Read::Nothing;
            }
            if !rest.is_empty() {
                rest.extend_from_slice(bytes);
                return Read::More;
            }
            match see(head, 0, bytes, bytes_max) {
                Ok((len, Some(next))) => {
                    let (head, behind) = bytes.split_at_checked(len).unwrap_or((bytes, &[]));
                    rest.extend_from_slice(behind);
                    Read::Arrived(parsed(head, next, event_loop))
                }
                // Empty lines, as above.
                Ok((_, None)) if head.is_untouched() => Read::More,
                Ok((len, None)) => {
                    rest.extend_from_slice(bytes);
                    *seen = len;
                    Read::More
                }
                Err(refusal) => Read::Arrived(Arrived::Refused(refusal)),
            }
        });
        Poll::Ready(match ready!(read)? {
            Read::More => Ok(None),
            Read::Arrived(arrived) => Ok(Some(arrived)),
            Read::Nothing if self.is_idle() => Ok(Some(Arrived::Nothing)),
            Read::Nothing => Err("the client is gone in the middle of a head".into()),
        })
    }

    /// Waits until a head has been awaited for too long.
    pub(super) fn poll_timer(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let time = Duration::from_millis(self.event_loop().hub.heads().timeout_ms);
        let due = *self.waits_since.get_or_insert_with(Instant::now) + time;
        let timer = match &mut self.timer {
            // It wakes this task, perhaps too early.
            Some(timer) if self.timer_is_set && !timer.is_elapsed() => return Poll::Pending,
            Some(timer) => timer,
            none => none.insert(Box::pin(sleep_until(due))),
        };
        loop {
            // Without budget it is not set, and the task is woken at once.
            let has_budget = has_budget_remaining();
            if timer.as_mut().poll(context).is_pending() {
                self.timer_is_set = has_budget;
                return Poll::Pending;
            }
            self.timer_is_set = false;
            if timer.deadline() >= due {
                return Poll::Ready(());
            }
            timer.as_mut().reset(due);
        }
    }
}

/// What the bytes of a head say.
fn parsed(head: &[u8], next: Next, event_loop: &EventLoop) -> Arrived {
    let fields_max = event_loop.hub.heads().fields_max as usize;
    match head::parse(head, fields_max, event_loop.spare_fields()) {
        Ok(parsed) => Arrived::Head(parsed, next),
        Err(refusal) => Arrived::Refused(refusal),
    }
}

/// Has the head look at more bytes, behind those it has seen. Returns how many bytes
/// it has by now, and what follows it if that is all.
fn see(
    head: &mut Head,
    seen: usize,
    unseen: &[u8],
    bytes_max: usize,
) -> Result<(usize, Option<Next>), Refusal> {
    let (used, next) = head.take(unseen).map_err(|_| Refusal::MALFORMED)?;
    let len = seen + used;
    match len <= bytes_max {
        true => Ok((len, next)),
        false => Err(Refusal::TOO_LARGE),
    }
}

/// What has come of reading a head.
enum Read {
    More,
    Arrived(Arrived),
    /// The client has nothing more to say.
    Nothing,
}
