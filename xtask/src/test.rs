//! Everything that CI checks.

use std::time::Instant;

use anyhow::{Context, Result};

use crate::programs::Profile;
use crate::toolchain::Toolchain;
use crate::{
    apt, clients, command, edges, guests, languages, place, programs, registry, schemathesis, tools,
};

/// For `cargo xtask test --help`.
pub(crate) const HELP: &str = "\
Run everything that CI checks.

Usage: cargo xtask test [[--release] FILTER]

Formatting, lints, documentation, crate edges, guests, unit tests, programs and
SDKs in every language, and the tests of the real binary over real sockets.
Stops at the first failure. With FILTER, only those of the last whose name
contains it; with --release, host and tests are optimised for these.

With HOLDFAST_TESTS=full in the environment, the tests of hot reload take the
numbers of connections and reloads that are promised, which takes minutes. What
hostile guests do to their neighbours is measured in earnest with --release
alone: `cargo xtask test --release hostile`.
";

/// The tests of the real binary.
const INTEGRATION: &str = "holdfast-tests";

/// One thing to check.
struct Step {
    name: &'static str,
    run: fn() -> Result<()>,
}

const STEPS: &[Step] = &[
    Step {
        name: "formatting",
        run: formatting,
    },
    Step {
        name: "crate edges",
        run: edges::check,
    },
    Step {
        name: "lints",
        run: lints,
    },
    Step {
        name: "documentation",
        run: documentation,
    },
    Step {
        name: "unit tests",
        run: unit_tests,
    },
    Step {
        name: "guests",
        run: all_guests,
    },
    Step {
        name: "languages",
        run: languages,
    },
    Step {
        name: "host",
        run: programs::build_debug_host,
    },
    Step {
        name: "browser",
        run: browser,
    },
    Step {
        name: "schemathesis",
        run: schemathesis::prepare,
    },
    Step {
        name: "h2spec",
        run: tools::h2spec,
    },
    Step {
        name: "other people's clients, and Autobahn's cases",
        run: clients::install,
    },
    Step {
        name: "a registry",
        run: registry::install,
    },
    Step {
        name: "integration tests",
        run: || integration_tests(None, Profile::Debug),
    },
];

/// Runs every step, with the time each takes.
pub(crate) fn everything() -> Result<()> {
    let start = Instant::now();
    for (index, step) in STEPS.iter().enumerate() {
        eprintln!("== {} ({} of {})", step.name, index + 1, STEPS.len());
        let step_start = Instant::now();
        (step.run)().with_context(|| format!("the step \"{}\" has failed", step.name))?;
        eprintln!(
            "== {}: {:.1} s",
            step.name,
            step_start.elapsed().as_secs_f32()
        );
    }
    eprintln!("== all: {:.1} s", start.elapsed().as_secs_f32());
    Ok(())
}

/// Runs the integration tests whose name contains `filter`, and the host, in this
/// profile.
pub(crate) fn named(filter: &str, profile: Profile) -> Result<()> {
    all_guests()?;
    languages::build(|_, _| true)?;
    programs::build(programs::HOST, profile)?;
    browser()?;
    schemathesis::prepare()?;
    tools::h2spec()?;
    clients::install()?;
    registry::install()?;
    integration_tests(Some(filter), profile)
}

fn formatting() -> Result<()> {
    let mut check = place::cargo()?;
    check.args(["fmt", "--all", "--check"]);
    command::run(&mut check, "run `cargo fmt --all`")?;
    for manifest in guests::foreign_manifests()? {
        let mut check = place::cargo()?;
        check
            .args(["fmt", "--check", "--manifest-path"])
            .arg(&manifest);
        let hint = format!("run `cargo fmt --manifest-path {}`", manifest.display());
        command::run(&mut check, &hint)?;
    }
    Ok(())
}

fn lints() -> Result<()> {
    let mut clippy = place::cargo()?;
    clippy.args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]);
    command::run(&mut clippy, "mend what clippy says above")
}

fn documentation() -> Result<()> {
    // The binary and the SDK are both named `holdfast`, and the pages of the
    // latter are to stay.
    let host = ["--package", "holdfast"].as_slice();
    let others = ["--workspace", "--exclude", "holdfast"].as_slice();
    for packages in [host, others] {
        let mut doc = place::cargo()?;
        doc.args(["doc", "--no-deps"]).args(packages);
        doc.env("RUSTDOCFLAGS", "-D warnings");
        command::run(&mut doc, "mend what rustdoc says above")?;
    }
    Ok(())
}

fn unit_tests() -> Result<()> {
    let mut test = place::cargo()?;
    test.args(["test", "--workspace", "--exclude", INTEGRATION]);
    command::run(&mut test, "see the failed test above")
}

/// Writes docs/openapi.json as the host describes itself. The unit test which
/// does it checks else that it is so.
pub(crate) fn write_openapi() -> Result<()> {
    let mut test = place::cargo()?;
    test.args([
        "test",
        "--quiet",
        "--package",
        "holdfast",
        "the_kept_document",
    ]);
    test.env("HOLDFAST_WRITE_OPENAPI", "1");
    command::run(&mut test, "see the compiler's messages above")
}

fn all_guests() -> Result<()> {
    guests::build(&[]).map(|_| ())
}

/// Programs in every language, and the tests of their SDKs.
fn languages() -> Result<()> {
    languages::build(|_, _| true)?;
    languages::test()
}

/// The browser in which the chat page is tried.
fn browser() -> Result<()> {
    if command::exists("chromium") {
        return Ok(());
    }
    apt::install(&["chromium"], "a browser for the test of the chat page")
}

fn integration_tests(filter: Option<&str>, profile: Profile) -> Result<()> {
    let mut test = place::cargo()?;
    test.args(["test", "--package", INTEGRATION]);
    test.args((profile == Profile::Release).then_some("--release"));
    test.args(filter);
    // For the projects which tests build, and not for the tests themselves.
    for (name, value) in Toolchain::find()?.variables() {
        test.env(format!("HOLDFAST_GUEST_{name}"), value);
    }
    command::run(&mut test, "see the failed test above")
}
