//! How often something may happen: so many times a second, and as many at once
//! after a while without.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// What one time costs.
const WHOLE: u64 = 1_000_000;

/// A number of times for each second.
pub(crate) struct Rate {
    per_second: u64,
    state: Mutex<State>,
}

struct State {
    /// In millionths of a time.
    left: u64,
    filled: Instant,
}

impl Rate {
    pub(crate) fn new(per_second: u32) -> Self {
        let per_second = u64::from(per_second);
        Self {
            per_second,
            state: Mutex::new(State {
                left: per_second * WHOLE,
                filled: Instant::now(),
            }),
        }
    }

    /// Counts one time, if there may be one more.
    pub(crate) fn take(&self, now: Instant) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = now.saturating_duration_since(state.filled).as_micros() as u64;
        if passed > 0 {
            // A time a second is one millionth of it a microsecond.
            let more = passed.saturating_mul(self.per_second);
            state.left = state.left.saturating_add(more);
            state.left = state.left.min(self.per_second * WHOLE);
            state.filled = now;
        }
        match state.left.checked_sub(WHOLE) {
            Some(left) => {
                state.left = left;
                true
            }
            None => false,
        }
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
