//! Cargo as a builder: how it is called, and what its messages say (the Cargo
//! Book, "External Tools").

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::ansi;
use crate::problem::Problem;

/// The target of every component.
const TARGET: &str = "wasm32-wasip2";

/// Builds the packages that cargo takes for those of a folder.
pub(super) fn command(folder: &Path) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(cargo);
    command
        .current_dir(folder)
        .args(["build", "--release", "--target", TARGET])
        .arg("--message-format=json-diagnostic-rendered-ansi")
        .env("CARGO_TERM_COLOR", "always")
        .env("CARGO_TERM_PROGRESS_WHEN", "never");
    command
}

/// What matters of a message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Message {
    /// Errors and warnings as people read them, with colours.
    Diagnostic(String),
    /// A component that was built, or was there already.
    Component(PathBuf),
}

/// Reads a line of cargo's standard output, of a project in `folder`.
pub(super) fn message(line: &str, folder: &Path) -> Option<Message> {
    let Ok(message) = serde_json::from_str::<Value>(line) else {
        // A macro or a build script has printed something.
        return Some(Message::Diagnostic(line.to_owned() + "\n"));
    };
    let text = |value: &Value| value.as_str().map(str::to_owned);
    match message.get("reason")?.as_str()? {
        "compiler-message" => {
            let rendered = message.get("message")?.get("rendered")?;
            text(rendered).map(Message::Diagnostic)
        }
        "compiler-artifact" => {
            let manifest = Path::new(message.get("manifest_path")?.as_str()?);
            let mut files = message.get("filenames")?.as_array()?.iter();
            let wasm = files.find_map(|file| text(file).filter(|file| file.ends_with(".wasm")))?;
            // Components among the dependencies are somebody else's.
            manifest
                .starts_with(folder)
                .then(|| Message::Component(wasm.into()))
        }
        _ => None,
    }
}

/// Whether a line of cargo's standard error says only how far it is.
pub(super) fn is_progress(line: &str) -> bool {
    let line = ansi::plain(line);
    let words = ["Compiling", "Finished", "Locking", "Updating"];
    words.iter().any(|word| line.trim_start().starts_with(word))
}

/// What is wrong with the machine, if that is why a build has failed.
pub(super) fn problem(output: &str) -> Option<Problem> {
    let is_missing = ansi::plain(output).contains("`wasm32-wasip2` target may not be installed");
    is_missing.then(|| {
        Problem::new(
            "this Rust toolchain can't build components",
            "run `rustup target add wasm32-wasip2`, then save a file",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_built_is_taken_from_messages() {
        let folder = Path::new("/p");
        let artifact = |manifest: &str, file: &str| {
            format!(
                r#"{{"reason":"compiler-artifact","manifest_path":"{manifest}","filenames":["/t/x.d","{file}"]}}"#
            )
        };
        let own = message(&artifact("/p/Cargo.toml", "/t/a.wasm"), folder);
        assert_eq!(own, Some(Message::Component("/t/a.wasm".into())));
        let other = message(&artifact("/q/Cargo.toml", "/t/a.wasm"), folder);
        assert_eq!(other, None);
        let library = message(&artifact("/p/sdk/Cargo.toml", "/t/a.rlib"), folder);
        assert_eq!(library, None);

        let line =
            r#"{"reason":"compiler-message","message":{"rendered":"error\n","level":"error"}}"#;
        let diagnostic = message(line, folder);
        assert_eq!(diagnostic, Some(Message::Diagnostic("error\n".into())));
        assert_eq!(message(r#"{"reason":"build-finished"}"#, folder), None);
        let printed = message("hello", folder);
        assert_eq!(printed, Some(Message::Diagnostic("hello\n".into())));
    }

    #[test]
    fn progress_is_told_from_errors() {
        assert!(is_progress(
            "\u{1b}[1m   Compiling\u{1b}[0m first v0.1.0 (/p)"
        ));
        assert!(!is_progress("error: could not compile `first`"));
        assert!(!is_progress("    Blocking waiting for file lock"));
        let missing = "\u{1b}[1mnote\u{1b}[0m: the `wasm32-wasip2` target may not be installed";
        assert!(problem(missing).is_some());
        assert!(problem("error[E0425]").is_none());
    }
}
