//! Programs of other people that tests need, below `target/tools`. What can't be
//! had is said, and the tests that need it say that they were skipped; in CI they
//! fail.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::{command, pip, place};

/// The conformance test of HTTP/2, and the newest version which Go's proxy has.
const H2SPEC: &str = "github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible";

/// WebSocket clients in other languages.
const PYTHON_PACKAGE: &str = "websockets==17.4";
const NODE_PACKAGE: &str = "ws@8.23.0";

/// Where they are.
fn folder() -> Result<PathBuf> {
    Ok(place::target()?.join("tools"))
}

/// Installs h2spec, if it is not there.
pub(crate) fn h2spec() -> Result<()> {
    let folder = folder()?;
    if folder.join("h2spec").exists() {
        return Ok(());
    }
    if !command::exists("go") {
        eprintln!("There is no Go on this machine: HTTP/2 is not tried with h2spec.");
        return Ok(());
    }
    eprintln!("Installing {H2SPEC} with Go.");
    let mut install = Command::new("go");
    install.args(["install", H2SPEC]).env("GOBIN", &folder);
    if let Err(error) = command::run(&mut install, "Go's proxy has to be reached") {
        eprintln!("That did not work: {error:#}. HTTP/2 is not tried with h2spec.");
    }
    Ok(())
}

/// Installs clients in Python and for Node, if they are not there.
pub(crate) fn clients() -> Result<()> {
    let folder = folder()?;
    std::fs::create_dir_all(&folder)?;
    let python = folder.join("python");
    if !python.join("done").exists()
        && let Err(error) = python_client(&python)
    {
        eprintln!("That did not work: {error:#}. Python's websockets is not tried.");
    }
    let node = folder.join("node");
    if !node.join("node_modules").exists()
        && let Err(error) = node_client(&node)
    {
        eprintln!("That did not work: {error:#}. Node's ws is not tried.");
    }
    Ok(())
}

fn python_client(folder: &Path) -> Result<()> {
    eprintln!("Installing {PYTHON_PACKAGE} with pip.");
    pip::install(folder, &[], &[PYTHON_PACKAGE.as_ref()])?;
    Ok(std::fs::write(folder.join("done"), "")?)
}

fn node_client(folder: &Path) -> Result<()> {
    eprintln!("Installing {NODE_PACKAGE} with npm.");
    std::fs::create_dir_all(folder)?;
    std::fs::write(folder.join("package.json"), "{}")?;
    let mut install = Command::new("npm");
    install.args(["install", "--no-audit", "--no-fund", "--loglevel=error"]);
    install
        .args(["--ignore-scripts", NODE_PACKAGE])
        .current_dir(folder);
    command::run(
        &mut install,
        "install Node and npm; its registry has to be reached",
    )
}
