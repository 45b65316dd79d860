//! How much of everything. The bars of a test run in full with
//! `HOLDFAST_TESTS=full` in the environment, which takes many minutes.

/// Set it to `full`.
const VARIABLE: &str = "HOLDFAST_TESTS";

/// `full`, or what every run has time for.
pub fn count(full: usize, everyday: usize) -> usize {
    let is_full = std::env::var(VARIABLE).is_ok_and(|value| value == "full");
    if is_full { full } else { everyday }
}
