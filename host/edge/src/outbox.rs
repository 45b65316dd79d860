//! Writes what is queued for the WebSockets of an event loop, and what its HTTP
//! connections hold back, without their tasks.
//!
//! Everything that the loop's tasks have queued in one round is written after
//! it, one socket after the other: a task that has answered need not run again,
//! thousands of subscribers need not run at all, and clients are woken together.
//! Only where a socket is full or broken does its task go on.

use std::cell::{Cell, RefCell};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use holdfast_core::{Plugins, TenantId};
use tokio::io::AsyncWrite;

use crate::connection::Connection;
use crate::event_loop::EventLoop;
use crate::http1::Due;
use crate::mailbox::Letters;
use crate::queue::{BATCH_LEN_MAX, Batch};
use crate::sockets::Place;
use crate::stream::Stream;

/// Sockets written to before other tasks have their turn, unless that takes long.
const CHUNK_LEN: usize = 128;
/// The same of HTTP connections.
const CORKS_LEN: usize = 64;
/// How long a round may go on before what it has queued is written.
const ROUND_MAX: Duration = Duration::from_micros(200);
/// How long sockets are written to before other tasks have their turn.
const CHUNK_TIME: Duration = Duration::from_micros(250);
/// Sockets of one tenant between two looks at the clock, as long as each takes one
/// small frame.
const UNTIMED_LEN: u32 = 16;
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
        let len = corks.len().min(CORKS_LEN);
        for cork in corks.drain(..len).filter_map(|cork| cork.upgrade()) {
            cork.uncork();
        }
        corks.shrink_to(KEPT_LEN_MAX);
        len > 0
    }

    fn write_frames(&self) -> bool {
        let mut letters = self.outbox.letters.borrow_mut();
        if letters.due.is_empty() {
            letters.due.shrink_to(KEPT_LEN_MAX);
            self.mailbox.collect(&mut letters);
            if letters.due.len() > CHUNK_LEN {
                // In the order of memory, where most of their time goes.
                letters.due.sort_unstable();
            }
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
        for (index, &place) in places.iter().enumerate() {
            self.write_to(place, &mut bill);
            if bill.is_long() {
                return index + 1;
            }
        }
        places.len()
    }

    fn write_to(&self, place: Place, bill: &mut Bill<'_>) {
        self.sockets.with(place, |connection, stream| {
            bill.note(connection.key.tenant);
            let mut batch = self.outbox.batch.borrow_mut();
            let begun = match stream.is_tcp().then(|| connection.take_sole()).flatten() {
                Some(frame) => {
                    // Most often this is all, and nobody need hear of it.
                    let begun = stream.write_now(&[IoSlice::new(&frame)]);
                    if matches!(begun, Some(Ok(written)) if written == frame.len()) {
                        if frame.len() > SMALL_BYTES {
                            bill.pay();
                        }
                        return;
                    }
                    connection.untake_sole(frame, &mut batch);
                    begun
                }
                None if connection.take_posted(&mut batch) => {
                    with_slices(&batch, |slices| stream.write_now(slices))
                }
                None => return,
            };
            let is_small = matches!(&*batch.frames, [frame] if frame.len() <= SMALL_BYTES);
            // The task registers its own waker when it finds the socket full.
            let mut context = Context::from_waker(Waker::noop());
            match go_on(begun, connection, stream, &mut batch, &mut context) {
                Written::All => {}
                Written::Blocked => connection.rouse(),
                Written::Broken => {
                    connection.lose();
                    connection.rouse();
                }
            }
            if !is_small {
                bill.pay();
            }
        });
    }
}

/// Who has to pay for the time that writing takes.
struct Bill<'a> {
    plugins: &'a dyn Plugins,
    begin: Instant,
    /// What was before has been paid for.
    since: Instant,
    tenant: Option<TenantId>,
    sockets: u32,
}

impl<'a> Bill<'a> {
    fn new(plugins: &'a dyn Plugins) -> Self {
        let now = Instant::now();
        Self {
            plugins,
            begin: now,
            since: now,
            tenant: None,
            sockets: 0,
        }
    }

    /// From now on this one pays.
    fn note(&mut self, tenant: TenantId) {
        if self.tenant.is_some_and(|before| before != tenant) {
            self.pay();
        }
        self.tenant = Some(tenant);
    }

    /// After each socket: whether others should have their turn.
    fn is_long(&mut self) -> bool {
        self.sockets += 1;
        if self.sockets.is_multiple_of(UNTIMED_LEN) {
            self.pay();
        }
        self.since.duration_since(self.begin) >= CHUNK_TIME
    }

    /// Looks at the clock.
    fn pay(&mut self) {
        let now = Instant::now();
        if let Some(tenant) = self.tenant {
            let time = now.duration_since(self.since);
            self.plugins.charge(tenant, time);
        }
        self.since = now;
    }
}

impl Drop for Bill<'_> {
    fn drop(&mut self) {
        self.pay();
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
