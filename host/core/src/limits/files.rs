//! Limits of routes to files. They are the host's: threads and open files are
//! the process's own.

use serde::Deserialize;

use super::{OutOfRange, counted, ranged};

/// Limits of routes to files as `[files]` in the manifest gives them. Every key
/// may be left out.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawFileLimits {
    /// Different files from which responses stream at a time.
    pub open_max: Option<u32>,
    /// Threads that wait for a disk.
    pub reads_max: Option<u32>,
    /// Ranges of one request.
    pub ranges_max: Option<u64>,
}

/// Limits of routes to files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileLimits {
    /// See [`RawFileLimits::open_max`]; none for a part of what the system
    /// allows. Reached: 503.
    pub open_max: Option<u32>,
    /// See [`RawFileLimits::reads_max`]. Reached: the next one waits.
    pub reads_max: u32,
    /// See [`RawFileLimits::ranges_max`]. Reached: the whole file is sent.
    pub ranges_max: usize,
}

/// What is allowed if the manifest says nothing.
const DEFAULT: FileLimits = FileLimits {
    open_max: None,
    reads_max: 8,
    ranges_max: 16,
};

impl Default for FileLimits {
    fn default() -> Self {
        DEFAULT
    }
}

impl FileLimits {
    /// Fills in the defaults and checks every value.
    ///
    /// # Errors
    /// Fails when a value is out of its range.
    pub fn resolve(raw: &RawFileLimits) -> Result<Self, OutOfRange> {
        let ranges_max = DEFAULT.ranges_max as u64;
        Ok(Self {
            open_max: match raw.open_max {
                None => DEFAULT.open_max,
                count => Some(counted("open_max", count, 1, 1_000_000)?),
            },
            reads_max: counted("reads_max", raw.reads_max, DEFAULT.reads_max, 256)?,
            ranges_max: ranged("ranges_max", raw.ranges_max, ranges_max, 1..=1000)? as usize,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_has_a_default_and_what_is_given_a_range() {
        let mut raw = RawFileLimits::default();
        assert_eq!(FileLimits::resolve(&raw), Ok(FileLimits::default()));
        raw.ranges_max = Some(2);
        assert_eq!(FileLimits::resolve(&raw).unwrap().ranges_max, 2);
        raw.reads_max = Some(0);
        let error = FileLimits::resolve(&raw).unwrap_err().to_string();
        assert!(error.starts_with("`reads_max` is 0"), "{error}");
    }
}
