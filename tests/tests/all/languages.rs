//! The languages in which plugins are written: what is promised holds in each.

/// Runs tests, each an `async fn(language: &Language)`, in every language.
macro_rules! in_every_language {
    ($($name:ident),+ $(,)?) => {
        in_language!(rust, RUST, $($name),+);
        in_language!(js, JS, $($name),+);
        in_language!(js_starlingmonkey, JS_STARLINGMONKEY, $($name),+);
        in_language!(python, PYTHON, $($name),+);
        in_language!(c, C, $($name),+);
        in_language!(go, GO, $($name),+);
    };
}

/// The tests of one language.
macro_rules! in_language {
    ($module:ident, $language:ident, $($name:ident),+) => {
        mod $module {
            $(#[tokio::test]
            async fn $name() {
                super::$name(&crate::languages::$language).await;
            })+
        }
    };
}

use std::path::{Path, PathBuf};

use holdfast_tests::host::command;
use holdfast_tests::place;
use holdfast_tests::process::output;
use holdfast_tests::stage::Stage;

/// A language, by one of its builders.
#[derive(Debug)]
pub(crate) struct Language {
    /// What its components are named for: `NAME-conformance`, `NAME-echo`.
    pub(crate) name: &'static str,
    /// Its folder in `tests/conformance` and in `examples`.
    pub(crate) folder: &'static str,
    /// The component of its chat.
    pub(crate) chat: &'static str,
    /// Words which the log has of an uncaught exception: where it was raised.
    pub(crate) trace: &'static str,
}

pub(crate) const RUST: Language = Language {
    name: "rust",
    folder: "rust",
    // There is one chat in Rust, which is no example.
    chat: "chat",
    trace: "message.rs",
};

pub(crate) const C: Language = Language {
    name: "c",
    folder: "c",
    chat: "c-chat",
    // A function of the SDK, in the stack of the trap.
    trace: "holdfast_panic",
};

pub(crate) const GO: Language = Language {
    name: "go",
    folder: "go",
    chat: "go-chat",
    trace: "main.trap",
};

pub(crate) const JS: Language = Language {
    name: "js",
    folder: "js",
    chat: "js-chat",
    trace: "socket.js",
};

/// The same sources with the other engine.
pub(crate) const JS_STARLINGMONKEY: Language = Language {
    name: "js-starlingmonkey",
    folder: "js",
    chat: "js-starlingmonkey-chat",
    trace: "socket.js",
};

pub(crate) const PYTHON: Language = Language {
    name: "python",
    folder: "python",
    chat: "python-chat",
    trace: "message.py",
};

/// All of them.
const ALL: [&Language; 6] = [&RUST, &JS, &JS_STARLINGMONKEY, &PYTHON, &C, &GO];

impl Language {
    /// One of its programs, compiled.
    pub(crate) async fn component(&self, program: &str) -> PathBuf {
        let name = match program {
            "chat" => self.chat.to_owned(),
            _ => format!("{}-{program}", self.name),
        };
        let component = place::guest(&name);
        compile(&component).await;
        component
    }

    /// Whether it has an example of this name.
    pub(crate) fn has_example(&self, name: &str) -> bool {
        place::top()
            .join("examples")
            .join(self.folder)
            .join(name)
            .is_dir()
    }

    /// A `PATH` with all that its builders need.
    pub(crate) fn path(&self) -> String {
        let inherited = std::env::var("PATH").unwrap_or_default();
        match self.folder {
            // People have a C compiler; `cargo xtask` has installed one.
            "c" | "go" => {
                let programs = place::target().join("tools/c/bin");
                format!("{}:{inherited}", programs.display())
            }
            _ => inherited,
        }
    }

    /// The folder of its program for the conformance suite.
    pub(crate) fn suite(&self) -> PathBuf {
        suites().join(self.folder)
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
    let output = output(inspect).await;
    assert!(output.status.success(), "{output:?}");
}

fn suites() -> PathBuf {
    place::top().join("tests/conformance")
}

#[test]
fn every_language_is_tried() {
    let entries = std::fs::read_dir(suites()).unwrap();
    let entries = entries.map(|entry| entry.unwrap());
    let folders = entries.filter(|entry| entry.path().is_dir());
    for folder in folders {
        let name = folder.file_name().to_string_lossy().into_owned();
        let is_tried = ALL.iter().any(|language| language.folder == name);
        assert!(is_tried, "tests/tests/all/languages.rs has no {name}");
    }
}
