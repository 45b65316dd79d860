use super::*;

fn resolve(raw: &RawLimits) -> Result<Limits, OutOfRange> {
    Limits::resolve(raw, SlowConsumer::default(), OnError::default())
}

#[test]
fn a_plugin_overrides_the_host() {
    let host = RawLimits {
        event_timeout_ms: Some(1),
        events_max: Some(2),
        ..Default::default()
    };
    let plugin = RawLimits {
        event_timeout_ms: Some(3),
        ..Default::default()
    };
    let limits = resolve(&plugin.over(&host)).unwrap();
    assert_eq!(limits.event.timeout_ms, 3);
    assert_eq!(limits.event.concurrent_max, 2);
    assert_eq!(limits.connection.message_bytes_max, 1 << 20);
}

#[test]
fn a_value_out_of_range_is_named() {
    let error = resolve(&RawLimits {
        events_max: Some(0),
        ..Default::default()
    })
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        "`events_max` is 0, but has to be from 1 to 1000000"
    );
}
