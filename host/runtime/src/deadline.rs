//! Deadlines of events. The timer is made only when a guest does not return at
//! once, which it nearly always does.

use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::error::Elapsed;

/// Runs a future until it ends, or for about `limit_ms`. A guest that computes
/// is interrupted every millisecond, so that its time is noticed then.
pub(crate) async fn within<F: Future>(limit_ms: u64, future: F) -> Result<F::Output, Elapsed> {
    let mut future = pin!(future);
    match once(future.as_mut()).await {
        Poll::Ready(output) => Ok(output),
        Poll::Pending => tokio::time::timeout(Duration::from_millis(limit_ms), future).await,
    }
}

/// Polls a future one time.
pub(crate) async fn once<F: Future>(mut future: Pin<&mut F>) -> Poll<F::Output> {
    std::future::poll_fn(|context: &mut Context<'_>| Poll::Ready(future.as_mut().poll(context)))
        .await
}
