//! What is sent to a client: on its way into the queue, and out of it.

use std::sync::MutexGuard;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use holdfast_core::MessageRef;
use holdfast_core::edge::SendError;
use holdfast_core::event::CloseCause;
use holdfast_core::limits::{ConnectionLimits, SlowConsumer};
use holdfast_core::metrics::LimitHit;

use super::{Connection, Shared, Writer, closure};
use crate::frame;
use crate::lock::lock;
use crate::mailbox::Letter;
use crate::queue::{Batch, Queue};
use crate::sockets::Place;

impl Connection {
    /// Whether a message to the client is not too long.
    pub(crate) fn check_len(&self, message: MessageRef<'_>) -> Result<(), SendError> {
        let len = message.payload().len();
        if len <= self.message_bytes_max.load(Ordering::Relaxed) as usize {
            return Ok(());
        }
        let bytes_max = self.settings().connection.message_bytes_max;
        match len > bytes_max {
            true => Err(SendError::TooLarge(bytes_max as u64)),
            false => Ok(()),
        }
    }

    /// Queues an encoded message; see [`holdfast_core::Edge::send`].
    pub(crate) fn send(&self, frame: Bytes) -> Result<u64, SendError> {
        self.send_made(|_| frame)
    }

    /// The same with a frame that is made as [`Self::queue_made`] says.
    pub(super) fn send_made(
        &self,
        frame: impl FnOnce(&mut Queue) -> Bytes,
    ) -> Result<u64, SendError> {
        let (bytes, letter) = self.queue_made(frame)?;
        self.tell_outbox(letter);
        Ok(bytes)
    }

    /// Queues a frame that is made when it is known to have its place behind all
    /// those before it, which it may refer to. Returns the bytes that are queued
    /// now, and what the outbox has to be told of.
    pub(super) fn queue_made(
        &self,
        frame: impl FnOnce(&mut Queue) -> Bytes,
    ) -> Result<(u64, Option<Letter>), SendError> {
        let mut shared = lock(&self.shared);
        if shared.is_closing() {
            return Err(SendError::Gone);
        }
        // An empty queue takes anything, which spares a look at the limits.
        if !shared.queue.is_empty() {
            self.make_room(&mut shared)?;
        }
        let before = shared.queue.window_bytes();
        let frame = frame(&mut shared.queue);
        self.count_windows(before, shared.queue.window_bytes());
        if frame::is_deflated(&frame) {
            self.settings().metrics.note_compressed_out(frame.len());
        }
        shared.queue.push(frame);
        if let Some(session) = shared.session() {
            session.send(1, 0);
        }
        if shared.queue.is_counted() {
            self.recount(&mut shared);
        }
        let letter = self.letter(&mut shared);
        Ok((shared.queue.bytes() as u64, letter))
    }

    /// Does what is to be done when a queue is full.
    fn make_room(&self, shared: &mut Shared) -> Result<(), SendError> {
        let bytes = shared.queue.bytes();
        if bytes < self.queue_bytes_max.load(Ordering::Relaxed) as usize {
            return Ok(());
        }
        let settings = self.settings();
        let limits = &settings.connection;
        if bytes < limits.queue_bytes_max {
            return Ok(());
        }
        settings.metrics.note_limit(LimitHit::Queue);
        match limits.slow_consumer {
            SlowConsumer::Wait => Err(SendError::Full(bytes as u64)),
            SlowConsumer::DropOldest if !self.may_refer() => {
                shared.queue.drop_oldest(limits.queue_bytes_max);
                Ok(())
            }
            // A reload has brought `drop-oldest` to a connection whose messages
            // refer to each other: none of them can be dropped.
            SlowConsumer::DropOldest | SlowConsumer::Close => {
                shared.queue.discard();
                self.recount(shared);
                shared.close(closure(CloseCause::SlowConsumer, 1013, "slow consumer"));
                self.wake(shared.parked.take());
                Err(SendError::Gone)
            }
        }
    }

    /// Has the outbox write what is queued, unless somebody will.
    pub(super) fn post(&self, mut shared: MutexGuard<'_, Shared>) {
        let letter = self.letter(&mut shared);
        drop(shared);
        self.tell_outbox(letter);
    }

    /// What the outbox has to be told, if it is to write.
    fn letter(&self, shared: &mut Shared) -> Option<Letter> {
        let tenant = self.key.tenant;
        shared.hand_over().map(|place| Letter { tenant, place })
    }

    fn tell_outbox(&self, letter: Option<Letter>) {
        if let Some(letter) = letter {
            self.home.post(letter);
        }
    }

    /// Takes what there is to write, for the outbox, if it is one frame. It is
    /// thought written, which it nearly always is at once: who finds that it is not
    /// says so with [`Self::untake_sole`].
    pub(crate) fn take_sole(&self) -> Option<Bytes> {
        let mut shared = lock(&self.shared);
        if shared.writer == Writer::Blocked || shared.session().is_some() {
            return None;
        }
        let frame = shared.queue.take_sole()?;
        shared.writer = Writer::Task;
        Some(frame)
    }

    /// Puts such a frame into `batch`, ahead of all that has come meanwhile.
    pub(crate) fn untake_sole(&self, frame: Bytes, batch: &mut Batch) {
        let mut shared = lock(&self.shared);
        shared.queue.untake_sole(frame, batch);
        shared.writer = Writer::Outbox;
    }

    /// Takes frames to write, for the outbox. False if it is not for it to do.
    pub(crate) fn take_posted(&self, batch: &mut Batch) -> bool {
        let mut shared = lock(&self.shared);
        if shared.writer == Writer::Blocked {
            return false;
        }
        shared.take(batch)
    }

    /// Takes frames to write. False if there are none.
    pub(crate) fn take(&self, batch: &mut Batch) -> bool {
        lock(&self.shared).take(batch)
    }

    /// Gives back what was not written. True if there is more to write.
    pub(crate) fn give_back(&self, batch: &mut Batch, written: usize) -> bool {
        let mut shared = lock(&self.shared);
        shared.queue.give_back(batch, written);
        if let Some(session) = shared.session() {
            session.send(0, written);
        }
        self.recount(&mut shared);
        let has_more = !shared.queue.is_empty();
        if !has_more {
            shared.writer = Writer::Task;
        }
        has_more
    }

    /// Gives back all of it: the socket is full. The task waits until it is not.
    pub(crate) fn block(&self, batch: &mut Batch) {
        let mut shared = lock(&self.shared);
        shared.queue.give_back(batch, 0);
        self.recount(&mut shared);
        shared.writer = Writer::Blocked;
    }

    /// Has the task go on, if it waits.
    pub(crate) fn rouse(&self) {
        let waker = lock(&self.shared).parked.take();
        self.wake(waker);
    }

    /// Whether the host has to stop reading from a client that does not read.
    pub(crate) fn is_held(&self, limits: &ConnectionLimits) -> bool {
        limits.slow_consumer == SlowConsumer::Wait
            && lock(&self.shared).queue.bytes() >= limits.queue_bytes_max
    }
}

impl Shared {
    /// What the outbox has to be told of for it to write what is queued; none if it
    /// knows, or if the task will.
    fn hand_over(&mut self) -> Option<Place> {
        let place = self.place.filter(|_| self.writer == Writer::Task)?;
        self.writer = Writer::Outbox;
        Some(place)
    }
}
