//! Go: the system's, and the host's own program for the last step.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use super::{Builder, Language};
use crate::programs::{self, HOST, Profile};
use crate::{command, place};

pub(super) const LANGUAGE: Language = Language {
    name: "go",
    install,
    builders: &[Builder { name: "go", build }],
    test: Some(test),
    versions: &[&["go", "version"]],
    inputs: &["host/src/component.rs", "host/src/component", "sdk/c/wit"],
    is_optional: true,
};

const HINT: &str = "install Go 1.24 or newer";

fn install() -> Result<()> {
    if !command::exists("go") {
        bail!("there is no Go on this machine\n  hint: {HINT}");
    }
    programs::build_debug_host()
}

fn build(project: &Path, output: &Path) -> Result<()> {
    let mut build = Command::new(sdk()?.join("build.sh"));
    build.arg(output).current_dir(project);
    build.env("HOLDFAST", programs::path(HOST, Profile::Debug)?);
    command::run(&mut build, "see the compiler's messages above")
}

/// The unit tests of the SDK, with the host in memory; `go vet` and gofmt of all
/// Go.
fn test() -> Result<()> {
    let folder = sdk()?;
    for arguments in [["test", "./..."], ["vet", "./..."]] {
        let mut go = Command::new("go");
        go.args(arguments).current_dir(&folder);
        command::run(&mut go, HINT)?;
    }
    let root = place::root()?;
    let mut gofmt = Command::new("gofmt");
    gofmt.arg("-l").current_dir(root);
    gofmt.args(["sdk/go", "examples/go", "tests/conformance/go"]);
    let unformatted = command::read(&mut gofmt)?;
    if !unformatted.is_empty() {
        bail!("these are not formatted:\n{unformatted}  hint: run `gofmt -w` on them");
    }
    Ok(())
}

fn sdk() -> Result<PathBuf> {
    Ok(place::root()?.join("sdk/go"))
}
