//! Projects for unit tests, in folders that go away.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::project::Project;

/// A manifest with one plugin, after these lines.
const MANIFEST: &str = "\
[[plugin]]
name = 'a'
component = 'out/a.wasm'
[[route]]
path = '/'
plugin = 'a'
";

/// A folder, removed when dropped.
pub(super) struct Folder(PathBuf);

impl Folder {
    /// A project with these lines at the beginning of its manifest, and with an
    /// empty folder `src`.
    pub(super) fn project(lines: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("holdfast-dev-{}-{count}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(path.join("src")).unwrap();
        let folder = Self(path.canonicalize().unwrap());
        folder.write("holdfast.toml", &format!("{lines}\n{MANIFEST}"));
        folder
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn read(&self) -> Project {
        Project::read(&self.0).unwrap()
    }

    pub(super) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // One that stays behind harms no test.
        let _ = fs::remove_dir_all(&self.0);
    }
}
