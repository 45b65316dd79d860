use super::*;

#[cfg(unix)]
#[test]
fn a_folder_of_everybody_is_refused_and_left_alone() {
    use std::os::unix::fs::PermissionsExt;
    let mode_of = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let parent = std::env::temp_dir().join(format!("holdfast-cache-{}", std::process::id()));
    let folder = parent.join("made");
    Cache::open(folder.clone(), u64::MAX).unwrap();
    assert_eq!(mode_of(&folder), 0o700);
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
    assert!(Cache::open(folder.clone(), u64::MAX).is_err());
    assert_eq!(mode_of(&folder), 0o777);
    fs::remove_dir_all(&parent).unwrap();
}

/// A folder, removed when the test has passed.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let name = format!("holdfast-cache-{name}-{}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    fn cache(&self, bytes_max: u64) -> Cache {
        Cache::open(self.0.clone(), bytes_max).unwrap()
    }

    fn names(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.0).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn compiled(engine: &Engine) -> (Digest, Component) {
    let bytes = wat::parse_str("(component (core module (func)))").unwrap();
    let component = Component::from_binary(engine, &bytes).unwrap();
    (Digest::of(&bytes), component)
}

#[test]
fn what_is_damaged_counts_as_missing_and_is_replaced() {
    let folder = Folder::new("damaged");
    let cache = folder.cache(u64::MAX);
    let engine = Engine::default();
    let (digest, component) = compiled(&engine);
    cache.keep(digest, &component);
    let path = cache.path(&engine, digest);
    let code = fs::read(&path).unwrap();
    for len in (0..code.len()).step_by(97).chain([code.len() - 1]) {
        fs::write(&path, &code[..len]).unwrap();
        assert!(cache.get(&engine, digest).is_none(), "{len} bytes are left");
    }
    fs::write(&path, "by somebody else").unwrap();
    assert!(cache.get(&engine, digest).is_none());
    cache.keep(digest, &component);
    assert!(cache.get(&engine, digest).is_some());
    assert_eq!(folder.names(), [path]);
}

#[test]
fn what_was_not_used_for_the_longest_time_goes() {
    let folder = Folder::new("trim");
    let cache = folder.cache(u64::MAX);
    let engine = Engine::default();
    let (used, component) = compiled(&engine);
    let [unused, new] = [b"unused".as_slice(), b"new"].map(Digest::of);
    let hour = Duration::from_secs(3600);
    for (digest, hours) in [(used, 3), (unused, 2)] {
        cache.keep(digest, &component);
        let file = fs::File::open(cache.path(&engine, digest)).unwrap();
        let time = SystemTime::now() - hour * hours;
        file.set_modified(time).unwrap();
    }
    assert!(cache.get(&engine, used).is_some());
    // Another host, which allows two of them.
    let bytes = fs::metadata(cache.path(&engine, used)).unwrap().len();
    let other = folder.cache(2 * bytes);
    other.keep(new, &component);
    assert!(cache.get(&engine, unused).is_none());
    assert!(cache.get(&engine, used).is_some());
    assert!(cache.get(&engine, new).is_some());
}

#[test]
fn drafts_of_killed_hosts_go_and_those_of_living_ones_stay() {
    let folder = Folder::new("drafts");
    let cache = folder.cache(0);
    let draft = Draft::new(Some(&cache)).unwrap();
    draft.write(b"half of it").unwrap();
    folder.cache(0);
    assert_eq!(folder.names().len(), 1);
    let time = SystemTime::now() - 2 * DRAFT_AGE_MAX;
    draft.output().unwrap().set_modified(time).unwrap();
    folder.cache(0);
    assert_eq!(folder.names().len(), 0);
    drop(draft);
    Draft::new(Some(&cache)).unwrap();
    assert_eq!(folder.names().len(), 0);
}

#[test]
fn a_folder_that_is_gone_is_no_reason_to_fail() {
    let folder = Folder::new("gone");
    let cache = folder.cache(u64::MAX);
    fs::remove_dir_all(&folder.0).unwrap();
    let engine = Engine::default();
    let (digest, component) = compiled(&engine);
    cache.keep(digest, &component);
    let draft = Draft::new(Some(&cache)).unwrap();
    draft.write(&component.serialize().unwrap()).unwrap();
    draft.load(&engine).unwrap();
    cache.put(&engine, digest, draft);
}

#[test]
fn code_that_is_given_back_runs_all_the_same() {
    let folder = Folder::new("pages");
    let cache = folder.cache(u64::MAX);
    let engine = Engine::default();
    let (digest, in_memory) = compiled(&engine);
    cache.keep(digest, &in_memory);
    let of_file = cache.get(&engine, digest).unwrap();
    let run = |component: &Component| {
        let linker = wasmtime::component::Linker::new(&engine);
        let mut store = wasmtime::Store::new(&engine, ());
        linker.instantiate(&mut store, component).map(drop)
    };
    run(&of_file).unwrap();
    assert!(release(&of_file).unwrap() > 0);
    assert_eq!(release(&of_file).unwrap(), 0, "nothing is left");
    run(&of_file).unwrap();
    assert_eq!(release(&in_memory).unwrap(), 0, "no file has it");
    run(&in_memory).unwrap();
}
