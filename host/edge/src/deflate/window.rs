//! What a connection keeps of its messages, if they may refer to those before.

/// The last bytes of both directions. Nothing is allocated before there are any.
#[derive(Debug, Default)]
pub(crate) struct Windows {
    /// Of what the host has sent.
    pub(crate) sent: Window,
    /// Of what the client has.
    pub(crate) received: Window,
}

impl Windows {
    /// How many bytes they have.
    pub(crate) fn bytes(&self) -> usize {
        self.sent.0.len() + self.received.0.len()
    }

    /// Whether there is nothing in them.
    pub(crate) fn is_empty(&self) -> bool {
        self.sent.0.is_empty() && self.received.0.is_empty()
    }
}

/// The last bytes of a stream.
#[derive(Debug, Default)]
pub(crate) struct Window(Vec<u8>);

impl Window {
    /// The bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Adds what came next; at most 2 to the power of `bits` bytes are kept.
    pub(crate) fn add(&mut self, bytes: &[u8], bits: u8) {
        let len_max = 1 << bits;
        if let Some(last) = bytes.len().checked_sub(len_max) {
            self.0.clear();
            self.0.reserve_exact(len_max);
            self.0
                .extend_from_slice(bytes.get(last..).unwrap_or_default());
            return;
        }
        let surplus = (self.0.len() + bytes.len()).saturating_sub(len_max);
        self.0.drain(..surplus.min(self.0.len()));
        self.0.reserve_exact(bytes.len());
        self.0.extend_from_slice(bytes);
    }
}
