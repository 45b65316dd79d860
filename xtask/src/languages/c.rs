//! C: make, with the SDK's rules, zig as the compiler, and the host's own program
//! for the last step.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::{Builder, Language};
use crate::programs::{self, HOST, Profile};
use crate::{command, pip, place};

/// The compiler, with a C library for WASI, as a Python package.
const ZIG: &str = "ziglang==0.17.1";

pub(super) const LANGUAGE: Language = Language {
    name: "c",
    install,
    builders: &[Builder { name: "c", build }],
    test: Some(test),
    versions: &[],
    inputs: &["host/src/component.rs", "host/src/component"],
    is_optional: false,
};

fn tools() -> Result<PathBuf> {
    Ok(place::target()?.join("tools/c"))
}

fn install() -> Result<()> {
    let folder = tools()?;
    if !folder.join("done").exists() {
        eprintln!("Installing {ZIG} with pip.");
        pip::install(&folder, &[], &[ZIG.as_ref()])?;
        std::fs::write(folder.join("done"), "")?;
    }
    // The host's program makes a component of a module.
    programs::build_debug_host()
}

fn build(project: &Path, output: &Path) -> Result<()> {
    let name = project.file_name().context("a project has a name")?;
    let folder = place::target()?.join("languages/c").join(name);
    let mut make = make(project)?;
    make.arg(word("OUTPUT", output)).arg(word("BUILD", &folder));
    command::run(&mut make, "see the compiler's messages above")
}

/// The unit tests of the SDK, with the host in memory.
fn test() -> Result<()> {
    let sdk = place::root()?.join("sdk/c");
    let folder = place::target()?.join("languages/c/sdk");
    let mut make = make(&sdk)?;
    make.arg("test").arg(word("BUILD", &folder));
    command::run(&mut make, "see the failed test above, or install gcc")
}

fn make(project: &Path) -> Result<Command> {
    let python = tools()?.join("bin/python");
    let host = programs::path(HOST, Profile::Debug)?;
    let mut make = Command::new("make");
    make.args(["--no-print-directory", "-C"]).arg(project);
    make.arg(format!("ZIG={} -m ziglang", python.display()));
    make.arg(word("HOLDFAST", &host));
    Ok(make)
}

/// A variable of make.
fn word(name: &str, path: &Path) -> String {
    format!("{name}={}", path.display())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::path::PathBuf;

    use sha2::{Digest, Sha256};

    use crate::place;

    /// The same files in the same order as in `sdk/c/tests/generate.py`.
    #[test]
    fn the_bindings_are_those_of_the_wit() {
        let root = place::root().unwrap();
        let folder = root.join("wit/websocket-0.1.0");
        let entries = std::fs::read_dir(folder).unwrap();
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        for name in [
            "io-0.2.12",
            "clocks-0.2.12",
            "http-0.2.12",
            "config-0.2.0-rc.1",
            "keyvalue-0.2.0-draft2",
            "logging-0.1.0-draft",
            "worlds",
        ] {
            files.push(root.join(format!("sdk/c/wit/{name}.wit")));
        }
        let mut digest = Sha256::new();
        for file in files {
            digest.update(std::fs::read(file).unwrap());
        }
        let digits = digest.finalize();
        let digits: String = digits.iter().map(|byte| format!("{byte:02x}")).collect();
        let kept = std::fs::read_to_string(root.join("sdk/c/generated/wit.sha256")).unwrap();
        assert_eq!(kept.trim(), digits, "run sdk/c/tests/generate.py");
    }
}
