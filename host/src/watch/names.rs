//! The names on the way to a file: its own, and those of the symbolic links that
//! lead there. A change of any of them may make it another file.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

/// Links that are followed for one file, as the kernel does.
const LINKS_MAX: usize = 40;

/// Every name on the way to `path`, each with its folder free of links: the last
/// one is the file itself. Names behind something that is not there are left
/// out, except the first of them.
pub(super) fn names(path: &Path) -> Vec<PathBuf> {
    let Ok(path) = std::path::absolute(path) else {
        return Vec::new();
    };
    let mut names = Vec::new();
    let mut links = 0;
    let mut at = PathBuf::from("/");
    let mut rest = parts(&path);
    while let Some(part) = rest.pop_front() {
        if part == ".." {
            at.pop();
            continue;
        }
        let name = at.join(&part);
        match std::fs::read_link(&name) {
            Ok(target) => {
                links += 1;
                names.push(name);
                if links > LINKS_MAX {
                    break;
                }
                if target.is_absolute() {
                    at = PathBuf::from("/");
                }
                let mut target = parts(&target);
                target.append(&mut rest);
                rest = target;
            }
            // No link, or nothing at all.
            Err(_) if rest.is_empty() || !name.exists() => {
                names.push(name);
                break;
            }
            Err(_) => at = name,
        }
    }
    names
}

fn parts(path: &Path) -> VecDeque<OsString> {
    path.components()
        .filter_map(|part| match part {
            Component::Normal(name) => Some(name.to_owned()),
            Component::ParentDir => Some("..".into()),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn every_link_on_the_way_is_named() {
        let name = format!("holdfast-names-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(folder.join("..v1")).unwrap();
        let folder = folder.canonicalize().unwrap();
        fs::write(folder.join("..v1/a.wasm"), "").unwrap();
        // As Kubernetes lays out a config map.
        symlink("..v1", folder.join("..data")).unwrap();
        symlink("..data/a.wasm", folder.join("a.wasm")).unwrap();
        let found = names(&folder.join("a.wasm"));
        let expected = ["a.wasm", "..data", "..v1/a.wasm"];
        assert_eq!(found, expected.map(|name| folder.join(name)));

        assert_eq!(
            names(&folder.join("absent/b.wasm")),
            [folder.join("absent")]
        );
        symlink("loop", folder.join("loop")).unwrap();
        assert_eq!(names(&folder.join("loop")).len(), LINKS_MAX + 1);
        fs::remove_dir_all(&folder).unwrap();
    }
}
