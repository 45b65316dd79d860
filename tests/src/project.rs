//! Projects that `holdfast new` writes and `holdfast dev` serves.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::host::{Host, command};
use crate::place;

// Cargo lets one build at a time use a target folder: whoever waits for another
// should not do so against a deadline.
static TARGET: Mutex<()> = Mutex::new(());

/// Where packages of other languages are installed.
const PACKAGES: [&str; 2] = ["node_modules", ".venv"];

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

    /// Writes one in another language than Rust. What was installed for the one
    /// before is kept, as long as it asks for the same packages.
    pub fn in_language(language: &str, template: &str) -> Self {
        let turn = TARGET.lock().unwrap_or_else(PoisonError::into_inner);
        let name = format!("my-{template}");
        let folder = place::target().join("projects").join(language);
        let (path, kept) = (folder.join(&name), folder.join(format!("{name}-packages")));
        let _ = fs::create_dir_all(&kept);
        // The folders are there or not.
        for packages in PACKAGES {
            let _ = fs::rename(path.join(packages), kept.join(packages));
        }
        let _ = fs::remove_dir_all(&path);
        let output = command()
            .args(["new", &name, "--lang", language, "--template", template])
            .arg("--path")
            .arg(&path)
            .output()
            .expect("the host starts");
        assert!(output.status.success(), "{output:?}");
        for packages in PACKAGES {
            let _ = fs::rename(kept.join(packages), path.join(packages));
        }
        Self { path, _turn: turn }
    }

    /// The file in which this is written, except for tests and the SDK.
    pub fn file_with(&self, text: &str) -> String {
        let mut folders = vec![self.path.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("a folder of the project") {
                let path = entry.expect("a file of the project").path();
                let name = path.strip_prefix(&self.path).expect("a file in it");
                let name = name.display().to_string();
                if name.contains("test") || name.starts_with('.') || name == "holdfast-sdk" {
                    continue;
                }
                if PACKAGES.contains(&&*name) || path.is_dir() {
                    folders.extend((!PACKAGES.contains(&&*name)).then_some(path));
                } else if fs::read_to_string(&path).is_ok_and(|file| file.contains(text)) {
                    return name;
                }
            }
        }
        panic!("{text} is nowhere in {}", self.path.display());
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

    /// What cargo needs to build components: see `cargo xtask test`.
    fn variables() -> Vec<(String, String)> {
        let target = Self::target().display().to_string();
        let mut variables = vec![("CARGO_TARGET_DIR".to_owned(), target)];
        variables.extend(std::env::vars().filter_map(|(name, value)| {
            let name = name.strip_prefix("HOLDFAST_GUEST_")?;
            Some((name.to_owned(), value))
        }));
        variables
    }

    /// Runs cargo in it for this machine, which has to succeed.
    pub fn cargo(&self, arguments: &[&str]) {
        let variables = [(
            "CARGO_TARGET_DIR".to_owned(),
            Self::target().display().to_string(),
        )];
        self.run(arguments, &variables);
    }

    fn run(&self, arguments: &[&str], variables: &[(String, String)]) {
        let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args(arguments)
            .current_dir(&self.path)
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .output()
            .expect("cargo starts");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "cargo {arguments:?}: {errors}");
    }

    /// Builds it, without a deadline: the SDK takes its time.
    pub fn build(&self) {
        let build = ["build", "--release", "--target", "wasm32-wasip2"];
        self.run(&build, &Self::variables());
    }

    /// Serves it by `holdfast dev`.
    pub async fn dev(&self) -> Host {
        self.build();
        Host::dev(&self.path, &Self::variables()).await
    }
}
