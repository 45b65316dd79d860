//! The projects that can be written: the files in `host/templates`, with some
//! words filled in.

use std::collections::BTreeMap;

use clap::ValueEnum;

use super::name::crate_name;
use crate::language::Language;

/// What a new project handles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Template {
    /// An HTTP handler
    Http,
    /// A WebSocket handler, and a page to try it
    Websocket,
    /// Chat rooms: WebSockets, HTTP, topics, attachments, keys and values
    Chat,
}

/// A folder of `host/templates/LANGUAGE`.
struct Part {
    language: &'static str,
    template: &'static str,
    files: &'static [Pair],
    /// For the table of files: their paths, and what they are.
    rows: &'static [Pair],
    words: &'static [Pair],
}

type Pair = (&'static str, &'static str);

static PARTS: &[Part] = include!(concat!(env!("OUT_DIR"), "/templates.rs"));

/// The folder whose files every project of a language has.
const SHARED: &str = "shared";

impl Template {
    /// What it is, for people.
    pub(crate) fn about(self) -> &'static str {
        match self {
            Self::Http => "an HTTP handler",
            Self::Websocket => "a WebSocket handler and a page to try it",
            Self::Chat => "chat rooms and their page",
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Websocket => "websocket",
            Self::Chat => "chat",
        }
    }
}

fn part(language: Language, template: &str) -> Option<&'static Part> {
    let mut parts = PARTS.iter();
    parts.find(|part| part.language == language.word() && part.template == template)
}

/// Whether a project of this kind can be written.
pub(crate) fn exists(language: Language, template: Template) -> bool {
    part(language, template.word()).is_some()
}

/// All files of a new project: their paths in it, and what is in them.
pub(crate) fn files(
    language: Language,
    template: Template,
    name: &str,
) -> BTreeMap<&'static str, String> {
    let own = part(language, template.word());
    let shared = part(language, SHARED);
    // What is the template's own takes the place of what is shared.
    let parts: Vec<&Part> = shared.into_iter().chain(own).collect();
    let mut words = BTreeMap::from([
        ("name", name.to_owned()),
        ("crate", crate_name(name)),
        ("about", format!("A Holdfast plugin: {}.", template.about())),
    ]);
    let mut rows = String::new();
    let mut files = BTreeMap::new();
    for part in parts {
        let table = part.rows.iter();
        rows.extend(table.map(|(path, what)| format!("| `{path}` | {what} |\n")));
        words.extend(part.words.iter().map(|(key, text)| (*key, (*text).into())));
        files.extend(part.files.iter().copied());
    }
    words.insert("files", rows);
    let fill = |text: &str| {
        let words = words.iter();
        words.fold(text.to_owned(), |text, (key, word)| {
            text.replace(&format!("{{{{{key}}}}}"), word)
        })
    };
    let files = files.into_iter();
    files.map(|(path, text)| (path, fill(text))).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use holdfast_core::manifest;

    use super::*;

    #[test]
    fn every_project_is_filled_in() {
        for &language in Language::value_variants() {
            for &template in Template::value_variants() {
                if exists(language, template) {
                    is_filled_in(language, template);
                }
            }
        }
    }

    fn is_filled_in(language: Language, template: Template) {
        let files = files(language, template, "my-plugin");
        for (path, text) in &files {
            assert!(!text.contains("{{"), "{template:?} {path}:\n{text}");
        }
        let manifest = manifest::parse("m", &files["holdfast.toml"]).unwrap();
        let manifest = manifest::resolve("m", Path::new("/p"), &manifest).unwrap();
        assert_eq!(manifest.plugins[0].name, "my-plugin");
        let component = match language {
            Language::Rust => "/p/target/wasm32-wasip2/release/my_plugin.wasm",
            _ => "/p/plugin.wasm",
        };
        assert_eq!(manifest.plugins[0].component, Path::new(component));
        assert!(files.contains_key(".gitignore"));
        let readme = &files["README.md"];
        assert!(readme.contains("holdfast dev"), "{readme}");
        if language == Language::Rust {
            assert!(files["Cargo.toml"].contains("name = \"my-plugin\""));
            assert!(readme.contains("| `src/lib.rs` |"));
        }
    }

    #[test]
    fn what_a_template_needs_besides_is_its_own() {
        let manifest = |template| files(Language::Rust, template, "a").remove("Cargo.toml");
        let chat = manifest(Template::Chat).unwrap();
        assert!(
            chat.contains("\nserde_json = \"1\"\n\n# Handlers"),
            "{chat}"
        );
        let http = manifest(Template::Http).unwrap();
        assert!(http.contains("holdfast-sdk\" }\n\n# Handlers"), "{http}");
    }
}
