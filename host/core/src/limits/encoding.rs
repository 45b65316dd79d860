//! Limits of encoding responses.

use serde::Deserialize;

use super::{OutOfRange, ranged};

/// Limits of encoding responses as `[encoding]` in the manifest gives them. Every
/// key may be left out.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawEncodingLimits {
    /// What all encoders together may take.
    pub memory_bytes_max: Option<u64>,
}

/// Limits of encoding responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncodingLimits {
    /// See [`RawEncodingLimits::memory_bytes_max`]. Reached: a response goes as it
    /// is.
    pub memory_bytes_max: u64,
}

impl Default for EncodingLimits {
    fn default() -> Self {
        Self {
            memory_bytes_max: 128 << 20,
        }
    }
}

impl EncodingLimits {
    /// Fills in the defaults and checks every value.
    ///
    /// # Errors
    /// Fails when a value is out of its range.
    pub fn resolve(raw: &RawEncodingLimits) -> Result<Self, OutOfRange> {
        let default = Self::default();
        Ok(Self {
            memory_bytes_max: ranged(
                "memory_bytes_max",
                raw.memory_bytes_max,
                default.memory_bytes_max,
                0..=1 << 40,
            )?,
        })
    }
}
