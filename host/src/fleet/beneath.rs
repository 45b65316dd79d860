//! Opens files that somebody else has named: never outside of his folder,
//! whatever links are there, and never something that would block.

use std::fs::File;
use std::io;
use std::io::Read;
use std::path::Path;

use rustix::fs::{Mode, OFlags};

/// How files are opened: opening a pipe must not wait, nor a terminal become the
/// host's own.
fn flags() -> OFlags {
    OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC
}

/// Opens a file for reading. With a `root`, the way from there to the file has
/// to stay below it: links may lead elsewhere inside, and nowhere else.
///
/// # Errors
/// Fails when it can't be opened, or is not below `root`.
pub(super) fn open(root: Option<&Path>, path: &Path) -> io::Result<File> {
    let Some(root) = root else {
        return Ok(rustix::fs::open(path, flags(), Mode::empty())?.into());
    };
    let rest = path.strip_prefix(root).map_err(|_| outside())?;
    beneath(root, rest)
}

/// The kernel follows the links, so nobody can change one meanwhile.
#[cfg(target_os = "linux")]
fn beneath(root: &Path, rest: &Path) -> io::Result<File> {
    use rustix::fs::ResolveFlags;
    use rustix::io::Errno;

    let directory = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = rustix::fs::open(root, directory, Mode::empty())?;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    match rustix::fs::openat2(root, rest, flags(), Mode::empty(), resolve) {
        Ok(file) => Ok(file.into()),
        Err(Errno::XDEV) => Err(outside()),
        Err(error) => Err(error.into()),
    }
}

/// Who changes a link between the check and the opening gets out of the folder.
#[cfg(not(target_os = "linux"))]
fn beneath(root: &Path, rest: &Path) -> io::Result<File> {
    let root = root.canonicalize()?;
    let path = root.join(rest).canonicalize()?;
    if !path.starts_with(&root) {
        return Err(outside());
    }
    Ok(rustix::fs::open(&path, flags() | OFlags::NOFOLLOW, Mode::empty())?.into())
}

fn outside() -> io::Error {
    io::Error::other("it is not in the tenant's folder")
}

/// Reads a text of at most `bytes_max` bytes, as [`open`] opens it.
///
/// # Errors
/// Fails when it is no regular file, larger, or no UTF-8.
pub(crate) fn read_text(root: Option<&Path>, path: &Path, bytes_max: u64) -> io::Result<String> {
    let file = open(root, path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut text = String::new();
    let read = file.take(bytes_max + 1).read_to_string(&mut text)?;
    if read as u64 > bytes_max {
        let message = format!("it has more than {bytes_max} bytes");
        return Err(io::Error::other(message));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_may_lead_elsewhere_inside_only() {
        let name = format!("holdfast-beneath-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let root = folder.join("acme");
        fs::create_dir_all(root.join("..v1")).unwrap();
        fs::write(folder.join("secret"), "other").unwrap();
        fs::write(root.join("..v1/a"), "own").unwrap();
        // As Kubernetes lays out a config map.
        symlink("..v1", root.join("..data")).unwrap();
        symlink("..data/a", root.join("a")).unwrap();
        symlink("../secret", root.join("up")).unwrap();
        symlink(folder.join("secret"), root.join("absolute")).unwrap();
        symlink("..", root.join("folder")).unwrap();
        let read = |name: &str| read_text(Some(&root), &root.join(name), 5);
        assert_eq!(read("a").unwrap(), "own");
        for name in ["up", "absolute", "folder/secret", "../secret", "absent", ""] {
            assert!(read(name).is_err(), "{name}");
        }
        let error = read("up").unwrap_err().to_string();
        assert_eq!(error, "it is not in the tenant's folder");
        fs::write(root.join("long"), "123456").unwrap();
        assert!(read("long").is_err());
        let free = read_text(None, &root.join("up"), 5);
        assert_eq!(free.unwrap(), "other");
        fs::remove_dir_all(&folder).unwrap();
    }
}
