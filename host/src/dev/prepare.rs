//! What has to be done once before a project can be built: packages are
//! installed, into the project's own folder.
//!
//! It is done again when what asks for the packages has changed. What that was is
//! kept, as a digest, beside the packages.

use std::ffi::OsString;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::language::Language;
use crate::new::SDK_FOLDER;

/// Where it is kept what was asked for.
const KEPT: &str = ".holdfast";
/// Where Python's packages go.
const VENV: &str = ".venv";
const NODE_MODULES: &str = "node_modules";
const REQUIREMENTS: &str = "requirements.txt";

/// Packages that have to be installed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Preparation {
    /// For people.
    pub(super) what: &'static str,
    /// For `sh`, in the project's folder.
    pub(super) line: &'static str,
    kept: PathBuf,
    digest: String,
}

impl Preparation {
    /// What a project needs before it can be built; none if that is done.
    pub(super) fn of(language: Language, folder: &Path) -> Option<Self> {
        let (wanted, place, what, line) = match language {
            Language::Js => (
                "package.json",
                NODE_MODULES,
                "installing the packages of package.json with npm",
                "npm install --no-audit --no-fund --loglevel=error",
            ),
            Language::Python => (
                REQUIREMENTS,
                VENV,
                "installing the packages of requirements.txt into .venv",
                "python3 -m venv .venv && .venv/bin/python -m pip install --quiet \
                 --disable-pip-version-check --requirement requirements.txt",
            ),
            Language::Rust | Language::C | Language::Go => return None,
        };
        let wanted = folder.join(wanted);
        if !wanted.exists() {
            return None;
        }
        let digest = digest(&[wanted, folder.join(SDK_FOLDER)]);
        let kept = folder.join(place).join(KEPT);
        let is_done = fs::read_to_string(&kept).is_ok_and(|kept| kept == digest);
        (!is_done).then_some(Self {
            what,
            line,
            kept,
            digest,
        })
    }

    /// Notes that it was done.
    pub(super) fn done(&self) -> io::Result<()> {
        fs::write(&self.kept, &self.digest)
    }
}

/// A `PATH` on which the project's own programs come first.
pub(super) fn path(folder: &Path) -> OsString {
    let own = [
        folder.join(VENV).join("bin"),
        folder.join(NODE_MODULES).join(".bin"),
    ];
    let inherited = std::env::var_os("PATH").unwrap_or_default();
    let all = own.into_iter().chain(std::env::split_paths(&inherited));
    // A folder with a colon in its name can't be on it.
    std::env::join_paths(all).unwrap_or(inherited)
}

/// A digest of files, and of all files in folders.
fn digest(paths: &[PathBuf]) -> String {
    let mut hasher = DefaultHasher::new();
    for path in paths {
        add(path, &mut hasher);
    }
    format!("{:016x}\n", hasher.finish())
}

fn add(path: &Path, hasher: &mut DefaultHasher) {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // What installers leave in the SDK's folder is not asked for by anybody.
    let is_left = name.starts_with('.')
        || name.ends_with(".egg-info")
        || ["build", NODE_MODULES, "__pycache__"].contains(&&*name);
    if let Ok(bytes) = fs::read(path) {
        (name.as_bytes(), bytes).hash(hasher);
    } else if !is_left {
        let entries = fs::read_dir(path).into_iter().flatten().flatten();
        let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            add(&path, hasher);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dev::fixture::Folder;

    #[test]
    fn packages_are_installed_when_what_asks_for_them_has_changed() {
        let folder = Folder::project("[dev]\nbuild = 'true'");
        let preparation = || Preparation::of(Language::Js, folder.path());
        assert_eq!(preparation(), None);
        folder.write("package.json", "{}");
        let first = preparation().expect("something to do");
        folder.write("node_modules/other", "");
        first.done().unwrap();
        assert_eq!(preparation(), None);
        folder.write("package.json", "{ }");
        preparation().expect("something to do").done().unwrap();
        folder.write("holdfast-sdk/src/index.js", "x");
        preparation().expect("something to do").done().unwrap();
        folder.write("holdfast-sdk/node_modules/index.js", "x");
        assert_eq!(preparation(), None);
        assert_eq!(Preparation::of(Language::C, folder.path()), None);
    }
}
