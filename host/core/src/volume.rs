//! How much a plugin may write to the log, and have written there about its own
//! failures. A line takes an event loop some microseconds, a place on somebody's
//! disk, and one of those that wait to be written, which others want too.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Bytes at once, after a while of silence: those of so many seconds.
const SECONDS_MAX: u64 = 4;

/// What a line counts for besides its text: time, names, and the work.
const LINE_BYTES: u64 = 128;

/// The log's volume of one generation of a plugin, on all event loops together.
#[derive(Debug)]
pub struct Volume {
    bytes_per_second: u64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    bytes_left: u64,
    filled: Instant,
    dropped: u64,
}

/// What becomes of a line.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is written.
    Write {
        /// How many before it were not.
        dropped: u64,
    },
    /// It is one too many.
    Drop,
}

impl Volume {
    /// With so many bytes a second in the long run.
    pub fn new(bytes_per_second: u64) -> Self {
        Self {
            bytes_per_second,
            state: Mutex::new(State {
                bytes_left: SECONDS_MAX.saturating_mul(bytes_per_second),
                filled: Instant::now(),
                dropped: 0,
            }),
        }
    }

    /// Counts a line of so many bytes.
    pub fn take(&self, len: usize, now: Instant) -> Verdict {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let passed_ms = now.saturating_duration_since(state.filled).as_millis() as u64;
        if passed_ms > 0 {
            let more = passed_ms.saturating_mul(self.bytes_per_second) / 1000;
            let most = SECONDS_MAX.saturating_mul(self.bytes_per_second);
            state.bytes_left = state.bytes_left.saturating_add(more).min(most);
            state.filled = now;
        }
        match state.bytes_left.checked_sub(LINE_BYTES + len as u64) {
            Some(left) => {
                state.bytes_left = left;
                let dropped = std::mem::take(&mut state.dropped);
                Verdict::Write { dropped }
            }
            None => {
                state.dropped += 1;
                Verdict::Drop
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_too_much_is_dropped_and_counted() {
        const BYTES_PER_S: u64 = 256 << 10;
        let volume = Volume::new(BYTES_PER_S);
        let begin = Instant::now();
        let line = 1024 - LINE_BYTES as usize;
        let written = Verdict::Write { dropped: 0 };
        for _ in 0..SECONDS_MAX * BYTES_PER_S / 1024 {
            assert_eq!(volume.take(line, begin), written);
        }
        for _ in 0..3 {
            assert_eq!(volume.take(line, begin), Verdict::Drop);
        }
        let later = begin + Duration::from_millis(5);
        assert_eq!(volume.take(line, later), Verdict::Write { dropped: 3 });
        assert_eq!(volume.take(line, later), Verdict::Drop);
    }
}
