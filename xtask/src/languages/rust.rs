//! Rust: the packages of this workspace, built by cargo.

use std::path::Path;

use anyhow::{Context, Result};

use super::{Builder, Language};
use crate::guests;
use crate::toolchain::Toolchain;

pub(super) const LANGUAGE: Language = Language {
    name: "rust",
    install: || Toolchain::find().map(|_| ()),
    builders: &[Builder {
        name: "rust",
        build,
    }],
    // Its tests are among those of the workspace.
    test: None,
    versions: &[&["rustc", "--version"]],
    inputs: &["Cargo.toml", "Cargo.lock"],
    is_optional: false,
};

fn build(project: &Path, output: &Path) -> Result<()> {
    let built = guests::build_package(&Toolchain::find()?, project)?;
    let built = built.context("it makes no component")?;
    std::fs::copy(&built, output)
        .with_context(|| format!("can't copy {} to {}", built.display(), output.display()))?;
    Ok(())
}
