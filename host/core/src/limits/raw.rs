//! Limits as they are written.

use serde::Deserialize;

/// Limits as the manifest gives them, for the host or for one plugin. Every key
/// may be left out. Units are in the names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawLimits {
    /// Time a handler has for one event; for HTTP, until the response's head.
    pub event_timeout_ms: Option<u64>,
    /// Events of one plugin under way at once, on all event loops together.
    pub events_max: Option<u32>,
    /// Linear memory of one instance.
    pub memory_bytes_max: Option<u64>,
    /// Elements of one instance's tables.
    pub table_elements_max: Option<u32>,
    /// Instances of one plugin, on all event loops together.
    pub instances_max: Option<u32>,
    /// Events one instance of the async form runs at once.
    pub instance_events_max: Option<u32>,
    /// Events after which an instance is replaced by a fresh one. If left out, 1
    /// for handlers of `wasi:http` 0.2, which are written for that, and
    /// 1,000,000 for all others.
    pub instance_uses_max: Option<u64>,
    /// Time after which an unused instance is dropped.
    pub instance_idle_ms: Option<u64>,
    /// Open WebSockets of one plugin.
    pub connections_max: Option<u32>,
    /// One message, in either direction.
    pub message_bytes_max: Option<u64>,
    /// Outbound queue of one connection.
    pub queue_bytes_max: Option<u64>,
    /// Attachment of one connection.
    pub attachment_bytes_max: Option<u64>,
    /// Messages, pings included, that are taken from one client in a second; 0
    /// for no limit.
    pub messages_per_second_max: Option<u32>,
    /// Pings and pongs from one client in a second; 0 for no limit.
    pub control_frames_per_second_max: Option<u32>,
    /// Topics one connection is subscribed to.
    pub topics_per_connection_max: Option<u32>,
    /// A topic's name.
    pub topic_bytes_max: Option<u32>,
    /// Silence after which a client is pinged, and then closed.
    pub idle_timeout_ms: Option<u64>,
    /// Time a client has to answer a close frame.
    pub close_timeout_ms: Option<u64>,
    /// The shortest message that is compressed, if the plugin compresses at all.
    pub compress_bytes_min: Option<u64>,
    /// With `compression = "context"`: how far back a message may refer, in each
    /// direction, as a power of two in bytes.
    pub compress_window_bits: Option<u32>,
    /// Body of one HTTP request.
    pub body_bytes_max: Option<u64>,
    /// Bodies of known length up to so many bytes are awaited before the guest is
    /// called; 0 for none.
    pub body_buffer_bytes: Option<u64>,
    /// Time a client may send nothing of a body which the guest awaits, or has for
    /// all of one that is awaited before.
    pub body_idle_timeout_ms: Option<u64>,
    /// Time a client may leave a response's body lying that is there for it.
    pub response_idle_timeout_ms: Option<u64>,
    /// Body of one response.
    pub response_bytes_max: Option<u64>,
    /// Time one response may take, from its head to its end.
    pub response_timeout_ms: Option<u64>,
    /// What a guest hands to the host in one call: strings, lists.
    pub call_bytes_max: Option<u64>,
    /// Keys and values of the plugin's tenant together.
    pub keyvalue_bytes_max: Option<u64>,
    /// One value.
    pub keyvalue_value_bytes_max: Option<u64>,
    /// Outbound requests of one plugin under way at once.
    pub outbound_max: Option<u32>,
    /// Outbound requests of one plugin in a second.
    pub outbound_per_second_max: Option<u32>,
    /// Outbound requests that one event may make; those in one instance at the
    /// same time share theirs.
    pub outbound_per_event_max: Option<u32>,
    /// The longest that an outbound request waits for a connection, for the first
    /// byte, and between bytes; a guest may set less.
    pub outbound_timeout_ms: Option<u64>,
    /// Body of one response to an outbound request.
    pub outbound_bytes_max: Option<u64>,
    /// Files of granted folders that the instances of one generation have open.
    pub files_max: Option<u32>,
    /// What the guest writes to the log, and what is written there of its
    /// failures, in a second.
    pub log_bytes_per_second_max: Option<u64>,
}

impl RawLimits {
    /// The keys of `self`, and where it has none, those of `base`.
    pub fn over(&self, base: &Self) -> Self {
        macro_rules! merge {
            ($($key:ident),* $(,)?) => { Self { $($key: self.$key.or(base.$key)),* } };
        }
        merge!(
            event_timeout_ms,
            events_max,
            memory_bytes_max,
            table_elements_max,
            instances_max,
            instance_events_max,
            instance_uses_max,
            instance_idle_ms,
            connections_max,
            message_bytes_max,
            queue_bytes_max,
            attachment_bytes_max,
            messages_per_second_max,
            control_frames_per_second_max,
            topics_per_connection_max,
            topic_bytes_max,
            idle_timeout_ms,
            close_timeout_ms,
            compress_bytes_min,
            compress_window_bits,
            body_bytes_max,
            body_buffer_bytes,
            body_idle_timeout_ms,
            response_idle_timeout_ms,
            response_bytes_max,
            response_timeout_ms,
            call_bytes_max,
            keyvalue_bytes_max,
            keyvalue_value_bytes_max,
            outbound_max,
            outbound_per_second_max,
            outbound_per_event_max,
            outbound_timeout_ms,
            outbound_bytes_max,
            files_max,
            log_bytes_per_second_max,
        )
    }
}
