//! Opens what is in a folder: never outside of it, whatever links are there, and
//! never something that would block.

use std::fs::File;
use std::io;
use std::path::Path;

use rustix::fs::{Mode, OFlags};

/// Whether it may take as long as a disk does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    /// It fails as `WouldBlock` if what is asked for is not in memory.
    None,
    /// It waits for the disk.
    Disk,
}

/// A folder that is open. What happens to its name from now on is of no concern.
pub(super) struct Folder(File);

/// How often it is tried again when names change meanwhile.
#[cfg(target_os = "linux")]
const TRIES: usize = 8;

impl Folder {
    /// Opens a folder. With a `root`, it has to be below that.
    pub(super) fn open(root: Option<&Path>, path: &Path, patience: Patience) -> io::Result<Self> {
        match root {
            None => Ok(Self(plain(path, patience)?)),
            Some(root) => {
                let rest = path.strip_prefix(root).map_err(|_| outside())?;
                let root = plain(root, patience)?;
                Ok(Self(beneath(&root, rest, directory(), patience)?))
            }
        }
    }

    /// Opens a file in it, or a folder; an empty path is the folder itself. Links
    /// may lead elsewhere inside, and nowhere else.
    pub(super) fn file(&self, path: &Path, patience: Patience) -> io::Result<File> {
        let path = match path.as_os_str().is_empty() {
            true => Path::new("."),
            false => path,
        };
        // Opening a pipe must not wait, nor a terminal become the host's own.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        beneath(&self.0, path, flags, patience)
    }
}

fn outside() -> io::Error {
    io::Error::from(io::ErrorKind::NotFound)
}

#[cfg(target_os = "linux")]
fn directory() -> OFlags {
    OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC
}

/// Opens a folder that the operator has named: links are his.
#[cfg(target_os = "linux")]
fn plain(path: &Path, patience: Patience) -> io::Result<File> {
    use rustix::fs::{CWD, ResolveFlags};
    resolve(CWD, path, directory(), ResolveFlags::empty(), patience)
}

/// The kernel follows the links, so nobody can change one meanwhile.
#[cfg(target_os = "linux")]
fn beneath(folder: &File, path: &Path, flags: OFlags, patience: Patience) -> io::Result<File> {
    use std::os::fd::AsFd;

    use rustix::fs::ResolveFlags;
    let within = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    resolve(folder.as_fd(), path, flags, within, patience)
}

#[cfg(target_os = "linux")]
fn resolve(
    folder: std::os::fd::BorrowedFd<'_>,
    path: &Path,
    flags: OFlags,
    within: rustix::fs::ResolveFlags,
    patience: Patience,
) -> io::Result<File> {
    use rustix::fs::{ResolveFlags, openat2};
    use rustix::io::Errno;

    let (within, tries) = match patience {
        Patience::None => (within | ResolveFlags::CACHED, 1),
        Patience::Disk => (within, TRIES),
    };
    let mut result = Err(Errno::AGAIN);
    for _ in 0..tries {
        result = openat2(folder, path, flags, Mode::empty(), within);
        if !matches!(result, Err(Errno::AGAIN | Errno::INTR)) {
            break;
        }
    }
    match (result, patience) {
        (Ok(file), _) => Ok(file.into()),
        (Err(Errno::XDEV), _) => Err(outside()),
        // Kernels before 5.12 don't know what is in memory.
        (Err(Errno::INVAL), Patience::None) => Err(io::ErrorKind::WouldBlock.into()),
        (Err(error), _) => Err(error.into()),
    }
}

#[cfg(not(target_os = "linux"))]
fn directory() -> OFlags {
    OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC
}

#[cfg(not(target_os = "linux"))]
fn plain(path: &Path, patience: Patience) -> io::Result<File> {
    if patience == Patience::None {
        return Err(io::ErrorKind::WouldBlock.into());
    }
    Ok(rustix::fs::open(path, directory(), Mode::empty())?.into())
}

/// No link is followed: elsewhere there is no way to see where one leads without
/// a chance for somebody to change it.
#[cfg(not(target_os = "linux"))]
fn beneath(folder: &File, path: &Path, flags: OFlags, patience: Patience) -> io::Result<File> {
    use rustix::fs::openat;
    if patience == Patience::None {
        return Err(io::ErrorKind::WouldBlock.into());
    }
    let mut folder = folder.try_clone()?;
    let mut parts = path.components().peekable();
    while let Some(part) = parts.next() {
        let flags = match parts.peek() {
            Some(_) => directory(),
            None => flags,
        } | OFlags::NOFOLLOW;
        folder = openat(&folder, part.as_os_str(), flags, Mode::empty())?.into();
    }
    Ok(folder)
}

/// Reads from a file at a place, at most so many bytes; fewer only where it ends,
/// or where the rest is not in memory.
pub(super) fn read_at(
    file: &File,
    offset: u64,
    len: usize,
    patience: Patience,
) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; len];
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match read_some(file, offset + filled as u64, rest, patience) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && filled > 0 => break,
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

#[cfg(target_os = "linux")]
fn read_some(file: &File, offset: u64, bytes: &mut [u8], patience: Patience) -> io::Result<usize> {
    use rustix::io::{Errno, ReadWriteFlags, preadv2};
    if patience == Patience::Disk {
        return Ok(rustix::io::pread(file, bytes, offset)?);
    }
    let mut slices = [io::IoSliceMut::new(bytes)];
    match preadv2(file, &mut slices, offset, ReadWriteFlags::NOWAIT) {
        // Some file systems can't say what is in memory.
        Err(Errno::OPNOTSUPP) => Err(io::ErrorKind::WouldBlock.into()),
        read => Ok(read?),
    }
}

#[cfg(not(target_os = "linux"))]
fn read_some(file: &File, offset: u64, bytes: &mut [u8], patience: Patience) -> io::Result<usize> {
    match patience {
        Patience::Disk => Ok(rustix::io::pread(file, bytes, offset)?),
        Patience::None => Err(io::ErrorKind::WouldBlock.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    /// Tries without patience first, as requests do.
    fn text(root: &Path, folder: &str, name: &str) -> io::Result<String> {
        let read = |patience| {
            let folder = Folder::open(Some(root), &root.join(folder), patience)?;
            let file = folder.file(Path::new(name), patience)?;
            read_at(&file, 0, 100, patience)
        };
        let bytes = match read(Patience::None) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => read(Patience::Disk)?,
            read => {
                let bytes = read?;
                assert_eq!(bytes, self::read(root, folder, name)?);
                bytes
            }
        };
        Ok(String::from_utf8(bytes).unwrap())
    }

    fn read(root: &Path, folder: &str, name: &str) -> io::Result<Vec<u8>> {
        let folder = Folder::open(Some(root), &root.join(folder), Patience::Disk)?;
        let file = folder.file(Path::new(name), Patience::Disk)?;
        read_at(&file, 0, 100, Patience::Disk)
    }

    #[test]
    fn links_lead_nowhere_outside() {
        let name = format!("holdfast-files-{}", std::process::id());
        let root = std::env::temp_dir().join(name);
        fs::create_dir_all(root.join("public/sub")).unwrap();
        fs::write(root.join("secret"), "secret").unwrap();
        fs::write(root.join("public/sub/a"), "own").unwrap();
        symlink("../secret", root.join("public/up")).unwrap();
        symlink(root.join("secret"), root.join("public/absolute")).unwrap();
        symlink("..", root.join("public/folder")).unwrap();
        symlink("public", root.join("link")).unwrap();
        symlink("/", root.join("out")).unwrap();
        assert_eq!(text(&root, "public", "sub/a").unwrap(), "own");
        for name in [
            "up",
            "absolute",
            "folder/secret",
            "../secret",
            "absent",
            "sub/a/b",
        ] {
            assert!(text(&root, "public", name).is_err(), "{name}");
        }
        assert!(text(&root, "out", "etc/passwd").is_err());
        assert!(text(&root, "..", "secret").is_err());
        assert!(Folder::open(Some(&root), Path::new("/etc"), Patience::Disk).is_err());
        #[cfg(target_os = "linux")]
        {
            symlink("sub/a", root.join("public/inside")).unwrap();
            assert_eq!(text(&root, "public", "inside").unwrap(), "own");
            assert_eq!(text(&root, "link", "sub/a").unwrap(), "own");
        }
        fs::remove_dir_all(&root).unwrap();
    }

    #[test]
    fn a_part_of_a_file_is_read() {
        let name = format!("holdfast-read-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::write(&path, "0123456789").unwrap();
        let file = File::open(&path).unwrap();
        for (offset, len, expected) in [(0, 3, "012"), (8, 5, "89"), (10, 1, ""), (99, 1, "")] {
            let bytes = read_at(&file, offset, len, Patience::Disk).unwrap();
            assert_eq!(bytes, expected.as_bytes());
        }
        fs::remove_file(&path).unwrap();
    }
}
