//! The languages, and what they can't do.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use holdfast_tests::host::{Host, command};
use holdfast_tests::place;
use holdfast_tests::setup::Setup;
use holdfast_tests::stage::Stage;

use super::GROUPS;

/// A language, by one of its builders.
pub(super) struct Language {
    /// The name of its components: `NAME-conformance`.
    pub(super) name: &'static str,
    /// Its folder in `tests/conformance`.
    pub(super) folder: &'static str,
    /// Words which the log has of an uncaught exception: where it was raised.
    pub(super) trace: &'static str,
}

/// The folder of the suite.
fn suite() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance")
}

/// The names of all folders of languages.
pub(super) fn folders() -> Vec<String> {
    let entries = std::fs::read_dir(suite()).expect("tests/conformance");
    let entries = entries.map(|entry| entry.expect("a folder's entry"));
    let folders = entries.filter(|entry| entry.path().is_dir());
    folders
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

impl Language {
    /// Starts a host that serves the language's program, and may send requests to
    /// this address.
    pub(super) async fn start(&self, upstream: &str) -> Host {
        let component = place::guest(&format!("{}-conformance", self.name));
        compile(&component).await;
        Setup::of_file("conformance", &component)
            .plugin("allow_http", &format!("[\"{upstream}\"]"))
            .config("greeting", "good morning")
            .start()
            .await
    }

    /// The names of cases which the language can't pass, and why.
    pub(super) fn unsupported(&self) -> BTreeMap<String, String> {
        let file = suite().join(self.folder).join("unsupported.toml");
        let Ok(text) = std::fs::read_to_string(&file) else {
            return BTreeMap::new();
        };
        let table: toml::Table = text.parse().expect("a list of what is not supported");
        let mut unsupported = BTreeMap::new();
        for (key, value) in table {
            match value {
                toml::Value::String(reason) => {
                    unsupported.insert(key, reason);
                }
                // What one builder of several can't do.
                toml::Value::Table(own) if key == self.name => {
                    let own = own.into_iter();
                    unsupported.extend(own.map(|(key, value)| {
                        let reason = value.as_str().expect("a reason");
                        (key, reason.to_owned())
                    }));
                }
                toml::Value::Table(_) => {}
                other => panic!("{}: {key}: {other}", file.display()),
            }
        }
        unsupported
    }

    /// Checks that everything which is not supported is a case of the suite, and
    /// has a reason.
    pub(super) fn check(&self) {
        let cases = GROUPS.iter().flat_map(|group| group.cases);
        let known: Vec<&str> = cases.map(|case| case.name).collect();
        for (name, reason) in self.unsupported() {
            let language = self.name;
            assert!(
                known.contains(&name.as_str()),
                "{language}: there is no case `{name}`; there are {known:?}"
            );
            assert!(
                reason.split_whitespace().count() > 2,
                "{language}: why is there no `{name}`? {reason:?}"
            );
        }
    }
}

/// Compiles a component, so that hosts find it in the cache. Those that have a
/// language in them take longer than a host may take to start, and one compiler
/// at a time is enough.
pub(crate) async fn compile(component: &Path) {
    static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    let _turn = TURN.lock().await;
    let _stage = Stage::shared().await;
    let mut inspect = command();
    inspect.arg("inspect").arg(component);
    inspect.arg("--cache").arg(place::cache());
    let output = tokio::task::spawn_blocking(move || inspect.output());
    let output = output.await.expect("no panic").expect("the host starts");
    assert!(output.status.success(), "{output:?}");
}
