//! Builds guest components.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::toolchain::Toolchain;
use crate::{languages, place};

/// For `cargo xtask guests --help`.
pub(crate) const HELP: &str = "\
Build guest components to target/guests/NAME.wasm.

Usage: cargo xtask guests [NAME]...
       cargo xtask guests --lang LANGUAGE

Without a name, all of them: the plugins, the tests' fixtures, the guests written
with other people's SDKs, and, in every language, the examples and the program of
the conformance suite, which are named LANGUAGE-NAME. Only what has changed is
built again. With --lang, those of one language.

A toolchain for wasm32-wasip2 is set up when there is none: by rustup where its
server can be reached, otherwise from Debian's packages.
";

/// Folders of guests, each with a folder a guest.
const FOLDERS: [&str; 4] = [
    "plugins",
    "tests/fixtures",
    "tests/guests",
    "xtask/bench/guests",
];

/// The folder whose guests are workspaces of their own.
const FOREIGN: &str = "tests/guests";

/// Builds what the command line names: guests, the programs of a language, or
/// everything.
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    match arguments {
        [] => {
            build(&[])?;
            languages::build(|_, _| true)
        }
        ["--lang", wanted] => {
            let mut known = languages::LANGUAGES.iter().map(|language| language.name);
            if !known.any(|name| name == *wanted) {
                let known = languages::LANGUAGES.iter().map(|language| language.name);
                let known: Vec<_> = known.collect();
                let known = known.join(", ");
                bail!("there is no language `{wanted}`\n  hint: they are {known}");
            }
            languages::build(|language, _| language == *wanted)
        }
        names => build_named(names),
    }
}

fn build_named(names: &[&str]) -> Result<()> {
    let of_languages = languages::names()?;
    let is_of_language = |name: &str| of_languages.iter().any(|known| known == name);
    let (theirs, ours): (Vec<&str>, Vec<&str>) =
        names.iter().partition(|name| is_of_language(name));
    if !ours.is_empty() {
        build(&ours)?;
    }
    languages::build(|_, name| theirs.contains(&name))
}

/// Builds the named guests, or all if none is named, except for the programs of
/// [`languages`]. Returns the components.
pub(crate) fn build(names: &[&str]) -> Result<Vec<PathBuf>> {
    let guests = find()?;
    for name in names {
        if !guests.iter().any(|guest| guest.name == *name) {
            let known = guests.iter().map(|guest| guest.name.clone());
            let known: Vec<_> = known.chain(languages::names()?).collect();
            bail!(
                "there is no guest `{name}`\n  hint: they are {}",
                known.join(", ")
            );
        }
    }
    let toolchain = Toolchain::find()?;
    let folder = place::guests()?;
    std::fs::create_dir_all(&folder).with_context(|| format!("can't make {}", folder.display()))?;
    let mut components = Vec::new();
    for guest in &guests {
        let is_wanted = names.is_empty() || names.contains(&guest.name.as_str());
        if is_wanted && let Some(built) = guest.build(&toolchain)? {
            components.push(install(&built, &folder.join(&guest.name))?);
        }
    }
    Ok(components)
}

/// Builds a package of this workspace as a guest, and returns where cargo has put
/// its component.
pub(crate) fn build_package(toolchain: &Toolchain, folder: &Path) -> Result<Option<PathBuf>> {
    let guest = Guest {
        name: name_of(folder),
        folder: folder.to_path_buf(),
        is_foreign: false,
    };
    guest.build(toolchain)
}

/// Manifests of the guests that are workspaces of their own.
pub(crate) fn foreign_manifests() -> Result<Vec<PathBuf>> {
    let foreign = find()?.into_iter().filter(|guest| guest.is_foreign);
    Ok(foreign
        .map(|guest| guest.folder.join("Cargo.toml"))
        .collect())
}

struct Guest {
    name: String,
    folder: PathBuf,
    is_foreign: bool,
}

/// Every folder with a package in it, in the order of their names.
fn find() -> Result<Vec<Guest>> {
    let mut guests = Vec::new();
    for parent in FOLDERS {
        let path = place::root()?.join(parent);
        let Ok(entries) = std::fs::read_dir(&path) else {
            continue;
        };
        for entry in entries {
            let folder = entry
                .with_context(|| format!("can't read {}", path.display()))?
                .path();
            if folder.join("Cargo.toml").exists() {
                guests.push(Guest {
                    name: name_of(&folder),
                    is_foreign: parent == FOREIGN,
                    folder,
                });
            }
        }
    }
    guests.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(guests)
}

fn name_of(folder: &Path) -> String {
    let name = folder.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

impl Guest {
    /// Builds the guest and returns its component; none for a library which
    /// guests share.
    fn build(&self, toolchain: &Toolchain) -> Result<Option<PathBuf>> {
        let manifest = self.folder.join("Cargo.toml");
        let mut cargo = toolchain.build()?;
        cargo
            .arg("--manifest-path")
            .arg(&manifest)
            // The host's builds and the guests' don't invalidate each other.
            .arg("--target-dir")
            .arg(place::target()?.join("guest-build"))
            .arg("--message-format=json-render-diagnostics");
        if self.is_foreign {
            cargo.args(["--release", "--locked"]);
        } else {
            cargo.args(["--profile", "guest"]);
        }
        let output = cargo
            .stderr(Stdio::inherit())
            .output()
            .context("can't start cargo")?;
        if !output.status.success() {
            bail!(
                "the guest `{}` does not build\n  hint: see the compiler's messages above",
                self.name
            );
        }
        let messages = String::from_utf8_lossy(&output.stdout);
        Ok(messages.lines().find_map(|line| component(line, &manifest)))
    }
}

/// The component that one of cargo's messages says it has made from `manifest`.
fn component(line: &str, manifest: &Path) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(line).ok()?;
    let is_ours = message.get("reason")?.as_str()? == "compiler-artifact"
        && Path::new(message.get("manifest_path")?.as_str()?) == manifest;
    let files = message.get("filenames")?.as_array()?;
    let wasm = files
        .iter()
        .filter_map(Value::as_str)
        .find(|file| file.ends_with(".wasm"))?;
    is_ours.then(|| PathBuf::from(wasm))
}

/// Copies a component to `target` plus `.wasm`, unless it is there already: a
/// file that has not changed keeps its time.
fn install(built: &Path, target: &Path) -> Result<PathBuf> {
    let target = target.with_extension("wasm");
    let bytes = std::fs::read(built).with_context(|| format!("can't read {}", built.display()))?;
    if std::fs::read(&target).is_ok_and(|present| present == bytes) {
        return Ok(target);
    }
    // Renamed into place, so that nobody sees half a file.
    let partial = target.with_extension("partial");
    std::fs::write(&partial, &bytes)
        .and_then(|()| std::fs::rename(&partial, &target))
        .with_context(|| format!("can't write {}", target.display()))?;
    eprintln!("{} ({} KiB)", target.display(), bytes.len().div_ceil(1024));
    Ok(target)
}
