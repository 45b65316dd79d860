//! How much a plugin may write to the log. Writing a line takes an event loop
//! some microseconds, and a place on somebody's disk.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Bytes a second, in the long run.
const BYTES_PER_S: u64 = 256 << 10;

/// Bytes at once, after a while of silence.
const BYTES_MAX: u64 = 1 << 20;

/// What a line counts for besides its text: time, names, and the work.
const LINE_BYTES: u64 = 128;

/// The log's volume of one plugin, on all event loops together.
pub(crate) struct Volume(Mutex<State>);

struct State {
    bytes_left: u64,
    filled: Instant,
    dropped: u64,
}

/// What becomes of a line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is written, after so many that were not.
    Write { dropped: u64 },
    /// It is one too many.
    Drop,
}

impl Volume {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(State {
            bytes_left: BYTES_MAX,
            filled: Instant::now(),
            dropped: 0,
        }))
    }

    /// Counts a line of so many bytes.
    pub(crate) fn take(&self, len: usize, now: Instant) -> Verdict {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let passed_ms = now.saturating_duration_since(state.filled).as_millis() as u64;
        if passed_ms > 0 {
            let more = passed_ms.saturating_mul(BYTES_PER_S) / 1000;
            state.bytes_left = state.bytes_left.saturating_add(more).min(BYTES_MAX);
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
        let volume = Volume::new();
        let begin = Instant::now();
        let line = 1024 - LINE_BYTES as usize;
        let written = Verdict::Write { dropped: 0 };
        for _ in 0..BYTES_MAX / 1024 {
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
