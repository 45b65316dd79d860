//! The frames that wait to be written to one client, counted in bytes.
//!
//! Data frames and the close frame wait in order. Pongs and a ping overtake
//! them (RFC 6455, section 5.4), and few of them wait, so that a client which
//! pings and never reads can't make the queue grow.

use std::collections::VecDeque;

use bytes::{Buf, Bytes};

use crate::deflate::Windows;
use crate::frame;

/// Frames written at once; Linux takes up to 1,024.
pub(crate) const BATCH_LEN_MAX: usize = 64;

/// Pongs that wait for one client. Of more pings the oldest are not answered,
/// which section 5.5.3 allows.
const PONGS_LEN_MAX: usize = 16;
/// The same in bytes of their frames.
const PONGS_BYTES_MAX: usize = 512;

/// Outbound frames of one connection. Owns no memory while it is empty, and no
/// more than the frame itself while it holds one, as when something is published.
#[derive(Default)]
pub(crate) struct Queue {
    /// Those behind it are in `rare`; none are if it is none.
    first: Option<Bytes>,
    /// Of all frames here and in a batch.
    bytes: usize,
    /// Of them, as they were counted last.
    counted: u32,
    /// Whether the first frame has been written in part.
    cut: bool,
    rare: Option<Box<Rare>>,
    ping: bool,
}

/// Boxed, since few connections have any of it, and each has room for it.
#[derive(Default)]
struct Rare {
    /// Frames behind the first.
    rest: VecDeque<Bytes>,
    pongs: VecDeque<Bytes>,
    /// What compressed messages may refer to.
    windows: Windows,
}

/// Frames taken out of a queue to be written.
#[derive(Default)]
pub(crate) struct Batch {
    /// In the order in which they are to be written.
    pub(crate) frames: Vec<Bytes>,
    cut: bool,
}

impl Queue {
    /// Bytes not yet written; of a waiting ping or pong from the moment it has
    /// its place in the order.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many bytes were counted when this was last called, and how many are
    /// now.
    pub(crate) fn recount(&mut self) -> (u32, u32) {
        let now = u32::try_from(self.bytes).unwrap_or(u32::MAX);
        (std::mem::replace(&mut self.counted, now), now)
    }

    /// Whether it held something when it was last counted.
    pub(crate) fn is_counted(&self) -> bool {
        self.counted > 0
    }

    /// Drops everything.
    pub(crate) fn clear(&mut self) {
        *self = Self {
            counted: self.counted,
            ..Self::default()
        };
    }

    /// Whether there is nothing to write.
    pub(crate) fn is_empty(&self) -> bool {
        let has_pong = self
            .rare
            .as_ref()
            .is_some_and(|rare| !rare.pongs.is_empty());
        self.first.is_none() && !has_pong && !self.ping
    }

    /// Adds a frame at the end.
    pub(crate) fn push(&mut self, frame: Bytes) {
        self.bytes += frame.len();
        match self.first {
            None => self.first = Some(frame),
            Some(_) => self.rest().push_back(frame),
        }
    }

    fn rest(&mut self) -> &mut VecDeque<Bytes> {
        &mut self.rare.get_or_insert_default().rest
    }

    fn get(&self, index: usize) -> Option<&Bytes> {
        match index.checked_sub(1) {
            None => self.first.as_ref(),
            Some(index) => self.rare.as_ref()?.rest.get(index),
        }
    }

    fn push_front(&mut self, frame: Bytes) {
        if let Some(second) = self.first.replace(frame) {
            self.rest().push_front(second);
        }
    }

    fn take_at(&mut self, index: usize) -> Option<Bytes> {
        let rest = self.rare.as_mut().map(|rare| &mut rare.rest);
        match index.checked_sub(1) {
            None => {
                let second = rest.and_then(VecDeque::pop_front);
                std::mem::replace(&mut self.first, second)
            }
            Some(index) => rest?.remove(index),
        }
    }

    /// Answers a ping; only the latest are answered if too many wait.
    pub(crate) fn pong(&mut self, payload: &[u8]) {
        let pongs = &mut self.rare.get_or_insert_default().pongs;
        pongs.push_back(frame::pong(payload));
        let is_much = |pongs: &VecDeque<Bytes>| {
            let bytes: usize = pongs.iter().map(Bytes::len).sum();
            pongs.len() > PONGS_LEN_MAX || bytes > PONGS_BYTES_MAX
        };
        while is_much(pongs) {
            pongs.pop_front();
        }
    }

    /// What compressed messages may refer to.
    pub(crate) fn windows(&mut self) -> &mut Windows {
        &mut self.rare.get_or_insert_default().windows
    }

    /// Bytes that are kept of messages to which others may refer.
    pub(crate) fn window_bytes(&self) -> usize {
        self.rare.as_ref().map_or(0, |rare| rare.windows.bytes())
    }

    fn take_pongs(&mut self) -> VecDeque<Bytes> {
        let Some(rare) = &mut self.rare else {
            return VecDeque::new();
        };
        std::mem::take(&mut rare.pongs)
    }

    /// Gives back memory which nothing is in any more.
    fn tidy(&mut self) {
        let Some(rare) = &mut self.rare else {
            return;
        };
        if !rare.rest.is_empty() {
            return;
        }
        if rare.pongs.is_empty() && rare.windows.is_empty() {
            self.rare = None;
        } else {
            rare.rest = VecDeque::new();
        }
    }

    /// Asks for a sign of life.
    pub(crate) fn ping(&mut self) {
        self.ping = true;
    }

    /// Drops the oldest messages until fewer than `bytes_max` wait, or none is
    /// left that can be dropped. Control frames stay, and so does a frame which
    /// the client has begun to receive.
    pub(crate) fn drop_oldest(&mut self, bytes_max: usize) {
        let mut index = usize::from(self.cut);
        while self.bytes >= bytes_max {
            match self.get(index) {
                None => return,
                Some(frame) if frame::is_control(frame) => index += 1,
                Some(_) => self.remove(index),
            }
        }
    }

    /// Drops everything but a frame which the client has begun to receive.
    pub(crate) fn discard(&mut self) {
        self.take_pongs();
        self.ping = false;
        let kept = usize::from(self.cut);
        while self.get(kept).is_some() {
            self.remove(kept);
        }
        self.tidy();
    }

    fn remove(&mut self, index: usize) {
        if let Some(frame) = self.take_at(index) {
            self.bytes -= frame.len();
        }
    }

    /// Takes the only frame, if it is all that there is to write and to know. It
    /// counts no more.
    pub(crate) fn take_sole(&mut self) -> Option<Bytes> {
        let is_more = self.rare.is_some() || self.ping || self.cut || self.is_counted();
        let frame = self.first.take_if(|_| !is_more)?;
        self.bytes -= frame.len();
        Some(frame)
    }

    /// Takes such a frame into account again, as one which is in `batch`.
    pub(crate) fn untake_sole(&mut self, frame: Bytes, batch: &mut Batch) {
        self.bytes += frame.len();
        batch.frames.push(frame);
    }

    /// Moves the first frames to `batch`, which has to be empty. They still
    /// count until [`Self::give_back`].
    pub(crate) fn take(&mut self, batch: &mut Batch) {
        let pongs = self.take_pongs();
        let ping = std::mem::take(&mut self.ping).then(frame::ping);
        for control in pongs.into_iter().rev().chain(ping) {
            self.bytes += control.len();
            match self.cut {
                true => self.rest().push_front(control),
                false => self.push_front(control),
            }
        }
        batch.frames.extend(self.first.take());
        if let Some(rare) = &mut self.rare {
            let len = rare.rest.len().min(BATCH_LEN_MAX - 1);
            batch.frames.extend(rare.rest.drain(..len));
            self.first = rare.rest.pop_front();
        }
        batch.cut = std::mem::take(&mut self.cut);
    }

    /// Returns what was not written of a batch, of which `written` bytes were.
    pub(crate) fn give_back(&mut self, batch: &mut Batch, mut written: usize) {
        self.bytes -= written;
        let mut cut = std::mem::take(&mut batch.cut);
        let mut rest = 0;
        for frame in &mut batch.frames {
            if written >= frame.len() {
                written -= frame.len();
                rest += 1;
                cut = false;
                continue;
            }
            if written > 0 {
                frame.advance(written);
                cut = true;
            }
            break;
        }
        if rest < batch.frames.len() {
            self.cut = cut;
        }
        for frame in batch.frames.drain(rest..).rev() {
            self.push_front(frame);
        }
        batch.frames.clear();
        self.tidy();
    }
}

#[cfg(test)]
mod tests {
    use holdfast_core::MessageRef;

    use super::*;

    fn data(byte: u8) -> Bytes {
        frame::encode(MessageRef::Binary(&[byte; 8]))
    }

    fn queue(frames: u8) -> Queue {
        let mut queue = Queue::default();
        for byte in 0..frames {
            queue.push(data(byte));
        }
        queue
    }

    /// Writes `bytes` and returns what went out.
    fn write(queue: &mut Queue, bytes: usize) -> Vec<u8> {
        let mut batch = Batch::default();
        queue.take(&mut batch);
        let all = batch.frames.concat();
        let written = bytes.min(all.len());
        queue.give_back(&mut batch, written);
        all[..written].to_vec()
    }

    #[test]
    fn every_byte_is_written_once_whatever_the_socket_takes() {
        for step in 1..=31 {
            let mut queue = queue(3);
            let mut written = Vec::new();
            while !queue.is_empty() {
                written.extend(write(&mut queue, step));
                assert_eq!(queue.bytes(), 30 - written.len());
            }
            assert_eq!(written, [data(0), data(1), data(2)].concat());
            assert!(queue.rare.is_none());
        }
    }

    #[test]
    fn a_sole_frame_which_was_not_written_whole_is_the_first_again() {
        let mut queue = queue(1);
        let frame = queue.take_sole().unwrap();
        assert_eq!((queue.bytes(), queue.is_empty()), (0, true));
        queue.push(data(1));
        let mut batch = Batch::default();
        queue.untake_sole(frame, &mut batch);
        assert_eq!(queue.bytes(), 20);
        queue.give_back(&mut batch, 3);
        assert!(queue.take_sole().is_none(), "it is not all");
        assert_eq!(queue.bytes(), 17);
        let rest = write(&mut queue, usize::MAX);
        assert_eq!(rest, [&data(0)[3..], &data(1)[..]].concat());
        assert!(queue.take_sole().is_none(), "there is none");
    }

    #[test]
    fn a_frame_begun_survives_the_dropping_of_the_oldest() {
        let mut queue = queue(4);
        write(&mut queue, 3);
        queue.drop_oldest(20);
        assert_eq!(queue.bytes(), 17);
        let rest = write(&mut queue, usize::MAX);
        assert_eq!(rest, [&data(0)[3..], &data(3)[..]].concat());
    }

    #[test]
    fn nothing_whole_survives_a_discard() {
        let mut queue = queue(3);
        write(&mut queue, 11);
        queue.discard();
        assert_eq!(write(&mut queue, usize::MAX), data(1)[1..]);
        assert_eq!(queue.bytes(), 0);
    }

    #[test]
    fn pongs_go_between_frames_in_the_order_of_the_pings() {
        let mut queue = queue(2);
        write(&mut queue, 1);
        queue.pong(b"a");
        queue.pong(b"b");
        let rest = write(&mut queue, usize::MAX);
        let pongs = b"\x8a\x01a\x8a\x01b";
        assert_eq!(rest, [&data(0)[1..], pongs, &data(1)[..]].concat());
        assert!(queue.is_empty());
    }

    #[test]
    fn only_the_latest_pongs_wait() {
        let mut queue = queue(0);
        for payload in 0..100 {
            queue.pong(&[payload]);
        }
        let written = write(&mut queue, usize::MAX);
        let payloads: Vec<u8> = written.chunks(3).map(|pong| pong[2]).collect();
        let latest: Vec<u8> = (100 - PONGS_LEN_MAX as u8..100).collect();
        assert_eq!(payloads, latest);
        assert_eq!(queue.bytes(), 0);
    }
}
