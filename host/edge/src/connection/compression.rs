//! Compressed messages of a connection whose client has agreed to them.

use std::sync::atomic::Ordering;

use holdfast_core::MessageRef;
use holdfast_core::edge::SendError;

use super::Connection;
use crate::deflate::{Agreed, Compressors, ExpandError, Expander, Frames};
use crate::frame;
use crate::lock::lock;
use crate::mailbox::Posts;

impl Connection {
    /// Notes what the handshake has agreed on, before anything is sent.
    pub(crate) fn agree(&self, agreed: Agreed) {
        let packed = Agreed::pack(Some(agreed));
        self.agreed.store(packed, Ordering::Relaxed);
    }

    /// What was agreed on; none if messages go as they are.
    pub(crate) fn agreed(&self) -> Option<Agreed> {
        Agreed::unpack(self.agreed.load(Ordering::Relaxed))
    }

    /// Whether what is sent may refer to what was sent before.
    pub(super) fn may_refer(&self) -> bool {
        self.agreed().is_some_and(|agreed| agreed.server_context)
    }

    /// Queues a message, compressed if that was agreed on and is worth it; see
    /// [`holdfast_core::Edge::send`].
    pub(crate) fn send_message(
        &self,
        message: MessageRef<'_>,
        compressors: &Compressors,
    ) -> Result<u64, SendError> {
        let Some(agreed) = self.agreed() else {
            return self.send(frame::encode(message));
        };
        if message.payload().len() < self.compress_bytes_min() {
            return self.send(frame::encode(message));
        }
        let bits = agreed.server_bits;
        if !agreed.server_context {
            let frame = compressors.compress(message, bits, None);
            let frame = frame.unwrap_or_else(|| frame::encode(message));
            return self.send(frame);
        }
        // With the connection locked: it is known then what comes before it.
        self.send_made(|queue| {
            let sent = &mut queue.windows().sent;
            match compressors.compress(message, bits, Some(sent)) {
                Some(frame) => {
                    sent.add(message.payload(), bits);
                    frame
                }
                None => frame::encode(message),
            }
        })
    }

    /// Queues a message which many others get as well, and leaves it to `posts` to
    /// tell the outbox.
    pub(crate) fn send_one_of<'a>(
        &'a self,
        frames: &Frames<'_>,
        posts: &mut Posts<'a>,
    ) -> Result<(), SendError> {
        let agreed = self.agreed().map(|it| (it, self.compress_bytes_min()));
        let (_, letter) = self.queue_made(|queue| match agreed {
            None => frames.plain(),
            Some((agreed, bytes_min)) => {
                let context = agreed.server_context;
                let sent = context.then(|| &mut queue.windows().sent);
                frames.agreed(agreed, bytes_min, sent)
            }
        })?;
        if let Some(letter) = letter {
            posts.add(&self.home, letter);
        }
        Ok(())
    }

    fn compress_bytes_min(&self) -> usize {
        self.settings().connection.compress.bytes_min
    }

    /// The message in a compressed payload of the client's.
    pub(crate) fn expand(
        &self,
        payload: &[u8],
        bytes_max: usize,
        expander: &mut Expander,
    ) -> Result<Vec<u8>, ExpandError> {
        let context = self.agreed().and_then(|agreed| agreed.client_context);
        let Some(bits) = context else {
            return expander.expand(payload, bytes_max, None);
        };
        // Nobody else has to do with it: it is taken, and given back.
        let mut received = {
            let mut shared = lock(&self.shared);
            std::mem::take(&mut shared.queue.windows().received)
        };
        let before = received.bytes().len();
        let message = match expander.expand(payload, bytes_max, Some(&received)) {
            Ok(message) => message,
            Err(error) => {
                self.count_windows(before, 0);
                return Err(error);
            }
        };
        received.add(&message, bits);
        self.count_windows(before, received.bytes().len());
        lock(&self.shared).queue.windows().received = received;
        Ok(message)
    }
}
