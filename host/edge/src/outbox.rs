//! Writes what is queued for the WebSockets of an event loop, and what its HTTP
//! connections hold back, without their tasks.
//!
//! Everything that the loop's tasks have queued in one round is written after
//! it, one socket after the other: a task that has answered need not run again,
//! thousands of subscribers need not run at all, and clients are woken together.
//! Only where a socket is full or broken does its task go on.

mod bill;
mod together;
mod waiting;

use std::cell::{Cell, RefCell};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;

use tokio::io::AsyncWrite;

use crate::connection::Connection;
use crate::event_loop::EventLoop;
use crate::http1::Due;
use crate::mailbox::{Letter, Letters};
use crate::queue::{BATCH_LEN_MAX, Batch};
use crate::ring::{SENDS_MAX, Sent};
use crate::stream::Stream;
use bill::Bill;
use together::Together;
use waiting::Waiting;

/// Sockets written to before other tasks have their turn, unless that takes long.
const CHUNK_LEN: usize = 128;
/// How long a round may go on before what it has queued is written.
const ROUND_MAX: Duration = Duration::from_micros(200);
const SMALL_BYTES: usize = 4 << 10;
/// Written to a socket before others have their turn: a client that takes all it gets
/// would hold them up for as long as its queue is.
const TURN_BYTES: usize = 64 << 10;
/// Room that is kept from one round to the next.
const KEPT_LEN_MAX: usize = 16 << 10;

/// What has become of a connection's queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// It is empty.
    All,
    /// The socket takes no more for now, or has not sent what it has taken, or it is
    /// somebody else's turn.
    Blocked,
    /// The socket is broken.
    Broken,
}

/// What an event loop has to write.
#[derive(Default)]
pub(crate) struct Outbox {
    /// Empty, for those that come next.
    letters: RefCell<Letters>,
    waiting: RefCell<Waiting>,
    /// Where every connection takes the frames which it writes.
    pub(crate) batch: RefCell<Batch>,
    /// HTTP connections which hold something back.
    corks: RefCell<Vec<Due>>,
    /// Since when what was queued may be waiting, in this round of tasks.
    since: Cell<Option<Instant>>,
    together: RefCell<Together>,
}

impl EventLoop {
    /// Writes what is queued, round after round, for ever.
    pub(crate) async fn write_outbox(&self) {
        loop {
            self.mailbox.notified().await;
            self.outbox.since.set(None);
            while self.write_some() {
                tokio::task::yield_now().await;
            }
        }
    }

    /// An event has ended now: writes what is queued if the round takes long, since
    /// others would wait for handlers which they have nothing to do with.
    /// Whether it did.
    pub(crate) fn write_if_late(&self, now: Instant) -> bool {
        let since = &self.outbox.since;
        match since.get() {
            None => since.set(Some(now)),
            Some(since) if now.duration_since(since) < ROUND_MAX => {}
            Some(_) => {
                self.write_some();
                since.set(Some(Instant::now()));
                return true;
            }
        }
        false
    }

    /// Somebody has something to write in this round. Whether others had before.
    pub(crate) fn enter_round(&self) -> bool {
        let has_begun = self.outbox.since.get().is_some();
        if !has_begun {
            self.outbox.since.set(Some(Instant::now()));
            self.mailbox.notify();
        }
        has_begun
    }

    /// Has a connection write what it holds back, at the end of this round.
    pub(crate) fn uncork_later(&self, due: Due) {
        let mut corks = self.outbox.corks.borrow_mut();
        if corks.is_empty() {
            self.mailbox.notify();
        }
        corks.push(due);
    }

    /// Writes for some of the connections. False if there was nothing to write.
    fn write_some(&self) -> bool {
        let has_corks = self.uncork_some();
        self.write_frames() || has_corks
    }

    fn uncork_some(&self) -> bool {
        let mut corks = self.outbox.corks.borrow_mut();
        let len = corks.len().min(SENDS_MAX);
        let mut together = self.outbox.together.borrow_mut();
        for cork in corks.drain(..len).filter_map(|cork| cork.upgrade()) {
            let lent = match len > 1 && together.is_possible() {
                true => cork.lend(),
                false => None,
            };
            match lent {
                Some((socket, bytes)) => together.corks.push((cork, socket, bytes)),
                None => cork.uncork(),
            }
        }
        corks.shrink_to(KEPT_LEN_MAX);
        drop(corks);
        together.send_corks();
        len > 0
    }

    fn write_frames(&self) -> bool {
        let mut letters = self.outbox.letters.borrow_mut();
        self.mailbox.collect(&mut letters);
        let mut waiting = self.outbox.waiting.borrow_mut();
        waiting.add(&mut letters.due);
        let has_some = !waiting.is_empty() || !letters.wakers.is_empty();
        for waker in letters.wakers.drain(..) {
            waker.wake();
        }
        if !waiting.is_empty() {
            self.write_to_some(&mut waiting);
        }
        has_some
    }

    /// Writes to some of these sockets, one after the other, until it has taken long:
    /// then it is another tenant's turn.
    fn write_to_some(&self, waiting: &mut Waiting) {
        let mut bill = Bill::new(&*self.plugins);
        let mut together = self.outbox.together.borrow_mut();
        let has_others = waiting.are_several();
        for count in 1.. {
            let Some(letter) = waiting.next() else {
                break;
            };
            if together.would_be_overtaken_by(letter) {
                self.send_frames(&mut together, &mut bill);
            }
            self.write_to(letter, has_others, &mut together, &mut bill);
            if together.is_full() {
                self.send_frames(&mut together, &mut bill);
            }
            if bill.is_long() || count == CHUNK_LEN {
                waiting.end_turn(letter.tenant);
                break;
            }
        }
        self.send_frames(&mut together, &mut bill);
    }

    fn write_to(
        &self,
        letter: Letter,
        has_others: bool,
        together: &mut Together,
        bill: &mut Bill<'_>,
    ) {
        self.sockets.with(letter.place, |connection, stream| {
            let tenant = connection.key.tenant;
            if tenant != letter.tenant {
                // The place is another's by now, who has letters of its own.
                return;
            }
            let socket = stream.tcp_socket();
            let sole = socket.and_then(|socket| Some((socket, connection.take_sole()?)));
            let mut batch = self.outbox.batch.borrow_mut();
            let begun = match sole {
                Some((socket, frame)) if has_others && together.takes(&frame) => {
                    together.frames.push((letter, socket, frame));
                    return;
                }
                Some((_, frame)) => {
                    bill.note(tenant);
                    // Most often this is all, and nobody need hear of it.
                    let begun = stream.write_now(&[IoSlice::new(&frame)]);
                    if is_whole(&begun, &frame) {
                        if frame.len() > SMALL_BYTES {
                            bill.pay();
                        }
                        return;
                    }
                    connection.untake_sole(frame, &mut batch);
                    begun
                }
                None if connection.take_posted(&mut batch) => {
                    bill.note(tenant);
                    with_slices(&batch, |slices| stream.write_now(slices))
                }
                None => return,
            };
            let is_small = matches!(&*batch.frames, [frame] if frame.len() <= SMALL_BYTES);
            finish(begun, connection, stream, &mut batch);
            if !is_small {
                bill.pay();
            }
        });
    }

    /// Sends the frames that are sent together.
    fn send_frames(&self, together: &mut Together, bill: &mut Bill<'_>) {
        if together.frames.is_empty() {
            return;
        }
        // What was before is another's time.
        bill.pay();
        together.send_frames();
        let Together { frames, sent, .. } = together;
        bill.share(frames.iter().map(|(letter, ..)| letter.tenant));
        for ((letter, _, frame), sent) in frames.drain(..).zip(sent.drain(..)) {
            if is_whole(&sent, &frame) {
                continue;
            }
            bill.note(letter.tenant);
            self.sockets.with(letter.place, |connection, stream| {
                let mut batch = self.outbox.batch.borrow_mut();
                connection.untake_sole(frame, &mut batch);
                finish(sent, connection, stream, &mut batch);
            });
        }
    }
}

/// Whether all of a frame was sent.
fn is_whole(sent: &Sent, frame: &Bytes) -> bool {
    matches!(sent, Some(Ok(len)) if *len == frame.len())
}

/// Goes on when something of the frames in `batch` has been sent, or could not be, and
/// tells the task if that has to.
fn finish(begun: Sent, connection: &Connection, stream: &mut Stream, batch: &mut Batch) {
    // The task registers its own waker when it finds the socket full.
    let mut context = Context::from_waker(Waker::noop());
    match go_on(begun, connection, stream, batch, &mut context) {
        Written::All => {}
        Written::Blocked => connection.rouse(),
        Written::Broken => {
            connection.lose();
            connection.rouse();
        }
    }
}

/// Writes the frames in `batch`, which were taken from the queue, and then all
/// others in it. If they are many, only some: then `context` is woken at once.
pub(crate) fn write_all(
    connection: &Connection,
    stream: &mut Stream,
    batch: &mut Batch,
    context: &mut Context<'_>,
) -> Written {
    go_on(None, connection, stream, batch, context)
}

/// The same when something has been written already, or could not be.
fn go_on(
    mut result: Option<io::Result<usize>>,
    connection: &Connection,
    stream: &mut Stream,
    batch: &mut Batch,
    context: &mut Context<'_>,
) -> Written {
    let mut bytes = 0;
    loop {
        match result {
            Some(Ok(written)) => {
                bytes += written;
                if !connection.give_back(batch, written) {
                    return send_all(stream, context);
                }
                if connection.is_held(&connection.settings().connection) {
                    // It is not read from, so this is its sign of life.
                    connection.hear();
                }
                if !connection.take(batch) {
                    return send_all(stream, context);
                }
                if bytes >= TURN_BYTES {
                    connection.block(batch);
                    context.waker().wake_by_ref();
                    return Written::Blocked;
                }
            }
            Some(Err(_)) => {
                batch.frames.clear();
                return Written::Broken;
            }
            None => {}
        }
        result = match write(stream, context, batch) {
            Poll::Ready(result) => Some(result),
            Poll::Pending => {
                connection.block(batch);
                return Written::Blocked;
            }
        };
    }
}

/// Has what the socket has taken sent. Plain TCP has sent it.
pub(crate) fn send_all(stream: &mut Stream, context: &mut Context<'_>) -> Written {
    match stream.poll_send(context) {
        Poll::Ready(Ok(())) => Written::All,
        Poll::Ready(Err(_)) => Written::Broken,
        Poll::Pending => Written::Blocked,
    }
}

fn write(stream: &mut Stream, context: &mut Context<'_>, batch: &Batch) -> Poll<io::Result<usize>> {
    let stream = Pin::new(stream);
    with_slices(batch, |slices| match slices {
        [frame] => stream.poll_write(context, frame),
        _ => stream.poll_write_vectored(context, slices),
    })
}

fn with_slices<T>(batch: &Batch, write: impl FnOnce(&[IoSlice<'_>]) -> T) -> T {
    if let [frame] = batch.frames.as_slice() {
        return write(&[IoSlice::new(frame)]);
    }
    let mut slices = [IoSlice::new(&[]); BATCH_LEN_MAX];
    let (mut len, mut bytes) = (0, 0);
    for (slice, frame) in slices.iter_mut().zip(&batch.frames) {
        *slice = IoSlice::new(frame);
        len += 1;
        bytes += frame.len();
        if bytes >= TURN_BYTES {
            break;
        }
    }
    write(slices.get(..len).unwrap_or_default())
}
