//! Compressed messages of a connection whose client has agreed to them.

use std::sync::atomic::Ordering;

use holdfast_core::MessageRef;
use holdfast_core::edge::SendError;
use holdfast_core::limits::ConnectionLimits;

use super::Connection;
use crate::deflate::{Agreed, Compressors, ExpandError, Expander, Frames, Windows};
use crate::frame;
use crate::lock::lock;

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
        limits: &ConnectionLimits,
    ) -> Result<u64, SendError> {
        let is_long = || message.payload().len() >= limits.compress.bytes_min;
        let Some(agreed) = self.agreed().filter(|_| is_long()) else {
            return self.send(frame::encode(message), limits);
        };
        let bits = agreed.server_bits;
        if !agreed.server_context {
            let frame = compressors.compress(message, bits, None);
            return self.send(frame.unwrap_or_else(|| frame::encode(message)), limits);
        }
        // With the connection locked: it is known then what comes before it.
        let frame = |windows: &mut Option<Box<Windows>>| {
            let sent = &mut windows.get_or_insert_default().sent;
            match compressors.compress(message, bits, Some(sent)) {
                Some(frame) => {
                    sent.add(message.payload(), bits);
                    frame
                }
                None => frame::encode(message),
            }
        };
        self.send_made(frame, limits)
    }

    /// Queues a message which many others get as well.
    pub(crate) fn send_one_of(
        &self,
        frames: &Frames<'_>,
        limits: &ConnectionLimits,
    ) -> Result<u64, SendError> {
        let bytes_min = limits.compress.bytes_min;
        match self.agreed() {
            None => self.send(frames.plain(), limits),
            Some(agreed) if agreed.server_context => {
                let frame = |windows: &mut Option<Box<Windows>>| {
                    let sent = &mut windows.get_or_insert_default().sent;
                    frames.agreed(agreed, bytes_min, Some(sent))
                };
                self.send_made(frame, limits)
            }
            Some(agreed) => self.send(frames.agreed(agreed, bytes_min, None), limits),
        }
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
            std::mem::take(&mut shared.windows.get_or_insert_default().received)
        };
        let message = expander.expand(payload, bytes_max, Some(&received))?;
        received.add(&message, bits);
        lock(&self.shared).windows.get_or_insert_default().received = received;
        Ok(message)
    }
}
