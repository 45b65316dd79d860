//! How often something may happen, on all event loops together.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use holdfast_core::Bucket;

/// A number of times for each second, and as many at once after a while without.
pub(crate) struct Rate {
    per_second: u32,
    bucket: Mutex<Bucket>,
}

impl Rate {
    pub(crate) fn new(per_second: u32) -> Self {
        Self {
            per_second,
            bucket: Mutex::new(Bucket::new(Instant::now())),
        }
    }

    /// Counts one time, if there may be one more.
    pub(crate) fn take(&self, now: Instant) -> bool {
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        bucket.take(self.per_second, now).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn there_are_so_many_times_a_second() {
        let rate = Rate::new(10);
        let begin = Instant::now();
        for _ in 0..10 {
            assert!(rate.take(begin));
        }
        assert!(!rate.take(begin));
        assert!(!rate.take(begin + Duration::from_millis(99)));
        assert!(rate.take(begin + Duration::from_millis(101)));
        let later = begin + Duration::from_secs(100);
        assert_eq!((0..100).filter(|_| rate.take(later)).count(), 10);
    }
}
