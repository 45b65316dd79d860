//! Where the things under test are.

use std::path::{Path, PathBuf};

/// The top folder of the repository.
pub fn top() -> &'static Path {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("a folder around it")
}

/// Cargo's target folder. This program lies in `TARGET/PROFILE/deps`.
pub fn target() -> PathBuf {
    profile().parent().expect("a target folder").to_owned()
}

fn profile() -> PathBuf {
    let program = std::env::current_exe().expect("this program's path");
    let folder = program.ancestors().nth(2).expect("a profile's folder");
    folder.to_owned()
}

/// The host's binary, of the same profile as the tests.
pub fn host() -> PathBuf {
    built(profile().join("holdfast"))
}

/// A guest component.
pub fn guest(name: &str) -> PathBuf {
    built(target().join("guests").join(name).with_extension("wasm"))
}

fn built(file: PathBuf) -> PathBuf {
    assert!(
        file.exists(),
        "{} is missing: run `cargo xtask test`",
        file.display()
    );
    file
}

/// Where hosts under test keep compiled components: not among the user's own.
pub fn cache() -> PathBuf {
    target().join("test-cache")
}

/// A program of other people's, which `cargo xtask test` installs.
pub fn client(path: &str) -> PathBuf {
    built(target().join("clients").join(path))
}

/// The folder of the scripts for other people's clients.
pub fn scripts() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/clients"))
}

/// The folder of bad manifests and components.
pub fn bad() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/bad"))
}

/// The folder of hostile components.
pub fn hostile() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/hostile"))
}

/// A program of other people which `cargo xtask test` installs. None if it could
/// not, which in CI is a failure.
pub fn tool(name: &str) -> Option<PathBuf> {
    let file = target().join("tools").join(name);
    if file.exists() {
        return Some(file);
    }
    let message = format!("{} is missing: run `cargo xtask test`", file.display());
    assert!(std::env::var_os("CI").is_none(), "{message}");
    eprintln!("skipped: {message}");
    None
}

/// The registry of images, which `cargo xtask test` installs.
pub fn registry() -> PathBuf {
    built(target().join("tools/registry/registry"))
}

/// The folder of certificates and keys.
pub fn certificates() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/certificates"))
}

/// A certificate or a key, as it is in its file.
pub fn certificate(file: &str) -> Vec<u8> {
    std::fs::read(certificates().join(file)).expect("a certificate")
}

/// Where screenshots are left for a person to look at.
pub fn screenshots() -> PathBuf {
    let folder = target().join("screenshots");
    std::fs::create_dir_all(&folder).expect("a folder for screenshots");
    folder
}
