//! JavaScript: the builder of `sdk/js`, with each of its engines.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::{Builder, Language};
use crate::{command, packages, place};

pub(super) const LANGUAGE: Language = Language {
    name: "js",
    install,
    builders: &[
        Builder {
            name: "js",
            build: |project, output| build("quickjs", project, output),
        },
        Builder {
            name: "js-starlingmonkey",
            build: |project, output| build("starlingmonkey", project, output),
        },
    ],
    test: Some(test),
    // The packages that make components are named in `sdk/js`.
    versions: &[],
    // The chat has its page.
    inputs: &["plugins/chat/page"],
    is_optional: false,
};

/// What is installed, in a folder of the SDK.
const WANTED: &str = "test/tools/package.json";

fn install() -> Result<()> {
    let wanted = sdk()?.join(WANTED);
    packages::node(&wanted, &tools()?, "components in JavaScript")
}

fn build(engine: &str, project: &Path, output: &Path) -> Result<()> {
    let mut build = Command::new("node");
    build
        .arg(sdk()?.join("bin/holdfast-build.js"))
        .args(["--engine", engine, "plugin.js", "-o"])
        .arg(std::path::absolute(output)?)
        .env("HOLDFAST_JS_TOOLS", tools()?)
        .current_dir(project);
    command::run(&mut build, "see above; the builder needs Node 20 or newer")
}

/// The tests of the SDK, which also check the types of everything in JavaScript.
fn test() -> Result<()> {
    let mut test = Command::new("npm");
    test.args(["test", "--silent"])
        .env("HOLDFAST_JS_TOOLS", tools()?)
        .current_dir(sdk()?);
    command::run(&mut test, "a test in sdk/js/test fails")
}

fn tools() -> Result<PathBuf> {
    Ok(place::target()?.join("tools/js"))
}

fn sdk() -> Result<PathBuf> {
    Ok(place::root()?.join("sdk/js"))
}
