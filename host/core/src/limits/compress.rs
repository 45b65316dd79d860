//! Limits of compressed WebSocket messages (RFC 7692).

use super::{OutOfRange, RawLimits, ranged};

/// When to compress, and what may be kept for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompressLimits {
    /// See [`RawLimits::compress_bytes_min`]. Shorter messages go as they are.
    pub bytes_min: usize,
    /// See [`RawLimits::compress_window_bits`].
    pub window_bits: u8,
}

impl CompressLimits {
    pub(super) fn resolve(raw: &RawLimits) -> Result<Self, OutOfRange> {
        let bits = raw.compress_window_bits.map(u64::from);
        Ok(Self {
            bytes_min: ranged(
                "compress_bytes_min",
                raw.compress_bytes_min,
                128,
                1..=1 << 30,
            )? as usize,
            window_bits: ranged("compress_window_bits", bits, 12, 9..=15)? as u8,
        })
    }
}
