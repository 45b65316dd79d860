//! What is sent to many sockets with one call of the system, where that has such a
//! call. It saves a tenth of the time of each.

use std::os::fd::RawFd;
use std::rc::Rc;

use bytes::Bytes;

use super::SMALL_BYTES;
use crate::http1::Cork;
use crate::mailbox::Letter;
use crate::ring::{Ring, SENDS_MAX, Sent};

/// What is to be sent together. All of it is sent before anything else happens on the
/// loop, so that each socket is there.
pub(super) struct Together {
    /// None where the system has none: then sockets are written to one by one.
    ring: Option<Ring>,
    pub(super) frames: Vec<(Letter, RawFd, Bytes)>,
    pub(super) corks: Vec<(Rc<Cork>, RawFd, Vec<u8>)>,
    /// What has come of those which were sent last.
    pub(super) sent: Vec<Sent>,
}

impl Default for Together {
    fn default() -> Self {
        Self {
            ring: Ring::new(),
            frames: Vec::new(),
            corks: Vec::new(),
            sent: Vec::new(),
        }
    }
}

impl Together {
    /// Whether the system can do it.
    pub(super) fn is_possible(&self) -> bool {
        self.ring.is_some()
    }

    /// Whether this frame is to be sent together with others.
    pub(super) fn takes(&self, frame: &Bytes) -> bool {
        self.is_possible() && frame.len() <= SMALL_BYTES
    }

    /// Whether the socket of this letter may have a frame here already, which has to be
    /// sent first. The sockets of a tenant come in their order, and then again from the
    /// beginning.
    pub(super) fn would_be_overtaken_by(&self, letter: Letter) -> bool {
        let last = self.frames.last().map(|(last, ..)| *last);
        last.is_some_and(|last| last.tenant == letter.tenant && last.place >= letter.place)
    }

    /// Whether so many frames are there that sending them takes long enough.
    pub(super) fn is_full(&self) -> bool {
        self.frames.len() >= SENDS_MAX
    }

    /// Sends the frames.
    pub(super) fn send_frames(&mut self) {
        let sends = self.frames.iter();
        let sends = sends.map(|(_, socket, frame)| (*socket, &frame[..]));
        send(&mut self.ring, sends, &mut self.sent);
    }

    /// Sends what HTTP connections have lent, and gives it back.
    pub(super) fn send_corks(&mut self) {
        if self.corks.is_empty() {
            return;
        }
        let sends = self.corks.iter();
        let sends = sends.map(|(_, socket, bytes)| (*socket, &bytes[..]));
        send(&mut self.ring, sends, &mut self.sent);
        for ((cork, _, bytes), sent) in self.corks.drain(..).zip(self.sent.drain(..)) {
            cork.settle(bytes, sent);
        }
    }
}

/// What could not be sent this way has nothing in `sent`, and is then written as if
/// there were no such way.
fn send<'a>(
    ring: &mut Option<Ring>,
    sends: impl ExactSizeIterator<Item = (RawFd, &'a [u8])>,
    sent: &mut Vec<Sent>,
) {
    let len = sends.len();
    if let Some(working) = ring
        && let Err(error) = working.send(sends, sent)
    {
        tracing::warn!("sockets are written to one by one from now on: {error}");
        *ring = None;
    }
    sent.resize_with(len, || None);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_ring_nothing_is_sent_and_all_is_left_to_others() {
        let sends = [(0, &b"a"[..]), (1, b"b")];
        let mut sent = Vec::new();
        send(&mut None, sends.into_iter(), &mut sent);
        assert!(matches!(sent[..], [None, None]));
    }
}
