//! Limits of connections that speak HTTP/2. They are the host's: a connection
//! may carry requests to many plugins.

use serde::Deserialize;

use super::{OutOfRange, counted, ranged};

/// `[http2]` as written. Every key may be left out.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawHttp2Limits {
    /// Requests and WebSockets of one connection at a time.
    pub streams_max: Option<u32>,
    /// Header fields of one request, decompressed; names, values and 32 bytes
    /// for each.
    pub header_list_bytes_max: Option<u32>,
    /// What a client may send on one stream before somebody reads it.
    pub window_bytes: Option<u32>,
    /// The same on all streams of a connection together.
    pub connection_window_bytes: Option<u32>,
    /// What waits to be sent on one stream.
    pub send_buffer_bytes_max: Option<u32>,
    /// Streams which the client has reset before the host has seen them.
    pub resets_pending_max: Option<u32>,
    /// Streams which the host has reset because the client broke the protocol.
    pub error_resets_max: Option<u32>,
    /// Streams which the client resets in a second.
    pub resets_per_second_max: Option<u32>,
    /// PING, SETTINGS, PRIORITY and empty frames in a second.
    pub control_frames_per_second_max: Option<u32>,
    /// Silence after which a client is pinged; 0 for never.
    pub ping_interval_ms: Option<u64>,
    /// Time it has for the answer.
    pub ping_timeout_ms: Option<u64>,
    /// Time a connection may be without a stream.
    pub idle_timeout_ms: Option<u64>,
}

/// Limits of one connection that speaks HTTP/2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Http2Limits {
    /// See [`RawHttp2Limits::streams_max`]. Reached: REFUSED_STREAM.
    pub streams_max: u32,
    /// See [`RawHttp2Limits::header_list_bytes_max`]. Reached: 431.
    pub header_list_bytes_max: u32,
    /// See [`RawHttp2Limits::window_bytes`].
    pub window_bytes: u32,
    /// See [`RawHttp2Limits::connection_window_bytes`].
    pub connection_window_bytes: u32,
    /// See [`RawHttp2Limits::send_buffer_bytes_max`].
    pub send_buffer_bytes_max: u32,
    /// See [`RawHttp2Limits::resets_pending_max`]. Reached: GOAWAY.
    pub resets_pending_max: u32,
    /// See [`RawHttp2Limits::error_resets_max`]. Reached: GOAWAY.
    pub error_resets_max: u32,
    /// See [`RawHttp2Limits::resets_per_second_max`]. Reached: the connection
    /// ends.
    pub resets_per_second_max: u32,
    /// See [`RawHttp2Limits::control_frames_per_second_max`]. Reached: the
    /// connection ends.
    pub control_frames_per_second_max: u32,
    /// See [`RawHttp2Limits::ping_interval_ms`]; 0 for never.
    pub ping_interval_ms: u64,
    /// See [`RawHttp2Limits::ping_timeout_ms`]. Reached: the connection ends.
    pub ping_timeout_ms: u64,
    /// See [`RawHttp2Limits::idle_timeout_ms`]. Reached: GOAWAY.
    pub idle_timeout_ms: u64,
}

/// What is allowed if the manifest says nothing.
const DEFAULT: Http2Limits = Http2Limits {
    streams_max: 128,
    header_list_bytes_max: 32 << 10,
    window_bytes: 256 << 10,
    connection_window_bytes: 1 << 20,
    send_buffer_bytes_max: 64 << 10,
    resets_pending_max: 20,
    error_resets_max: 100,
    resets_per_second_max: 200,
    control_frames_per_second_max: 1_000,
    ping_interval_ms: 30_000,
    ping_timeout_ms: 10_000,
    idle_timeout_ms: 120_000,
};

/// The largest window (RFC 9113, section 6.9.1).
const WINDOW_BYTES_CEILING: u32 = (1 << 31) - 1;

impl Default for Http2Limits {
    fn default() -> Self {
        DEFAULT
    }
}

impl Http2Limits {
    /// Fills in the defaults and checks every value.
    ///
    /// # Errors
    /// Fails when a value is out of its range.
    pub fn resolve(raw: &RawHttp2Limits) -> Result<Self, OutOfRange> {
        const DAY_MS: u64 = 86_400_000;
        let size = |key, value: Option<u32>, default: u32, min: u32, max: u32| {
            let range = u64::from(min)..=u64::from(max);
            let value = ranged(key, value.map(u64::from), default.into(), range)?;
            Ok(u32::try_from(value).unwrap_or(max))
        };
        macro_rules! size {
            ($key:ident, $min:expr, $max:expr) => {
                size(stringify!($key), raw.$key, DEFAULT.$key, $min, $max)?
            };
        }
        macro_rules! count {
            ($key:ident, $max:expr) => {
                counted(stringify!($key), raw.$key, DEFAULT.$key, $max)?
            };
        }
        macro_rules! time {
            ($key:ident, $min:expr) => {
                ranged(stringify!($key), raw.$key, DEFAULT.$key, $min..=DAY_MS)?
            };
        }
        Ok(Self {
            streams_max: count!(streams_max, 100_000),
            header_list_bytes_max: size!(header_list_bytes_max, 1 << 10, 1 << 20),
            // The first window of every connection is given by the protocol.
            window_bytes: size!(window_bytes, 1, WINDOW_BYTES_CEILING),
            connection_window_bytes: size!(connection_window_bytes, 65_535, WINDOW_BYTES_CEILING),
            send_buffer_bytes_max: size!(send_buffer_bytes_max, 1 << 10, 1 << 30),
            resets_pending_max: count!(resets_pending_max, 100_000),
            error_resets_max: count!(error_resets_max, 100_000),
            resets_per_second_max: count!(resets_per_second_max, 1_000_000),
            control_frames_per_second_max: count!(control_frames_per_second_max, 1_000_000),
            ping_interval_ms: time!(ping_interval_ms, 0),
            ping_timeout_ms: time!(ping_timeout_ms, 1),
            idle_timeout_ms: time!(idle_timeout_ms, 1),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_has_a_default_and_what_is_given_a_range() {
        let mut raw = RawHttp2Limits::default();
        assert_eq!(Http2Limits::resolve(&raw), Ok(Http2Limits::default()));
        raw.streams_max = Some(5);
        assert_eq!(Http2Limits::resolve(&raw).unwrap().streams_max, 5);
        raw.connection_window_bytes = Some(1);
        let error = Http2Limits::resolve(&raw).unwrap_err().to_string();
        assert!(
            error.starts_with("`connection_window_bytes` is 1"),
            "{error}"
        );
    }
}
