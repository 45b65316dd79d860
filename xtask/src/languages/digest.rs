//! The digest of everything that a component is made of: its sources, the SDK,
//! the WIT, and the versions of the tools.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use super::Language;
use crate::place;

/// Folders and files which builders leave behind, besides hidden ones and `build`.
const LEFT_BEHIND: [&str; 3] = ["target", "node_modules", "__pycache__"];
const LEFT_BEHIND_ENDINGS: [&str; 3] = [".wasm", ".pyc", ".egg-info"];

/// The digest of what `project` is built from, in hexadecimal digits.
pub(super) fn of(language: &Language, project: &Path) -> Result<String> {
    let root = place::root()?;
    let mut hash = Sha256::new();
    let sdk = root.join("sdk").join(language.name);
    let own = root.join(format!("xtask/src/languages/{}.rs", language.name));
    let mut inputs = vec![project.to_path_buf(), sdk, root.join("wit"), own];
    inputs.extend(language.inputs.iter().map(|input| root.join(input)));
    for input in inputs {
        for file in files(&input)? {
            let bytes =
                std::fs::read(&file).with_context(|| format!("can't read {}", file.display()))?;
            // The name, relative to a place that moves with the repository.
            let name = file.strip_prefix(root).unwrap_or(&file);
            add(&mut hash, name.as_os_str().as_encoded_bytes());
            add(&mut hash, &bytes);
        }
    }
    for words in language.versions {
        add(&mut hash, &version(words));
    }
    let digits = hash.finalize();
    Ok(digits.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Adds bytes with their number, so that where one input ends matters.
fn add(hash: &mut Sha256, bytes: &[u8]) {
    hash.update((bytes.len() as u64).to_le_bytes());
    hash.update(bytes);
}

/// What a tool says of its version; nothing if it is not there.
fn version(words: &[&str]) -> Vec<u8> {
    let Some((program, arguments)) = words.split_first() else {
        return Vec::new();
    };
    let output = Command::new(program).args(arguments).output();
    output.map(|output| output.stdout).unwrap_or_default()
}

/// All files at or below `path`, in the order of their names; none if there is
/// no such path.
fn files(path: &Path) -> Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_path_buf()]);
    }
    let Ok(entries) = std::fs::read_dir(path) else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.with_context(|| format!("can't read {}", path.display()))?;
        let name = entry.file_name();
        // A package of Python's may have this name as well.
        let is_build = name == "build" && !entry.path().join("__init__.py").exists();
        if !is_build && !is_left_behind(&name.to_string_lossy()) {
            found.append(&mut files(&entry.path())?);
        }
    }
    found.sort();
    Ok(found)
}

fn is_left_behind(name: &str) -> bool {
    let mut endings = LEFT_BEHIND_ENDINGS.iter();
    name.starts_with('.')
        || LEFT_BEHIND.contains(&name)
        || endings.any(|ending| name.ends_with(ending))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_change_of_a_source_changes_the_digest_and_what_builders_leave_does_not() {
        let language = &super::super::LANGUAGES[0];
        let folder = std::env::temp_dir().join(format!("holdfast-digest-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("src")).unwrap();
        let write = |file: &str, text: &str| std::fs::write(folder.join(file), text).unwrap();
        write("src/lib.rs", "one");
        let first = of(language, &folder).unwrap();
        write("plugin.wasm", "made");
        assert_eq!(of(language, &folder).unwrap(), first);
        write("src/lib.rs", "two");
        let second = of(language, &folder).unwrap();
        assert_ne!(second, first);
        write("src/lib.rs", "one");
        assert_eq!(of(language, &folder).unwrap(), first);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
