//! Limits of loading components. They are the host's, not a plugin's: a new
//! component is compiled before anything is known of it.

use serde::Deserialize;

use super::{OutOfRange, ranged};

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// Limits of loading components as `[load]` in the manifest gives them. Every
/// key may be left out.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawLoadLimits {
    /// One component's file.
    pub component_bytes_max: Option<u64>,
    /// Time to compile one component; those that are in the cache need none.
    pub compile_timeout_ms: Option<u64>,
    /// Memory of the compiler, which is a process of its own.
    pub compile_memory_bytes_max: Option<u64>,
}

/// What reading and compiling one component may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadLimits {
    /// See [`RawLoadLimits::component_bytes_max`]. Reached: it is not read.
    pub component_bytes_max: u64,
    /// See [`RawLoadLimits::compile_timeout_ms`]. Reached: the compiler is
    /// ended.
    pub compile_timeout_ms: u64,
    /// See [`RawLoadLimits::compile_memory_bytes_max`]. Reached: the compiler
    /// ends.
    pub compile_memory_bytes_max: u64,
}

/// What is allowed if the manifest says nothing. A component with a whole
/// language in it has up to 40 MB, and takes up to 30 seconds of one core; the
/// compiler has a low priority, and what else the machine does goes first.
const DEFAULT: LoadLimits = LoadLimits {
    component_bytes_max: 64 * MIB,
    compile_timeout_ms: 120_000,
    compile_memory_bytes_max: 2 * GIB,
};

impl Default for LoadLimits {
    fn default() -> Self {
        DEFAULT
    }
}

impl LoadLimits {
    /// Fills in the defaults and checks every value.
    ///
    /// # Errors
    /// Fails when a value is out of its range.
    pub fn resolve(raw: &RawLoadLimits) -> Result<Self, OutOfRange> {
        Ok(Self {
            component_bytes_max: ranged(
                "component_bytes_max",
                raw.component_bytes_max,
                DEFAULT.component_bytes_max,
                1..=GIB,
            )?,
            compile_timeout_ms: ranged(
                "compile_timeout_ms",
                raw.compile_timeout_ms,
                DEFAULT.compile_timeout_ms,
                1..=3_600_000,
            )?,
            compile_memory_bytes_max: ranged(
                "compile_memory_bytes_max",
                raw.compile_memory_bytes_max,
                DEFAULT.compile_memory_bytes_max,
                64 * MIB..=1024 * GIB,
            )?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_has_a_default_and_what_is_given_a_range() {
        let mut raw = RawLoadLimits::default();
        assert_eq!(LoadLimits::resolve(&raw), Ok(LoadLimits::default()));
        raw.compile_timeout_ms = Some(5);
        assert_eq!(LoadLimits::resolve(&raw).unwrap().compile_timeout_ms, 5);
        raw.compile_memory_bytes_max = Some(1);
        let error = LoadLimits::resolve(&raw).unwrap_err().to_string();
        assert!(
            error.starts_with("`compile_memory_bytes_max` is 1"),
            "{error}"
        );
    }
}
