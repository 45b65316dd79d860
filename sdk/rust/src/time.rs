//! Waiting. For the time of day, `std::time` works as usual.

use std::time::Duration;

/// Waits without holding the instance: other events run meanwhile. Only in
/// async handlers. The wait counts towards the event's deadline
/// (`event_timeout_ms`).
pub async fn sleep(duration: Duration) {
    let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    wasip3::clocks::monotonic_clock::wait_for(nanoseconds).await;
}
