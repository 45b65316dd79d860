//! Writes what is queued for the WebSockets of an event loop, and what its HTTP
//! connections hold back, without their tasks.
//!
//! Everything that the loop's tasks have queued in one round is written after
//! it, one socket after the other: a task that has answered need not run again,
//! thousands of subscribers need not run at all, and clients are woken together.
//! Only where a socket is full or broken does its task go on.

mod bill;
mod together;

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
use crate::mailbox::Letters;
use crate::queue::{BATCH_LEN_MAX, Batch};
use crate::ring::{SENDS_MAX, Sent};
use crate::sockets::Place;
use crate::stream::Stream;
use bill::Bill;
use together::Together;

/// Sockets written to before other tasks have their turn, unless that takes long.
const CHUNK_LEN: usize = 128;
/// How long a round may go on before what it has queued is written.
const ROUND_MAX: Duration = Duration::from_micros(200);
const SMALL_BYTES: usize = 4 << 10;
/// Room that is kept from one round to the next.
const KEPT_LEN_MAX: usize = 16 << 10;

/// What has become of a connection's queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// It is empty.
    All,
    /// The socket takes no more for now, or has not sent what it has taken.
    Blocked,
    /// The socket is broken.
    Broken,
}

/// What an event loop has to write.
#[derive(Default)]
pub(crate) struct Outbox {
    letters: RefCell<Letters>,
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
        if letters.due.is_empty() {
            letters.due.shrink_to(KEPT_LEN_MAX);
            self.mailbox.collect(&mut letters);
            // In the order of memory, where most of their time goes. One that is there
            // twice could have something overtake what is sent together with others.
            letters.due.sort_unstable();
            letters.due.dedup();
        }
        let len = letters.due.len().min(CHUNK_LEN);
        let has_some = len > 0 || !letters.wakers.is_empty();
        for waker in letters.wakers.drain(..) {
            waker.wake();
        }
        let written = self.write_to_each(letters.due.get(..len).unwrap_or_default());
        letters.due.drain(..written);
        has_some
    }

    /// Writes to these sockets, one after the other, until it has taken long.
    /// Returns how many there were.
    fn write_to_each(&self, places: &[Place]) -> usize {
        if places.is_empty() {
            return 0;
        }
        let mut bill = Bill::new(&*self.plugins);
        let mut together = self.outbox.together.borrow_mut();
        let mut count = 0;
        for &place in places {
            self.write_to(place, places.len() > 1, &mut together, &mut bill);
            count += 1;
            if together.is_full() {
                self.send_frames(&mut together, &mut bill);
            }
            if bill.is_long() {
                break;
            }
        }
        self.send_frames(&mut together, &mut bill);
        count
    }

    fn write_to(
        &self,
        place: Place,
        has_others: bool,
        together: &mut Together,
        bill: &mut Bill<'_>,
    ) {
        self.sockets.with(place, |connection, stream| {
            let tenant = connection.key.tenant;
            let socket = stream.tcp_socket();
            let sole = socket.and_then(|socket| Some((socket, connection.take_sole()?)));
            let mut batch = self.outbox.batch.borrow_mut();
            let begun = match sole {
                Some((socket, frame)) if has_others && together.takes(&frame) => {
                    together.frames.push((place, tenant, socket, frame));
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
        bill.share(frames.iter().map(|(_, tenant, ..)| *tenant));
        for ((place, tenant, _, frame), sent) in frames.drain(..).zip(sent.drain(..)) {
            if is_whole(&sent, &frame) {
                continue;
            }
            bill.note(tenant);
            self.sockets.with(place, |connection, stream| {
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
/// others in it.
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
    loop {
        match result {
            Some(Ok(written)) => {
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
    let mut len = 0;
    for (slice, frame) in slices.iter_mut().zip(&batch.frames) {
        *slice = IoSlice::new(frame);
        len += 1;
    }
    write(slices.get(..len).unwrap_or_default())
}
