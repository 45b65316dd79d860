//! Projects that `holdfast new` writes and `holdfast dev` serves.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::host::{Host, command};
use crate::place;

// Cargo lets one build at a time use a target folder: whoever waits for another
// should not do so against a deadline.
static TARGET: Mutex<()> = Mutex::new(());

/// A project of one's own, for as long as it lives.
#[derive(Debug)]
pub struct Project {
    path: PathBuf,
    _turn: MutexGuard<'static, ()>,
}

impl Project {
    /// Writes one. It takes the versions of dependencies that this workspace
    /// uses, which are on this machine already.
    pub fn new(template: &str) -> Self {
        let turn = TARGET.lock().unwrap_or_else(PoisonError::into_inner);
        // Always the same path, so that cargo finds again what it has built.
        let path = place::target()
            .join("projects")
            .join(format!("my-{template}"));
        let _ = fs::remove_dir_all(&path);
        let output = command()
            .args(["new", &format!("my-{template}"), "--template", template])
            .arg("--path")
            .arg(&path)
            .output()
            .expect("the host starts");
        assert!(output.status.success(), "{output:?}");
        let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock");
        fs::copy(lock, path.join("Cargo.lock")).expect("the workspace has a lock file");
        Self { path, _turn: turn }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where its components are built, with those of all such projects.
    fn target() -> PathBuf {
        place::target().join("projects/target")
    }

    /// Changes a file as an editor does. `from` has to be in it.
    pub fn replace(&self, file: &str, from: &str, to: &str) {
        let path = self.path.join(file);
        let text = fs::read_to_string(&path).expect("a file of the project");
        assert!(text.contains(from), "{from} is not in {file}");
        fs::write(&path, text.replace(from, to)).expect("a file of the project");
    }

    /// Runs cargo in it, which has to succeed.
    pub fn cargo(&self, arguments: &[&str]) -> Output {
        let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args(arguments)
            .current_dir(&self.path)
            .env("CARGO_TARGET_DIR", Self::target())
            .output()
            .expect("cargo starts");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "cargo {arguments:?}: {errors}");
        output
    }

    /// Builds it, without a deadline: the SDK takes its time.
    pub fn build(&self) {
        self.cargo(&["build", "--release", "--target", "wasm32-wasip2"]);
    }

    /// Serves it by `holdfast dev`.
    pub async fn dev(&self) -> Host {
        self.build();
        let target = Self::target().display().to_string();
        Host::dev(&self.path, &[("CARGO_TARGET_DIR", target)]).await
    }
}
