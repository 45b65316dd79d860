//! What the tests need: a host without WebAssembly, clients, and patience.

pub(crate) mod client;
pub(crate) mod native;
pub(crate) mod server;

use std::time::{Duration, Instant};

/// Longest time that anything here may take.
pub(crate) const DEADLINE: Duration = Duration::from_secs(10);

/// Waits until something holds.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !holds() {
        assert!(Instant::now() < deadline, "still not: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Awaits something that has to come.
pub(crate) async fn soon<F: Future>(what: &str, future: F) -> F::Output {
    match tokio::time::timeout(DEADLINE, future).await {
        Ok(output) => output,
        Err(_) => panic!("did not come: {what}"),
    }
}
