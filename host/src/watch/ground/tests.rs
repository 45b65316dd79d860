use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::*;

const COUNT: usize = 50;

/// A folder, removed at the end, with `COUNT` folders of one file each.
struct Tenants(PathBuf);

impl Tenants {
    fn new(name: &str) -> Self {
        let name = format!("holdfast-ground-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let tenants = Self(folder.canonicalize().unwrap());
        for index in 0..COUNT {
            fs::create_dir(tenants.folder(index)).unwrap();
            fs::write(tenants.file(index), "").unwrap();
        }
        tenants
    }

    fn folder(&self, index: usize) -> PathBuf {
        self.0.join(index.to_string())
    }

    fn file(&self, index: usize) -> PathBuf {
        self.folder(index).join("tenant.toml")
    }

    fn files(&self, count: usize) -> Files {
        Files {
            files: (0..count).map(|index| self.file(index)).collect(),
            folders: vec![self.0.clone()],
        }
    }
}

impl Drop for Tenants {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn ground() -> Ground {
    Ground::new(Some(notify::recommended_watcher(|_| {}).unwrap()))
}

fn changed(path: &Path) -> BTreeSet<PathBuf> {
    BTreeSet::from([path.to_owned()])
}

#[test]
fn the_system_is_asked_about_what_has_changed_alone() {
    let (tenants, mut ground) = (Tenants::new("asked"), ground());
    let all = COUNT as u64 + 1;
    assert!(ground.set(tenants.files(COUNT)));
    assert_eq!(ground.asked, all, "each folder, and the one around them");
    assert!(!ground.set(tenants.files(COUNT)));
    assert!(!ground.check());
    assert!(!ground.renew(&changed(&tenants.file(7))));
    assert_eq!(ground.asked, all, "nothing is new");
    // A folder is replaced by another of the same name.
    fs::rename(tenants.folder(3), tenants.0.join("aside")).unwrap();
    fs::create_dir(tenants.folder(3)).unwrap();
    assert!(ground.check());
    assert_eq!(ground.asked, all + 1);
    fs::create_dir(tenants.folder(COUNT)).unwrap();
    assert!(ground.set(tenants.files(COUNT + 1)));
    assert_eq!(ground.asked, all + 2);
    assert!(!ground.set(tenants.files(1)));
    assert_eq!(
        ground.folders.len(),
        2,
        "what does not matter is not watched"
    );
    assert!(ground.renew_all());
    assert_eq!(ground.asked, all + 4, "both");
}

#[test]
fn a_folder_that_goes_and_comes_back_is_watched_again() {
    let (tenants, mut ground) = (Tenants::new("back"), ground());
    ground.set(tenants.files(2));
    assert!(ground.matters(&tenants.file(1)) && ground.matters(&tenants.folder(1)));
    assert!(ground.matters(&tenants.0.join("new")), "a new tenant");
    assert!(!ground.matters(&tenants.folder(1).join("other")));
    fs::remove_dir_all(tenants.folder(1)).unwrap();
    ground.renew(&changed(&tenants.folder(1)));
    assert!(ground.matters(&tenants.folder(1)), "it may come back");
    assert!(!ground.matters(&tenants.file(1)));
    fs::create_dir(tenants.folder(1)).unwrap();
    fs::write(tenants.file(1), "").unwrap();
    assert!(ground.renew(&changed(&tenants.folder(1))));
    assert!(ground.matters(&tenants.file(1)));
}

#[test]
fn a_link_that_leads_elsewhere_is_followed() {
    let (tenants, mut ground) = (Tenants::new("link"), ground());
    let link = tenants.0.join("link");
    symlink(tenants.file(1), &link).unwrap();
    let files = Files {
        files: vec![link.clone()],
        folders: Vec::new(),
    };
    ground.set(files);
    assert!(ground.matters(&tenants.file(1)));
    fs::remove_file(&link).unwrap();
    symlink(tenants.file(2), &link).unwrap();
    assert!(ground.renew(&changed(&link)));
    assert!(ground.matters(&tenants.file(2)) && !ground.matters(&tenants.file(1)));
    assert_eq!(
        ground.files_of(&tenants.file(2)).collect::<Vec<_>>(),
        [&link]
    );
}
