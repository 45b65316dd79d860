//! Other people's WebSocket clients, for the tests: Python's and Node's. What is
//! installed is named in `tests/clients`, and goes to the target folder.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::{apt, command, pip, place};

/// Installs them, unless they are there.
pub(crate) fn install() -> Result<()> {
    let named = place::root()?.join("tests/clients");
    let clients = place::target()?.join("clients");
    once(&named.join("requirements.txt"), &clients, "python", python)?;
    once(&named.join("package.json"), &clients, "node", npm)
}

/// Installs what a file names into a folder of that name, and notes that.
fn once(
    wanted: &Path,
    clients: &Path,
    name: &str,
    install: fn(&Path, &Path) -> Result<()>,
) -> Result<()> {
    let shown = wanted.display();
    let text = std::fs::read(wanted).with_context(|| format!("can't read {shown}"))?;
    let folder = clients.join(name);
    let done = folder.join("installed");
    if std::fs::read(&done).is_ok_and(|present| present == text) {
        return Ok(());
    }
    eprintln!("Installing what {shown} names.");
    std::fs::create_dir_all(&folder)?;
    install(wanted, &folder)?;
    std::fs::write(&done, text).with_context(|| format!("can't write {}", done.display()))
}

fn python(wanted: &Path, folder: &Path) -> Result<()> {
    if !command::exists("python3") {
        let packages = ["python3", "python3-venv"];
        apt::install(&packages, "WebSocket clients for the tests")?;
    }
    pip::install(folder, &[], &["-r".as_ref(), wanted.as_os_str()])
}

fn npm(wanted: &Path, folder: &Path) -> Result<()> {
    if !command::exists("node") || !command::exists("npm") {
        apt::install(&["nodejs", "npm"], "a WebSocket client for the tests")?;
    }
    std::fs::copy(wanted, folder.join("package.json"))?;
    let mut npm = Command::new("npm");
    npm.args(["install", "--no-audit", "--no-fund", "--loglevel=error"]);
    // Nothing in these packages has to be run to install it.
    npm.arg("--ignore-scripts").current_dir(folder);
    command::run(&mut npm, "check that this machine reaches its npm registry")
}
