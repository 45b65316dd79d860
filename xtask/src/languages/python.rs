//! Python: the builder of `sdk/python`, in an environment of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::{Builder, Language};
use crate::{command, packages, place};

pub(super) const LANGUAGE: Language = Language {
    name: "python",
    install,
    builders: &[Builder {
        name: "python",
        build,
    }],
    test: Some(test),
    // componentize-py brings its own; the rest is named in `sdk/python`.
    versions: &[],
    inputs: &[],
    is_optional: false,
};

/// What is installed, in the folder of the SDK.
const WANTED: &str = "requirements.txt";

fn install() -> Result<()> {
    let wanted = sdk()?.join(WANTED);
    packages::python(&wanted, &folder()?, "components in Python")
}

fn build(project: &Path, output: &Path) -> Result<()> {
    let mut build = python()?;
    build
        .args(["-m", "holdfast.build", "app", "-o"])
        .arg(std::path::absolute(output)?)
        .current_dir(project);
    command::run(&mut build, "see what Python says above")
}

/// The tests of the SDK, and its types against the bindings which are generated
/// from its WIT.
fn test() -> Result<()> {
    let bindings = folder()?.join("bindings");
    // Those of the last time: componentize-py makes the folder, or fails.
    if bindings.exists() {
        std::fs::remove_dir_all(&bindings)?;
    }
    let mut generate = python()?;
    generate
        .args(["-m", "holdfast.build", "--bindings"])
        .arg(&bindings)
        .current_dir(sdk()?);
    command::run(&mut generate, "see what Python says above")?;
    let mut mypy = python()?;
    mypy.args(["-m", "mypy", "--cache-dir"])
        .arg(folder()?.join("mypy"))
        .env("MYPYPATH", &bindings)
        .current_dir(sdk()?);
    command::run(&mut mypy, "the types in sdk/python do not fit together")?;
    let mut pytest = python()?;
    pytest
        .args(["-m", "pytest", "--quiet", "-p", "no:cacheprovider"])
        .current_dir(sdk()?);
    command::run(&mut pytest, "a test in sdk/python/tests fails")
}

/// Python, which finds the SDK and leaves nothing behind in the repository.
fn python() -> Result<Command> {
    let mut python = Command::new(folder()?.join("bin/python"));
    python.arg("-B").env("PYTHONPATH", sdk()?);
    Ok(python)
}

fn folder() -> Result<PathBuf> {
    Ok(place::target()?.join("tools/python-sdk"))
}

fn sdk() -> Result<PathBuf> {
    Ok(place::root()?.join("sdk/python"))
}
