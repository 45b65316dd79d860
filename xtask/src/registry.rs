//! A registry of images, for the tests of components that come from one: Debian's
//! package, unpacked, or the same program built by Go.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::{apt, command, place};

const DEBIAN_PACKAGE: &str = "docker-registry";
const DEBIAN_SUITE: &str = "bookworm";
const GO_PACKAGE: &str = "github.com/distribution/distribution/v3/cmd/registry@v3.0.0";

/// Installs it to `target/tools/registry/registry`, if it is not there.
pub(crate) fn install() -> Result<()> {
    let folder = place::target()?.join("tools").join("registry");
    if folder.join("registry").exists() {
        return Ok(());
    }
    std::fs::create_dir_all(&folder).with_context(|| format!("can't make {}", folder.display()))?;
    let Err(error) = of_debian(&folder) else {
        return Ok(());
    };
    eprintln!("That did not work: {error:#}.\nInstalling {GO_PACKAGE} with Go.");
    let mut install = Command::new("go");
    install.args(["install", GO_PACKAGE]).env("GOBIN", &folder);
    let hint = "install Go, or use Debian 12; the tests of images need a registry";
    command::run(&mut install, hint)
}

fn of_debian(folder: &Path) -> Result<()> {
    let unpacked = apt::unpack_from_suite(DEBIAN_PACKAGE, DEBIAN_SUITE, folder)?;
    let program = unpacked.join("usr/bin").join(DEBIAN_PACKAGE);
    // Somewhere else than it was built for it may not start.
    command::read(Command::new(&program).arg("--version"))?;
    std::fs::rename(&program, folder.join("registry"))
        .with_context(|| format!("{} is not in the package", program.display()))
}
