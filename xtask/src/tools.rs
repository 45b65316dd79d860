//! Programs of other people that tests need, below `target/tools`. What can't be
//! had is said, and the tests that need it say that they were skipped; in CI they
//! fail.

use std::process::Command;

use anyhow::Result;

use crate::{command, place};

/// The conformance test of HTTP/2, and the newest version which Go's proxy has.
const H2SPEC: &str = "github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible";

/// Installs h2spec, if it is not there.
pub(crate) fn h2spec() -> Result<()> {
    let folder = place::target()?.join("tools");
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
