//! Times in buckets that grow with the time: each power of two is divided into
//! equal parts, so that a value is known to within one percent.

use std::time::Duration;

/// Parts of a power of two, as a power of two.
const PARTS_LOG2: u32 = 7;
const PARTS: u64 = 1 << PARTS_LOG2;

/// How often which time was seen.
pub(crate) struct Histogram {
    counts: Vec<u64>,
    total: u64,
    largest: u64,
}

impl Histogram {
    pub(crate) fn new() -> Self {
        Self {
            counts: vec![0; bucket(u64::MAX) + 1],
            total: 0,
            largest: 0,
        }
    }

    pub(crate) fn record(&mut self, time: Duration) {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        if let Some(count) = self.counts.get_mut(bucket(nanoseconds)) {
            *count += 1;
        }
        self.total += 1;
        self.largest = self.largest.max(nanoseconds);
    }

    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// The longest time, in microseconds.
    pub(crate) fn largest_us(&self) -> f64 {
        self.largest as f64 / 1e3
    }

    /// The time that a share of all, 0 to 1, does not exceed, in microseconds.
    pub(crate) fn quantile_us(&self, share: f64) -> f64 {
        let wanted = ((self.total as f64 * share).ceil() as u64).max(1);
        let mut seen = 0;
        for (index, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return upper_bound(index).min(self.largest) as f64 / 1e3;
            }
        }
        self.largest_us()
    }
}

fn bucket(value: u64) -> usize {
    if value < PARTS {
        return value as usize;
    }
    let shift = value.ilog2() - PARTS_LOG2;
    let part = (value >> shift) - PARTS;
    ((u64::from(shift) + 1) * PARTS + part) as usize
}

/// The largest value in a bucket.
fn upper_bound(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < PARTS {
        return bucket;
    }
    let shift = bucket / PARTS - 1;
    let part = bucket % PARTS + PARTS;
    (part << shift) + ((1 << shift) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_known_to_within_a_percent() {
        for value in [
            0,
            1,
            127,
            128,
            129,
            1_000,
            65_537,
            123_456_789,
            u64::MAX / 3,
        ] {
            let bound = upper_bound(bucket(value));
            assert!(bound >= value, "{value}");
            assert!(bound - value <= value / 100, "{value} {bound}");
        }
    }

    #[test]
    fn buckets_follow_each_other() {
        for bucket_index in 0..5_000 {
            let bound = upper_bound(bucket_index);
            assert_eq!(bucket(bound), bucket_index);
            assert_eq!(bucket(bound + 1), bucket_index + 1);
        }
    }

    #[test]
    fn quantiles_count_from_below() {
        let mut histogram = Histogram::new();
        for microseconds in 1..=100 {
            histogram.record(Duration::from_micros(microseconds));
        }
        assert!((histogram.quantile_us(0.5) - 50.0).abs() < 0.5);
        assert!((histogram.quantile_us(0.99) - 99.0).abs() < 1.0);
        assert_eq!(histogram.quantile_us(1.0), 100.0);
        assert_eq!(histogram.largest_us(), 100.0);
    }
}
