//! Whether limits stay within others.

use super::Limits;

impl Limits {
    /// The first limit that is above the one in `ceiling`, if there is one.
    pub fn above(&self, ceiling: &Self) -> Option<&'static str> {
        let pairs = self.values().into_iter().zip(ceiling.values());
        let mut above = pairs.filter(|((_, own), (_, most))| own > most);
        above.next().map(|((key, _), _)| key)
    }

    /// All of them; what has no limit has the largest value. How often an
    /// instance is used costs nobody else anything.
    fn values(&self) -> [(&'static str, u64); 18] {
        let (event, instance, connection) = (&self.event, &self.instance, &self.connection);
        let or_none = |value: u64| if value == 0 { u64::MAX } else { value };
        [
            ("event_timeout_ms", event.timeout_ms),
            ("events_max", event.concurrent_max.into()),
            ("memory_bytes_max", instance.memory_bytes_max as u64),
            ("table_elements_max", instance.table_elements_max as u64),
            ("instances_max", instance.count_max.into()),
            ("instance_events_max", instance.events_max.into()),
            ("instance_idle_ms", instance.idle_ms),
            ("connections_max", connection.count_max.into()),
            ("message_bytes_max", connection.message_bytes_max as u64),
            ("queue_bytes_max", connection.queue_bytes_max as u64),
            (
                "attachment_bytes_max",
                connection.attachment_bytes_max as u64,
            ),
            (
                "messages_per_second_max",
                or_none(connection.messages_per_second_max.into()),
            ),
            ("topics_per_connection_max", connection.topics_max.into()),
            ("topic_bytes_max", connection.topic_bytes_max.into()),
            ("idle_timeout_ms", or_none(connection.idle_timeout_ms)),
            ("close_timeout_ms", connection.close_timeout_ms),
            ("body_bytes_max", self.http.body_bytes_max),
            ("keyvalue_bytes_max", self.keyvalue.bytes_max),
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
