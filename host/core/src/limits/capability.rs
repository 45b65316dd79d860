//! Limits of what a plugin keeps, and of the requests that it sends.

use super::{OutOfRange, RawLimits, counted, ranged};

/// Limits of what a plugin keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyvalueLimits {
    /// See [`RawLimits::keyvalue_bytes_max`]. Reached: an error value.
    pub bytes_max: u64,
    /// See [`RawLimits::keyvalue_value_bytes_max`]. Reached: an error value.
    pub value_bytes_max: u64,
}

impl KeyvalueLimits {
    pub(super) fn resolve(raw: &RawLimits) -> Result<Self, OutOfRange> {
        Ok(Self {
            bytes_max: ranged(
                "keyvalue_bytes_max",
                raw.keyvalue_bytes_max,
                64 << 20,
                0..=u64::MAX,
            )?,
            value_bytes_max: ranged(
                "keyvalue_value_bytes_max",
                raw.keyvalue_value_bytes_max,
                1 << 20,
                0..=1 << 30,
            )?,
        })
    }
}

/// Limits of what a plugin reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderLimits {
    /// See [`RawLimits::files_max`]. Reached: `error-code::quota`.
    pub open_max: u32,
}

impl FolderLimits {
    pub(super) fn resolve(raw: &RawLimits) -> Result<Self, OutOfRange> {
        Ok(Self {
            open_max: counted("files_max", raw.files_max, 256, 100_000)?,
        })
    }
}

/// Limits of what is in the log of a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLimits {
    /// See [`RawLimits::log_bytes_per_second_max`]. Reached: lines are dropped, and
    /// counted.
    pub bytes_per_second_max: u64,
}

impl LogLimits {
    pub(super) fn resolve(raw: &RawLimits) -> Result<Self, OutOfRange> {
        Ok(Self {
            bytes_per_second_max: ranged(
                "log_bytes_per_second_max",
                raw.log_bytes_per_second_max,
                256 << 10,
                1_000..=1 << 30,
            )?,
        })
    }
}

/// Limits of outbound requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboundLimits {
    /// See [`RawLimits::outbound_max`]. Reached: `connection-limit-reached`.
    pub concurrent_max: u32,
    /// See [`RawLimits::outbound_per_second_max`]. Reached:
    /// `connection-limit-reached`.
    pub per_second_max: u32,
    /// See [`RawLimits::outbound_per_event_max`]. Reached:
    /// `connection-limit-reached`.
    pub per_event_max: u32,
    /// See [`RawLimits::outbound_timeout_ms`]. Reached: `connection-timeout` or
    /// `connection-read-timeout`.
    pub timeout_ms: u64,
    /// See [`RawLimits::outbound_bytes_max`]. Reached: `http-response-body-size`.
    pub body_bytes_max: u64,
}

impl OutboundLimits {
    pub(super) fn resolve(raw: &RawLimits) -> Result<Self, OutOfRange> {
        Ok(Self {
            concurrent_max: counted("outbound_max", raw.outbound_max, 64, 10_000)?,
            per_second_max: counted(
                "outbound_per_second_max",
                raw.outbound_per_second_max,
                1_000,
                1_000_000,
            )?,
            per_event_max: counted(
                "outbound_per_event_max",
                raw.outbound_per_event_max,
                100,
                1_000_000,
            )?,
            timeout_ms: ranged(
                "outbound_timeout_ms",
                raw.outbound_timeout_ms,
                60_000,
                1..=86_400_000,
            )?,
            body_bytes_max: ranged(
                "outbound_bytes_max",
                raw.outbound_bytes_max,
                64 << 20,
                0..=u64::MAX,
            )?,
        })
    }
}
