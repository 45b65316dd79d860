//! Python packages, in a virtual environment of their own.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::command;

const HINT: &str = "check that Python has its venv module, and reaches its package index";

/// Makes an environment in `folder`, with `options` of `python3 -m venv`, and
/// installs what is wanted, in the words of `pip install`.
pub(crate) fn install(folder: &Path, options: &[&str], wanted: &[&OsStr]) -> Result<()> {
    let mut venv = Command::new("python3");
    venv.args(["-m", "venv"]).args(options).arg(folder);
    command::run(&mut venv, HINT)?;
    let mut pip = Command::new(folder.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet"]);
    pip.arg("--disable-pip-version-check").args(wanted);
    command::run(&mut pip, HINT)
}
