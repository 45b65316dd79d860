use std::fs;
use std::path::PathBuf;

use super::*;
use crate::engine::EngineLimits;

/// A folder of this test's own, removed when it has passed.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("holdfast-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn loader(cache: Option<Cache>) -> Loader {
    let engines = Engines::new(&EngineLimits {
        instances_max: 1,
        memory_bytes_max: 1 << 20,
        table_elements_max: 100,
    })
    .unwrap();
    let limits = LoadLimits {
        component_bytes_max: 1000,
        ..LoadLimits::default()
    };
    Loader::new(engines, cache, Compiler::InProcess, limits).unwrap()
}

fn load(bytes: &[u8]) -> LoadError {
    loader(None).load(bytes).err().unwrap()
}

#[test]
fn what_is_no_component_is_told_apart() {
    assert!(matches!(load(b""), LoadError::Empty));
    assert!(matches!(load(b"\x7fELF and so on"), LoadError::NotWasm));
    assert!(matches!(load(b"\0asm"), LoadError::Invalid(_)));
    let module = wat::parse_str("(module)").unwrap();
    assert!(matches!(load(&module), LoadError::CoreModule));
    let component = wat::parse_str("(component (core module (func)))").unwrap();
    assert!(matches!(load(&component), LoadError::NoHandler(_)));
    let trailing = [component.as_slice(), b"garbage"].concat();
    assert!(matches!(load(&trailing), LoadError::Invalid(_)));
    // Cut after its header, it is an empty component.
    for len in 9..component.len() {
        let error = load(&component[..len]);
        assert!(matches!(error, LoadError::Invalid(_)), "{len}: {error}");
    }
}

#[test]
fn imports_of_0_3_are_found_without_anything_async() {
    let component = wat::parse_str(
        r#"(component
            (import "wasi:random/random@0.3.0" (instance
                (export "get-random-u64" (func (result u64))))))"#,
    )
    .unwrap();
    let loader = loader(None);
    let compiled = loader.compile(Digest::of(&component), &component).unwrap();
    let waiting = loader.engines.get(Form::Waiting);
    assert!(Engine::same(compiled.engine(), waiting));
    // All that it lacks is a handler.
    let error = loader.load(&component).err().unwrap();
    assert!(matches!(error, LoadError::NoHandler(_)), "{error}");
}

#[test]
fn a_component_of_either_engine_is_found_in_the_cache() {
    let folder = Folder::new("either");
    let cache = Cache::open(folder.0.clone(), u64::MAX).unwrap();
    let loader = loader(Some(cache));
    for (text, form) in [
        ("(component (core module))", Form::Plain),
        ("(component (type (future u8)))", Form::Waiting),
    ] {
        let bytes = wat::parse_str(text).unwrap();
        let digest = Digest::of(&bytes);
        assert!(loader.cached(digest).is_none());
        loader.compile(digest, &bytes).unwrap();
        let component = loader.cached(digest).unwrap();
        assert!(Engine::same(component.engine(), loader.engines.get(form)));
    }
}

#[test]
fn only_regular_files_of_a_bounded_size_are_read() {
    let folder = Folder::new("read");
    let loader = loader(None);
    let file = folder.0.join("file");
    fs::write(&file, [0; 1000]).unwrap();
    assert_eq!(loader.read(&file).unwrap().len(), 1000);
    fs::write(&file, [0; 1001]).unwrap();
    let error = loader.read(&file).unwrap_err();
    assert!(matches!(
        error,
        LoadError::TooLarge {
            bytes: 1001,
            max: 1000
        }
    ));
    let error = loader.read(&folder.0).unwrap_err();
    assert!(matches!(error, LoadError::NotAFile), "{error}");
    // Endless, but it says that it is empty.
    let error = loader.read(Path::new("/dev/zero")).unwrap_err();
    assert!(matches!(error, LoadError::NotAFile), "{error}");
    let error = loader.read(&folder.0.join("absent")).unwrap_err();
    assert!(matches!(error, LoadError::Read(_)), "{error}");
}
