//! Whether a client takes what there is for it. A guest that waits for a client
//! which does not read would keep its instance for ever.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

/// Since when a client has left the rest of a body lying; none while it waits for
/// more.
#[derive(Clone, Default)]
pub(crate) struct Progress(Arc<Mutex<Option<Instant>>>);

impl Progress {
    /// The client has taken a piece.
    pub(super) fn note_taken(&self) {
        self.set(Some(Instant::now()));
    }

    /// The client wants a piece.
    pub(super) fn note_wanted(&self) {
        self.set(None);
    }

    fn set(&self, since: Option<Instant>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = since;
    }

    /// When the client will have left it lying for too long; none while it does
    /// not. A limit of 0 is none.
    pub(crate) fn deadline(&self, limit_ms: u64) -> Option<Instant> {
        let since = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match limit_ms {
            0 => None,
            limit_ms => Some(since? + Duration::from_millis(limit_ms)),
        }
    }

    /// Waits until nobody listens any more. False if the client takes nothing for
    /// too long.
    pub(crate) async fn listened(&self, limit_ms: u64, listening: oneshot::Receiver<()>) -> bool {
        let mut listening = Pin::from(Box::new(listening));
        loop {
            let soon = || Instant::now() + Duration::from_millis(limit_ms);
            let next = self.deadline(limit_ms);
            tokio::select! {
                // It only ever ends by the sender being dropped with the body.
                _ = &mut listening => return true,
                () = tokio::time::sleep_until(next.unwrap_or_else(soon)), if limit_ms > 0 => {}
            }
            let deadline = self.deadline(limit_ms);
            if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                return false;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_left_lying_counts() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        runtime.block_on(async {
            let progress = Progress::default();
            assert_eq!(progress.deadline(10), None);
            progress.note_taken();
            assert!(progress.deadline(10).is_some());
            assert_eq!(progress.deadline(0), None);
            let (_listener, listening) = oneshot::channel();
            assert!(!progress.listened(10, listening).await);
            progress.note_wanted();
            let (listener, listening) = oneshot::channel();
            let listened = progress.listened(10, listening);
            let slow = async {
                // A client that waits may do so for as long as it likes.
                tokio::time::sleep(Duration::from_millis(50)).await;
                drop(listener);
            };
            let (is_heard, ()) = tokio::join!(listened, slow);
            assert!(is_heard);
        });
    }
}
