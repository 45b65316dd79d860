//! Limits of the heads of requests, before it is known whose they are: for the
//! whole host.

use serde::Deserialize;

use super::{OutOfRange, counted, ranged};

/// Limits of heads as `[http]` in the manifest gives them. Every key may be left
/// out.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawHeadLimits {
    /// Time for the head of a request, also the first, and also on a connection
    /// that is kept alive.
    pub head_timeout_ms: Option<u64>,
    /// Fields of a request.
    pub fields_max: Option<u32>,
    /// The head of a request, all its lines together.
    pub head_bytes_max: Option<u64>,
    /// Path and query of a request.
    pub target_bytes_max: Option<u64>,
}

/// Limits of the heads of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadLimits {
    /// See [`RawHeadLimits::head_timeout_ms`]. Reached: the connection ends.
    pub timeout_ms: u64,
    /// See [`RawHeadLimits::fields_max`]. Reached: 431.
    pub fields_max: u32,
    /// See [`RawHeadLimits::head_bytes_max`]. Reached: 431.
    pub bytes_max: usize,
    /// See [`RawHeadLimits::target_bytes_max`]. Reached: 414.
    pub target_bytes_max: usize,
}

impl Default for HeadLimits {
    fn default() -> Self {
        Self {
            timeout_ms: 30_000,
            fields_max: 100,
            bytes_max: 64 << 10,
            target_bytes_max: 16 << 10,
        }
    }
}

impl HeadLimits {
    /// Fills in the defaults and checks every value.
    ///
    /// # Errors
    /// Fails on a value out of its range.
    pub fn resolve(raw: &RawHeadLimits) -> Result<Self, OutOfRange> {
        let default = Self::default();
        let size = |key, value, default: usize, min| {
            ranged(key, value, default as u64, min..=1 << 20).map(|bytes| bytes as usize)
        };
        Ok(Self {
            timeout_ms: ranged(
                "head_timeout_ms",
                raw.head_timeout_ms,
                default.timeout_ms,
                1..=86_400_000,
            )?,
            fields_max: counted("fields_max", raw.fields_max, default.fields_max, 10_000)?,
            bytes_max: size(
                "head_bytes_max",
                raw.head_bytes_max,
                default.bytes_max,
                8 << 10,
            )?,
            target_bytes_max: size(
                "target_bytes_max",
                raw.target_bytes_max,
                default.target_bytes_max,
                1,
            )?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_have_defaults_and_ranges() {
        let raw = RawHeadLimits::default();
        assert_eq!(HeadLimits::resolve(&raw), Ok(HeadLimits::default()));
        let raw = RawHeadLimits {
            head_bytes_max: Some(100),
            ..raw
        };
        let error = HeadLimits::resolve(&raw).unwrap_err().to_string();
        assert!(error.starts_with("`head_bytes_max` is 100"), "{error}");
    }
}
