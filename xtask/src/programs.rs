//! The programs of this workspace which other steps run.

use std::path::PathBuf;

use anyhow::Result;

use crate::{command, place};

/// A profile of cargo's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    Debug,
    Release,
}

impl Profile {
    /// What it is called, and its folder.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Release => "release",
        }
    }
}

/// Packages of one program, of the same name: the host, and the load generator.
pub(crate) const HOST: &str = "holdfast";
pub(crate) const BENCH: &str = "holdfast-bench";

/// Where a program is when it has been built.
pub(crate) fn path(package: &str, profile: Profile) -> Result<PathBuf> {
    Ok(place::target()?.join(profile.word()).join(package))
}

/// Builds the host for tests and for tools of languages.
pub(crate) fn build_debug_host() -> Result<()> {
    build(HOST, Profile::Debug).map(|_| ())
}

/// Builds a program, and returns where it is. Each is built on its own, so that
/// none has the features which others want.
pub(crate) fn build(package: &str, profile: Profile) -> Result<PathBuf> {
    let mut build = place::cargo()?;
    build.args(["build", "--package", package]);
    build.args((profile == Profile::Release).then_some("--release"));
    command::run(&mut build, "see the compiler's messages above")?;
    path(package, profile)
}
