//! Rates: so many a second, and as many at once after a silence.

use std::time::{Duration, Instant};

/// A token bucket. It holds what may come at once, and fills as time passes.
#[derive(Clone, Copy, Debug)]
pub struct Bucket {
    /// When it will be full, if nothing is taken.
    full_at: Instant,
}

impl Bucket {
    /// A full one.
    pub fn new(now: Instant) -> Self {
        Self { full_at: now }
    }

    /// Takes one, of `per_second`.
    ///
    /// # Errors
    /// Says when there will be one, if there is none now.
    pub fn take(&mut self, per_second: u32, now: Instant) -> Result<(), Instant> {
        let one = Duration::from_secs(1) / per_second.max(1);
        let full_at = self.full_at.max(now) + one;
        // It holds what comes in one second.
        let most = now + Duration::from_secs(1).max(one);
        if full_at > most {
            return Err(now + (full_at - most));
        }
        self.full_at = full_at;
        Ok(())
    }

    /// Takes one in any case. Says until when there is none for the next, if
    /// that has to wait.
    pub fn spend(&mut self, per_second: u32, now: Instant) -> Option<Instant> {
        let taken = self.take(per_second, now);
        if taken.is_err() {
            self.full_at += Duration::from_secs(1) / per_second.max(1);
        }
        taken.err()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_come_at_once_and_then_so_many_a_second() {
        let start = Instant::now();
        let mut bucket = Bucket::new(start);
        for _ in 0..4 {
            assert_eq!(bucket.take(4, start), Ok(()));
        }
        let quarter = Duration::from_millis(250);
        assert_eq!(bucket.take(4, start), Err(start + quarter));
        assert_eq!(bucket.take(4, start + quarter), Ok(()));
        assert!(bucket.take(4, start + quarter).is_err());
        // A long silence saves no more than a second's worth.
        let later = start + Duration::from_secs(60);
        let taken = (0..9).filter(|_| bucket.take(4, later).is_ok());
        assert_eq!(taken.count(), 4);
    }

    #[test]
    fn what_is_spent_in_any_case_is_paid_later() {
        let start = Instant::now();
        let mut bucket = Bucket::new(start);
        let quarter = Duration::from_millis(250);
        let waits: Vec<_> = (0..6).map(|_| bucket.spend(4, start)).collect();
        let due = [Some(start + quarter), Some(start + 2 * quarter)];
        assert_eq!(waits[..4], [None; 4]);
        assert_eq!(waits[4..], due);
        assert!(bucket.take(4, start + 2 * quarter).is_err());
    }

    #[test]
    fn one_a_second_is_one_at_a_time() {
        let start = Instant::now();
        let mut bucket = Bucket::new(start);
        assert_eq!(bucket.take(1, start), Ok(()));
        assert!(bucket.take(1, start).is_err());
        assert_eq!(bucket.take(1, start + Duration::from_secs(1)), Ok(()));
    }
}
