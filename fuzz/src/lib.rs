//! The targets, and what drives them where there is no libFuzzer: a mutator over the
//! corpus, with a seed, so that what it finds can be found again.
//!
//! `cargo xtask test` runs each target for a moment, `cargo xtask fuzz TARGET` for as
//! long as somebody likes.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing
)]

mod mutate;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use mutate::Mutator;

/// Takes any bytes, and panics if something does not hold.
pub type Target = fn(&[u8]);

/// Those of the crates. The host itself has some more, which its unit tests run.
pub const TARGETS: &[(&str, Target)] = &[
    ("manifest", holdfast_core::fuzzing::manifest),
    ("tenant_manifest", holdfast_core::fuzzing::tenant_manifest),
    ("proxy_protocol", holdfast_edge::fuzzing::proxy_protocol),
    ("upgrade", holdfast_edge::fuzzing::upgrade),
    ("forwarded_fields", holdfast_edge::fuzzing::forwarded_fields),
    ("frames", holdfast_edge::fuzzing::frames),
    ("compression", holdfast_edge::fuzzing::compression),
    ("http1_framing", holdfast_edge::fuzzing::http1_framing),
    ("http2_frames", holdfast_edge::fuzzing::http2_frames),
    (
        "client_certificate",
        holdfast_edge::fuzzing::client_certificate,
    ),
    ("origins", holdfast_edge::fuzzing::origins),
    #[cfg(feature = "runtime")]
    ("component", holdfast_runtime::fuzzing::component),
    #[cfg(feature = "runtime")]
    ("allow_list", holdfast_runtime::fuzzing::allow_list),
];

/// How long a target is run if nobody says: all of them take some 20 s.
const SHORT: Duration = Duration::from_millis(1200);
/// Seconds for each target.
const VARIABLE: &str = "HOLDFAST_FUZZ_SECONDS";

/// The inputs with which a target begins.
pub fn corpus(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(name)
}

/// Runs a target with its corpus, and then with what a mutator makes of it.
///
/// # Panics
/// When the target does, with the input.
pub fn run(name: &str, target: Target) {
    let time = std::env::var(VARIABLE).ok().and_then(|it| it.parse().ok());
    let time = time.map_or(SHORT, Duration::from_secs);
    let files = std::fs::read_dir(corpus(name)).expect("a corpus");
    let mut paths: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    // In the same order everywhere.
    paths.sort();
    let seeds = paths
        .iter()
        .map(|path| std::fs::read(path).expect("a file"));
    let seeds: Vec<Vec<u8>> = seeds.collect();
    assert!(!seeds.is_empty(), "the corpus of {name} is empty");
    for seed in &seeds {
        check(name, target, seed);
    }
    let mut mutator = Mutator::new(name, seeds);
    let end = Instant::now() + time;
    let mut count: u64 = 0;
    while Instant::now() < end {
        check(name, target, mutator.next());
        count += 1;
    }
    eprintln!("{name}: {count} inputs");
}

fn check(name: &str, target: Target, input: &[u8]) {
    let checked = catch_unwind(AssertUnwindSafe(|| target(input)));
    assert!(
        checked.is_ok(),
        "{name} fails with b\"{}\"",
        input.escape_ascii()
    );
}
