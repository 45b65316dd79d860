//! All limits by their keys, and whether they stay within others.

use super::{
    ConnectionLimits, EventLimits, FolderLimits, HttpLimits, InstanceLimits, KeyvalueLimits,
    Limits, LogLimits, OutboundLimits, TenantLimits,
};

/// A key and its value; what has no limit has the largest value.
pub type Entry = (&'static str, u64);

fn or_none(value: u64) -> u64 {
    if value == 0 { u64::MAX } else { value }
}

impl Limits {
    /// The first limit that is above the one in `ceiling`, if there is one.
    pub fn above(&self, ceiling: &Self) -> Option<&'static str> {
        let pairs = self.values().zip(ceiling.values());
        let mut above = pairs.filter(|((_, own), (_, most))| own > most);
        above.next().map(|((key, _), _)| key)
    }

    /// All of them by their keys; what has no limit has the largest value. Each
    /// structure is taken apart, so that none is forgotten.
    pub fn values(&self) -> impl Iterator<Item = Entry> {
        let Self {
            event,
            instance,
            connection,
            http,
            keyvalue,
            outbound,
            files,
            log,
        } = self;
        event
            .values()
            .into_iter()
            .chain(instance.values())
            .chain(connection.values())
            .chain(http.values())
            .chain(keyvalue.values())
            .chain(outbound.values())
            .chain(files.values())
            .chain(log.values())
    }
}

impl TenantLimits {
    /// All of them by their keys.
    pub fn values(&self) -> impl Iterator<Item = Entry> + use<> {
        let Self {
            weight,
            memory_bytes_max,
            instances_max,
            connections_max,
            handshakes_per_second_max,
            topics_max,
            plugins_max,
        } = self;
        [
            ("weight", (*weight).into()),
            ("memory_bytes_max", *memory_bytes_max),
            ("instances_max", (*instances_max).into()),
            ("connections_max", (*connections_max).into()),
            (
                "handshakes_per_second_max",
                (*handshakes_per_second_max).into(),
            ),
            ("topics_max", (*topics_max).into()),
            ("plugins_max", (*plugins_max).into()),
        ]
        .into_iter()
    }
}

impl EventLimits {
    fn values(&self) -> [Entry; 2] {
        let Self {
            timeout_ms,
            concurrent_max,
        } = self;
        [
            ("event_timeout_ms", *timeout_ms),
            ("events_max", (*concurrent_max).into()),
        ]
    }
}

impl InstanceLimits {
    fn values(&self) -> [Entry; 6] {
        let Self {
            memory_bytes_max,
            table_elements_max,
            count_max,
            events_max,
            // It costs nobody else anything.
            uses_max: _,
            idle_ms,
            call_bytes_max,
        } = self;
        [
            ("memory_bytes_max", *memory_bytes_max as u64),
            ("table_elements_max", *table_elements_max as u64),
            ("instances_max", (*count_max).into()),
            ("instance_events_max", (*events_max).into()),
            ("instance_idle_ms", *idle_ms),
            ("call_bytes_max", *call_bytes_max as u64),
        ]
    }
}

impl ConnectionLimits {
    fn values(&self) -> [Entry; 11] {
        let Self {
            count_max,
            message_bytes_max,
            queue_bytes_max,
            attachment_bytes_max,
            messages_per_second_max,
            control_frames_per_second_max,
            topics_max,
            topic_bytes_max,
            idle_timeout_ms,
            close_timeout_ms,
            compress,
            slow_consumer: _,
            on_error: _,
            policies: _,
        } = self;
        let per_second = or_none((*messages_per_second_max).into());
        let control = or_none((*control_frames_per_second_max).into());
        [
            ("connections_max", (*count_max).into()),
            ("message_bytes_max", *message_bytes_max as u64),
            ("queue_bytes_max", *queue_bytes_max as u64),
            ("attachment_bytes_max", *attachment_bytes_max as u64),
            ("messages_per_second_max", per_second),
            ("control_frames_per_second_max", control),
            ("topics_per_connection_max", (*topics_max).into()),
            ("topic_bytes_max", (*topic_bytes_max).into()),
            ("idle_timeout_ms", or_none(*idle_timeout_ms)),
            ("close_timeout_ms", *close_timeout_ms),
            // What is compressed costs nobody else more for being short.
            ("compress_window_bits", compress.window_bits.into()),
        ]
    }
}

impl HttpLimits {
    fn values(&self) -> [Entry; 6] {
        let Self {
            body_bytes_max,
            body_buffer_bytes,
            body_idle_timeout_ms,
            response_idle_timeout_ms,
            response_bytes_max,
            response_timeout_ms,
            open_bodies_max: _,
            encode: _,
        } = self;
        [
            ("body_bytes_max", *body_bytes_max),
            ("body_buffer_bytes", *body_buffer_bytes),
            ("body_idle_timeout_ms", or_none(*body_idle_timeout_ms)),
            (
                "response_idle_timeout_ms",
                or_none(*response_idle_timeout_ms),
            ),
            ("response_bytes_max", or_none(*response_bytes_max)),
            ("response_timeout_ms", or_none(*response_timeout_ms)),
        ]
    }
}

impl KeyvalueLimits {
    fn values(&self) -> [Entry; 2] {
        let Self {
            bytes_max,
            value_bytes_max,
        } = self;
        [
            ("keyvalue_bytes_max", *bytes_max),
            ("keyvalue_value_bytes_max", *value_bytes_max),
        ]
    }
}

impl FolderLimits {
    fn values(&self) -> [Entry; 1] {
        let Self { open_max } = self;
        [("files_max", (*open_max).into())]
    }
}

impl LogLimits {
    fn values(&self) -> [Entry; 1] {
        let Self {
            bytes_per_second_max,
        } = self;
        [("log_bytes_per_second_max", *bytes_per_second_max)]
    }
}

impl OutboundLimits {
    fn values(&self) -> [Entry; 5] {
        let Self {
            concurrent_max,
            per_second_max,
            per_event_max,
            timeout_ms,
            body_bytes_max,
        } = self;
        [
            ("outbound_max", (*concurrent_max).into()),
            ("outbound_per_second_max", (*per_second_max).into()),
            ("outbound_per_event_max", (*per_event_max).into()),
            ("outbound_timeout_ms", *timeout_ms),
            ("outbound_bytes_max", *body_bytes_max),
        ]
    }
}

#[cfg(test)]
mod tests {
    use crate::limits::{Limits, OnError, RawLimits, SlowConsumer};

    fn limits(raw: &RawLimits) -> Limits {
        Limits::resolve(raw, SlowConsumer::default(), OnError::default()).unwrap()
    }

    #[test]
    fn no_limit_is_above_every_limit() {
        let ceiling = limits(&RawLimits::default());
        assert_eq!(ceiling.above(&ceiling), None);
        let none = RawLimits {
            idle_timeout_ms: Some(0),
            ..Default::default()
        };
        assert_eq!(limits(&none).above(&ceiling), Some("idle_timeout_ms"));
        assert_eq!(ceiling.above(&limits(&none)), None);
        let more = RawLimits {
            events_max: Some(10_001),
            ..Default::default()
        };
        assert_eq!(limits(&more).above(&ceiling), Some("events_max"));
    }
}
