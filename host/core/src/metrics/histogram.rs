//! How long something took, in fixed buckets.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::split::bump;

/// Upper bounds of the buckets but the last, which has none, in microseconds.
pub const BOUNDS: [u64; 13] = [
    50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 50_000, 100_000, 500_000, 1_000_000, 5_000_000,
];

const BUCKET_COUNT: usize = BOUNDS.len() + 1;

/// Written by one thread at a time.
#[derive(Debug, Default)]
pub(super) struct Histogram {
    buckets: [AtomicU64; BUCKET_COUNT],
    sum_ns: AtomicU64,
}

/// What a histogram has come to, or several together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HistogramCounts {
    /// Of each bucket alone. The last is what took longer than all [`BOUNDS`].
    pub buckets: [u64; BUCKET_COUNT],
    /// All of it together, in nanoseconds.
    pub sum_ns: u64,
}

impl Histogram {
    pub(super) fn note(&self, duration: Duration) {
        let ns = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let index = BOUNDS.iter().position(|bound| ns <= bound * 1_000);
        if let Some(bucket) = self.buckets.get(index.unwrap_or(BOUNDS.len())) {
            bump(bucket, 1);
        }
        bump(&self.sum_ns, ns);
    }

    pub(super) fn add_to(&self, counts: &mut HistogramCounts) {
        for (count, bucket) in counts.buckets.iter_mut().zip(&self.buckets) {
            *count += bucket.load(Ordering::Relaxed);
        }
        counts.sum_ns += self.sum_ns.load(Ordering::Relaxed);
    }
}

impl HistogramCounts {
    /// How often something was measured.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_its_bucket() {
        let histogram = Histogram::default();
        for us in [0, 50, 51, 5_000_000, 5_000_001] {
            histogram.note(Duration::from_micros(us));
        }
        let mut counts = HistogramCounts::default();
        histogram.add_to(&mut counts);
        assert_eq!((counts.buckets[0], counts.buckets[1]), (2, 1));
        assert_eq!((counts.buckets[12], counts.buckets[13]), (1, 1));
        assert_eq!(counts.count(), 5);
        assert_eq!(counts.sum_ns, 10_000_102_000);
    }
}
