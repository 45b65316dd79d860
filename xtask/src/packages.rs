//! Packages for Python and for Node which a file names, installed once below the
//! target folder, and again when the file has changed. Where the language itself
//! is missing it is installed for what everybody needs, and is an error for what
//! one can do without.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::{apt, command, pip};

/// Makes an environment of Python's in `folder`, with the packages of a
/// `requirements.txt`. `purpose` is for the user.
pub(crate) fn python(wanted: &Path, folder: &Path, purpose: &str) -> Result<()> {
    once(wanted, folder, || {
        if !command::exists("python3") {
            apt::install(&["python3", "python3-venv"], purpose)?;
        }
        pip(wanted, folder)
    })
}

/// The same, if Python is there.
pub(crate) fn python_if_there(wanted: &Path, folder: &Path) -> Result<()> {
    once(wanted, folder, || {
        require("python3")?;
        pip(wanted, folder)
    })
}

/// Installs the packages of a `package.json` into `folder`.
pub(crate) fn node(wanted: &Path, folder: &Path, purpose: &str) -> Result<()> {
    once(wanted, folder, || {
        if !command::exists("node") || !command::exists("npm") {
            apt::install(&["nodejs", "npm"], purpose)?;
        }
        npm(wanted, folder)
    })
}

/// The same, if Node and npm are there.
pub(crate) fn node_if_there(wanted: &Path, folder: &Path) -> Result<()> {
    once(wanted, folder, || {
        require("node")?;
        require("npm")?;
        npm(wanted, folder)
    })
}

fn pip(wanted: &Path, folder: &Path) -> Result<()> {
    pip::install(folder, &[], &["-r".as_ref(), wanted.as_os_str()])
}

fn npm(wanted: &Path, folder: &Path) -> Result<()> {
    std::fs::copy(wanted, folder.join("package.json"))?;
    let mut npm = Command::new("npm");
    npm.args(["install", "--no-audit", "--no-fund", "--loglevel=error"]);
    // Nothing in these packages has to be run to install it.
    npm.arg("--ignore-scripts").current_dir(folder);
    command::run(
        &mut npm,
        "check that this machine reaches its npm registry, and has Node 20 or newer",
    )
}

fn require(program: &str) -> Result<()> {
    ensure!(
        command::exists(program),
        "there is no `{program}` on the path"
    );
    Ok(())
}

/// Installs what a file names, and notes that.
fn once(wanted: &Path, folder: &Path, install: impl FnOnce() -> Result<()>) -> Result<()> {
    let shown = wanted.display();
    let text = std::fs::read(wanted).with_context(|| format!("can't read {shown}"))?;
    let done = folder.join("installed");
    if std::fs::read(&done).is_ok_and(|present| present == text) {
        return Ok(());
    }
    eprintln!("Installing what {shown} names.");
    std::fs::create_dir_all(folder)?;
    install()?;
    std::fs::write(&done, text).with_context(|| format!("can't write {}", done.display()))
}
