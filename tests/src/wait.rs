//! Waiting for something to happen, never for time to pass.

use std::future::Future;
use std::time::{Duration, Instant};

/// The longest time a test waits for anything. Long, since a loaded machine is
/// no failure; a test that passes never waits for it.
pub const PATIENCE: Duration = Duration::from_secs(30);

const POLL: Duration = Duration::from_millis(10);

/// The longest time for what builds a large component, and compiles it.
pub const PATIENCE_WITH_BUILDERS: Duration = Duration::from_secs(600);

/// Waits until `condition` holds. Panics after [`PATIENCE`], naming `what`.
pub async fn until(what: &str, condition: impl FnMut() -> bool) {
    until_for(PATIENCE, what, condition).await;
}

/// The same with a patience of the caller's.
pub async fn until_for(patience: Duration, what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + patience;
    while !condition() {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        tokio::time::sleep(POLL).await;
    }
}

/// Waits until `question` has an answer.
pub async fn found<T>(what: &str, mut question: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = question().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        tokio::time::sleep(POLL).await;
    }
}

/// Waits for a future. Panics after [`PATIENCE`], naming `what`.
pub async fn patiently<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(value) => value,
        Err(_) => panic!("waited in vain for {what}"),
    }
}
