//! Limits: each has a key in the manifest, a safe default and a stated
//! behaviour when it is reached. docs/limits.md is the table for operators.

mod capability;
mod compare;
mod compress;
mod encoding;
mod files;
mod head;
mod http2;
mod load;
mod policy;
mod raw;
mod tenant;

use std::sync::Arc;

use crate::encoding::Encode;
use crate::websocket::Policies;

pub use capability::{FolderLimits, KeyvalueLimits, LogLimits, OutboundLimits};
pub use compare::Entry;
pub use compress::CompressLimits;
pub use encoding::{EncodingLimits, RawEncodingLimits};
pub use files::{FileLimits, RawFileLimits};
pub use head::{HeadLimits, RawHeadLimits};
pub use http2::{Http2Limits, RawHttp2Limits};
pub use load::{LoadLimits, RawLoadLimits};
pub use policy::{OnError, SlowConsumer};
pub use raw::RawLimits;
pub use tenant::{RawTenantLimits, TenantLimits};

/// Limits of one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventLimits {
    /// See [`RawLimits::event_timeout_ms`]. Reached: 504 or 1011.
    pub timeout_ms: u64,
    /// See [`RawLimits::events_max`]. Reached: 503 or 1013.
    pub concurrent_max: u32,
}

/// Limits of one instance and of the pool of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceLimits {
    /// See [`RawLimits::memory_bytes_max`]. Reached: `memory.grow` fails.
    pub memory_bytes_max: usize,
    /// See [`RawLimits::table_elements_max`]. Reached: `table.grow` fails.
    pub table_elements_max: usize,
    /// See [`RawLimits::instances_max`]. Reached: events wait, up to their
    /// deadline.
    pub count_max: u32,
    /// See [`RawLimits::instance_events_max`].
    pub events_max: u32,
    /// See [`RawLimits::instance_uses_max`]; none if left out.
    pub uses_max: Option<u64>,
    /// See [`RawLimits::instance_idle_ms`].
    pub idle_ms: u64,
    /// See [`RawLimits::call_bytes_max`]. Reached: a trap.
    pub call_bytes_max: usize,
}

/// Limits and policies of WebSocket connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// See [`RawLimits::connections_max`]. Reached: 503.
    pub count_max: u32,
    /// See [`RawLimits::message_bytes_max`]. Reached: 1009, or an error value.
    pub message_bytes_max: usize,
    /// See [`RawLimits::queue_bytes_max`]. A queue below it takes one more
    /// message of any allowed size.
    pub queue_bytes_max: usize,
    /// See [`RawLimits::attachment_bytes_max`]. Reached: an error value.
    pub attachment_bytes_max: usize,
    /// See [`RawLimits::messages_per_second_max`]; 0 for no limit. Reached: the
    /// host reads from the client no faster.
    pub messages_per_second_max: u32,
    /// See [`RawLimits::control_frames_per_second_max`]; 0 for no limit. Reached:
    /// 1008.
    pub control_frames_per_second_max: u16,
    /// See [`RawLimits::topics_per_connection_max`]. Reached: an error value.
    pub topics_max: u32,
    /// See [`RawLimits::topic_bytes_max`]. Reached: an error value.
    pub topic_bytes_max: u32,
    /// See [`RawLimits::idle_timeout_ms`]; 0 for never.
    pub idle_timeout_ms: u64,
    /// See [`RawLimits::close_timeout_ms`].
    pub close_timeout_ms: u64,
    /// When messages are compressed, and what is kept for it.
    pub compress: CompressLimits,
    /// When the outbound queue is full.
    pub slow_consumer: SlowConsumer,
    /// When a handler returns an error.
    pub on_error: OnError,
    /// What the plugin says besides. [`Limits::resolve`] gives the defaults.
    pub policies: Policies,
}

/// Limits of HTTP requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpLimits {
    /// See [`RawLimits::body_bytes_max`]. Reached: 413.
    pub body_bytes_max: u64,
    /// See [`RawLimits::body_buffer_bytes`].
    pub body_buffer_bytes: u64,
    /// See [`RawLimits::body_idle_timeout_ms`]; 0 for never. Reached: 408.
    pub body_idle_timeout_ms: u64,
    /// See [`RawLimits::response_idle_timeout_ms`]; 0 for never. Reached: the
    /// body breaks off, and the instance ends.
    pub response_idle_timeout_ms: u64,
    /// See [`RawLimits::response_bytes_max`]; 0 for no limit. Reached: the body
    /// breaks off.
    pub response_bytes_max: u64,
    /// See [`RawLimits::response_timeout_ms`]; 0 for no limit. Reached: the body
    /// breaks off.
    pub response_timeout_ms: u64,
    /// Requests with a body that still comes, which may have an instance for
    /// themselves: half of the plugin's. Reached: as much of the body is awaited
    /// as [`Self::body_buffer_bytes`], and the rest has to wait.
    pub open_bodies_max: u32,
    /// Which responses are encoded; none for none. [`Limits::resolve`] gives
    /// that.
    pub encode: Option<Arc<Encode>>,
}

/// All limits of one plugin, by who enforces them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Enforced by the runtime.
    pub event: EventLimits,
    /// Enforced by the runtime.
    pub instance: InstanceLimits,
    /// Enforced by the edge.
    pub connection: ConnectionLimits,
    /// Enforced by the edge.
    pub http: HttpLimits,
    /// Enforced by the runtime.
    pub keyvalue: KeyvalueLimits,
    /// Enforced by the runtime.
    pub outbound: OutboundLimits,
    /// Enforced by the runtime.
    pub files: FolderLimits,
    /// Enforced by both.
    pub log: LogLimits,
}

/// The largest linear memory that can be configured, in bytes.
pub const MEMORY_BYTES_CEILING: u64 = 4 << 30;

/// A limit has a value it can't have.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{key}` is {value}, but has to be from {min} to {max}")]
pub struct OutOfRange {
    key: &'static str,
    value: u64,
    min: u64,
    max: u64,
}

/// `value` or the default, if it is within the range.
pub(crate) fn ranged(
    key: &'static str,
    value: Option<u64>,
    default: u64,
    range: std::ops::RangeInclusive<u64>,
) -> Result<u64, OutOfRange> {
    let value = value.unwrap_or(default);
    if range.contains(&value) {
        return Ok(value);
    }
    Err(OutOfRange {
        key,
        value,
        min: *range.start(),
        max: *range.end(),
    })
}

/// The same for limits that count things.
pub(crate) fn counted(
    key: &'static str,
    value: Option<u32>,
    default: u32,
    max: u32,
) -> Result<u32, OutOfRange> {
    let value = ranged(key, value.map(u64::from), default.into(), 1..=max.into())?;
    Ok(u32::try_from(value).unwrap_or(max))
}

impl Limits {
    /// Fills in the defaults and checks every value.
    pub fn resolve(
        raw: &RawLimits,
        slow_consumer: SlowConsumer,
        on_error: OnError,
    ) -> Result<Self, OutOfRange> {
        const DAY_MS: u64 = 86_400_000;
        const GIB: u64 = 1 << 30;
        let size = |key, value, default, range| {
            ranged(key, value, default, range).map(|bytes| bytes as usize)
        };
        let instances_max = counted("instances_max", raw.instances_max, 256, 100_000)?;
        Ok(Self {
            event: EventLimits {
                timeout_ms: ranged("event_timeout_ms", raw.event_timeout_ms, 30_000, 1..=DAY_MS)?,
                concurrent_max: counted("events_max", raw.events_max, 10_000, 1_000_000)?,
            },
            instance: InstanceLimits {
                memory_bytes_max: size(
                    "memory_bytes_max",
                    raw.memory_bytes_max,
                    128 << 20,
                    1 << 16..=MEMORY_BYTES_CEILING,
                )?,
                table_elements_max: counted(
                    "table_elements_max",
                    raw.table_elements_max,
                    100_000,
                    10_000_000,
                )? as usize,
                count_max: instances_max,
                events_max: counted("instance_events_max", raw.instance_events_max, 128, 10_000)?,
                uses_max: match raw.instance_uses_max {
                    None => None,
                    uses => Some(ranged("instance_uses_max", uses, 1, 1..=u64::MAX)?),
                },
                idle_ms: ranged("instance_idle_ms", raw.instance_idle_ms, 60_000, 1..=DAY_MS)?,
                call_bytes_max: size(
                    "call_bytes_max",
                    raw.call_bytes_max,
                    16 << 20,
                    1 << 16..=GIB,
                )?,
            },
            connection: ConnectionLimits {
                count_max: counted("connections_max", raw.connections_max, 1_000_000, u32::MAX)?,
                message_bytes_max: size(
                    "message_bytes_max",
                    raw.message_bytes_max,
                    1 << 20,
                    1..=GIB,
                )?,
                queue_bytes_max: size("queue_bytes_max", raw.queue_bytes_max, 1 << 20, 1..=GIB)?,
                attachment_bytes_max: size(
                    "attachment_bytes_max",
                    raw.attachment_bytes_max,
                    4096,
                    0..=1 << 20,
                )?,
                messages_per_second_max: match raw.messages_per_second_max {
                    None | Some(0) => 0,
                    count => counted("messages_per_second_max", count, 0, 1_000_000)?,
                },
                control_frames_per_second_max: match raw.control_frames_per_second_max {
                    Some(0) => 0,
                    count => counted("control_frames_per_second_max", count, 100, 50_000)? as u16,
                },
                topics_max: counted(
                    "topics_per_connection_max",
                    raw.topics_per_connection_max,
                    64,
                    100_000,
                )?,
                topic_bytes_max: counted("topic_bytes_max", raw.topic_bytes_max, 256, 4096)?,
                idle_timeout_ms: ranged(
                    "idle_timeout_ms",
                    raw.idle_timeout_ms,
                    120_000,
                    0..=DAY_MS,
                )?,
                close_timeout_ms: ranged(
                    "close_timeout_ms",
                    raw.close_timeout_ms,
                    5_000,
                    1..=DAY_MS,
                )?,
                compress: CompressLimits::resolve(raw)?,
                slow_consumer,
                on_error,
                policies: Policies::default(),
            },
            http: HttpLimits {
                body_bytes_max: ranged(
                    "body_bytes_max",
                    raw.body_bytes_max,
                    16 << 20,
                    0..=u64::MAX,
                )?,
                body_buffer_bytes: ranged(
                    "body_buffer_bytes",
                    raw.body_buffer_bytes,
                    64 << 10,
                    0..=1 << 24,
                )?,
                body_idle_timeout_ms: ranged(
                    "body_idle_timeout_ms",
                    raw.body_idle_timeout_ms,
                    30_000,
                    0..=DAY_MS,
                )?,
                response_idle_timeout_ms: ranged(
                    "response_idle_timeout_ms",
                    raw.response_idle_timeout_ms,
                    60_000,
                    0..=DAY_MS,
                )?,
                response_bytes_max: ranged(
                    "response_bytes_max",
                    raw.response_bytes_max,
                    0,
                    0..=u64::MAX,
                )?,
                response_timeout_ms: ranged(
                    "response_timeout_ms",
                    raw.response_timeout_ms,
                    0,
                    0..=DAY_MS,
                )?,
                open_bodies_max: instances_max.div_ceil(2),
                encode: None,
            },
            keyvalue: KeyvalueLimits::resolve(raw)?,
            outbound: OutboundLimits::resolve(raw)?,
            files: FolderLimits::resolve(raw)?,
            log: LogLimits::resolve(raw)?,
        })
    }
}

#[cfg(test)]
mod tests;
