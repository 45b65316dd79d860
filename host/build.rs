//! Gathers the sources of the Rust SDK, so that the binary has them and
//! `holdfast new` can write them into a project.
//!
//! In the repository the SDK takes keys of its `Cargo.toml` from the workspace,
//! and its WIT from the folder `wit`. A copy has to stand alone: the keys are
//! filled in, and the WIT comes along.

use std::error::Error;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

use toml::{Table, Value};

/// Where the SDK finds the WIT in the repository, and in a copy.
const WIT_HERE: &str = "../../wit/";
const WIT_THERE: &str = "wit/";

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new("..");
    let sdk = root.join("sdk/rust");
    let wit = root.join("wit");
    for input in [&root.join("Cargo.toml"), &sdk, &wit] {
        println!("cargo:rerun-if-changed={}", input.display());
    }
    let mut files = Vec::new();
    for folder in ["src", "wit"] {
        gather(&sdk.join(folder), folder, &mut files)?;
    }
    gather(&wit, "wit", &mut files)?;
    for (_, text) in &mut files {
        *text = text.replace(WIT_HERE, WIT_THERE);
    }
    files.push((
        "Cargo.toml".into(),
        package(&root.join("Cargo.toml"), &sdk)?,
    ));
    files.sort();

    let mut code = String::from("&[\n");
    for (name, text) in &files {
        writeln!(code, "    ({name:?}, {text:?}),")?;
    }
    code.push_str("]\n");
    let out = env::var_os("OUT_DIR").ok_or("cargo names no OUT_DIR")?;
    fs::write(PathBuf::from(out).join("sdk.rs"), code)?;
    Ok(())
}

/// Reads all files below a folder; their names begin with `prefix`.
fn gather(
    folder: &Path,
    prefix: &str,
    files: &mut Vec<(String, String)>,
) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{prefix}/{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            gather(&entry.path(), &name, files)?;
        } else {
            files.push((name, fs::read_to_string(entry.path())?));
        }
    }
    Ok(())
}

/// The SDK's `Cargo.toml`, with what it takes from the workspace filled in.
fn package(workspace: &Path, sdk: &Path) -> Result<String, Box<dyn Error>> {
    let workspace: Table = fs::read_to_string(workspace)?.parse()?;
    let mut package: Table = fs::read_to_string(sdk.join("Cargo.toml"))?.parse()?;
    let shared = |table: &str, key: &str| {
        let table = workspace.get("workspace")?.get(table)?;
        table.get(key).cloned()
    };
    for (table, from) in [("package", "package"), ("dependencies", "dependencies")] {
        let Some(Value::Table(entries)) = package.get_mut(table) else {
            continue;
        };
        for (key, value) in entries {
            if value.get("workspace").is_some() {
                *value = shared(from, key).ok_or_else(|| format!("no workspace key {key}"))?;
            }
        }
    }
    // They are the repository's rules.
    package.remove("lints");
    Ok(toml::to_string(&package)?)
}
