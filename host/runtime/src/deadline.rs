//! Deadlines of events. The timer is made only when a guest does not return at
//! once, which it nearly always does.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use tokio::time::error::Elapsed;

/// Runs a future until it ends, or for about `limit_ms`. A guest that computes
/// is interrupted every millisecond, so that its time is noticed then.
pub(crate) async fn within<F: Future>(
    limit_ms: u64,
    mut future: Pin<&mut F>,
) -> Result<F::Output, Elapsed> {
    let begun = poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await;
    match begun {
        Poll::Ready(output) => Ok(output),
        // Boxed, since it is rare and would make every event larger.
        Poll::Pending => Box::pin(rest_within(limit_ms, future)).await,
    }
}

/// The same with a future that has been polled just now, and is polled again when
/// that has woken the task: a guest which was interrupted has had its slice.
pub(crate) async fn rest_within<F: Future>(
    limit_ms: u64,
    mut future: Pin<&mut F>,
) -> Result<F::Output, Elapsed> {
    let mut is_first = true;
    let rest = poll_fn(|context| match std::mem::take(&mut is_first) {
        true => Poll::Pending,
        false => future.as_mut().poll(context),
    });
    tokio::time::timeout(Duration::from_millis(limit_ms), rest).await
}
