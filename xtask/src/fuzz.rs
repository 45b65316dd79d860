//! The long runs of the fuzz targets, by LLVM's libFuzzer. It needs coverage, which
//! the stable compiler can give, and a C++ compiler.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{command, place};

/// For `cargo xtask fuzz --help`.
pub(crate) const HELP: &str = "\
Run one fuzz target by libFuzzer, until it finds something.

Usage: cargo xtask fuzz TARGET [OPTION]...

The targets are in fuzz/fuzz_targets. OPTIONs are libFuzzer's, such as
-max_total_time=300 (seconds) or -help=1. New inputs are kept in
target/fuzz/corpus/TARGET, and what makes a target fail in target/fuzz/artifacts;
put it into fuzz/corpus/TARGET once it is mended. The targets of the host itself
(host_admin_requests, host_deployments) know no libFuzzer: they run with inputs
made at random, for HOLDFAST_FUZZ_SECONDS.

`cargo xtask test` runs each target for a moment.
";

/// What libFuzzer needs of the compiler; the same as cargo-fuzz says.
const FLAGS: &[&str] = &[
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
    "--cfg=fuzzing",
];

/// Those for which the engine has to be built.
const RUNTIME_TARGETS: [&str; 2] = ["allow_list", "component"];

/// The targets of the host, which is no library.
const HOST_TARGETS: [&str; 2] = ["host_admin_requests", "host_deployments"];

/// Runs a target with libFuzzer's options.
pub(crate) fn run(target: &str, options: &[&str]) -> Result<()> {
    if HOST_TARGETS.contains(&target) {
        let mut test = place::cargo()?;
        test.args(["test", "--package", "holdfast", target, "--", "--nocapture"]);
        return command::run(&mut test, "see what the target says above");
    }
    let seeds = place::root()?.join("fuzz/corpus").join(target);
    if !seeds.is_dir() {
        bail!("there is no fuzz target `{target}`\n  hint: `ls fuzz/fuzz_targets` shows them");
    }
    let folder = place::target()?.join("fuzz");
    let corpus = folder.join("corpus").join(target);
    let artifacts = folder.join("artifacts").join(target);
    for folder in [&corpus, &artifacts] {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("can't make {}", folder.display()))?;
    }
    let mut cargo = place::cargo()?;
    // With the machine named, so that build scripts are built as ever.
    cargo.args(["run", "--target", &host_triple()?, "--target-dir"]);
    cargo.arg(folder.join("build"));
    let features = match RUNTIME_TARGETS.contains(&target) {
        true => "libfuzzer,runtime",
        false => "libfuzzer",
    };
    cargo.args(["--package", "holdfast-fuzz", "--no-default-features"]);
    cargo.args(["--features", features, "--bin", target, "--"]);
    cargo.arg(&corpus).arg(&seeds);
    cargo.arg(format!("-artifact_prefix={}/", artifacts.display()));
    cargo
        .args(["-timeout=10", "-rss_limit_mb=2048"])
        .args(options);
    cargo.env("RUSTFLAGS", FLAGS.join(" "));
    cargo.env("CARGO_PROFILE_DEV_OPT_LEVEL", "2");
    command::run(&mut cargo, "the input that fails is named above")
}

/// The machine for which the compiler builds if nobody says.
fn host_triple() -> Result<String> {
    let mut rustc = Command::new("rustc");
    let version = command::read(rustc.arg("-vV"))?;
    let line = version.lines().find_map(|line| line.strip_prefix("host: "));
    line.map(str::to_owned)
        .context("rustc does not say for which machine it builds")
}
