//! Packages for Python and for Node which a file names, installed once below the
//! target folder, and again when the file has changed.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::{apt, command, pip};

/// Makes an environment of Python's in `folder`, with the packages of a
/// `requirements.txt`. `purpose` is for the user.
pub(crate) fn python(wanted: &Path, folder: &Path, purpose: &str) -> Result<()> {
    once(wanted, folder, || {
        if !command::exists("python3") {
            apt::install(&["python3", "python3-venv"], purpose)?;
        }
        pip::install(folder, &[], &["-r".as_ref(), wanted.as_os_str()])
    })
}

/// Installs the packages of a `package.json` into `folder`.
pub(crate) fn node(wanted: &Path, folder: &Path, purpose: &str) -> Result<()> {
    once(wanted, folder, || {
        if !command::exists("node") || !command::exists("npm") {
            apt::install(&["nodejs", "npm"], purpose)?;
        }
        std::fs::copy(wanted, folder.join("package.json"))?;
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--loglevel=error"]);
        // Nothing in these packages has to be run to install it.
        npm.arg("--ignore-scripts").current_dir(folder);
        command::run(
            &mut npm,
            "check that this machine reaches its npm registry, and has Node 20 or newer",
        )
    })
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
