//! Python: the builder of `sdk/python`, in an environment of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::{Builder, Language};
use crate::{apt, command, pip, place};

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
    let shown = wanted.display();
    let text = std::fs::read(&wanted).with_context(|| format!("can't read {shown}"))?;
    let folder = folder()?;
    let done = folder.join("installed");
    if std::fs::read(&done).is_ok_and(|present| present == text) {
        return Ok(());
    }
    eprintln!("Installing what {shown} names.");
    if !command::exists("python3") {
        let packages = ["python3", "python3-venv"];
        apt::install(&packages, "components in Python")?;
    }
    std::fs::create_dir_all(&folder)?;
    pip::install(&folder, &[], &["-r".as_ref(), wanted.as_os_str()])?;
    std::fs::write(&done, text).with_context(|| format!("can't write {}", done.display()))
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
