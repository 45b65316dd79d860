//! The projects that can be written: the files in `host/templates`, with some
//! words filled in.

use clap::ValueEnum;

use super::name::crate_name;

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

/// Files that every project has.
const SHARED: &[(&str, &str)] = &[
    ("Cargo.toml", include_str!("../../templates/cargo.toml")),
    (
        "holdfast.toml",
        include_str!("../../templates/holdfast.toml"),
    ),
    (".gitignore", include_str!("../../templates/gitignore")),
    ("README.md", include_str!("../../templates/readme.md")),
];

/// What the chat needs besides.
const CHAT_DEPENDENCIES: &str = "\
serde = { version = \"1\", features = [\"derive\"] }
serde_json = \"1\"
";

impl Template {
    /// What it is, for people.
    pub(crate) fn about(self) -> &'static str {
        match self {
            Self::Http => "an HTTP handler",
            Self::Websocket => "a WebSocket handler and a page to try it",
            Self::Chat => "chat rooms and their page",
        }
    }

    /// Its own files, each with what it is.
    fn sources(self) -> &'static [(&'static str, &'static str, &'static str)] {
        match self {
            Self::Http => &[(
                "src/lib.rs",
                include_str!("../../templates/http/lib.rs"),
                "the handler",
            )],
            Self::Websocket => &[
                (
                    "src/lib.rs",
                    include_str!("../../templates/websocket/lib.rs"),
                    "the handlers",
                ),
                (
                    "src/page.html",
                    include_str!("../../templates/websocket/page.html"),
                    "the page to try them",
                ),
            ],
            Self::Chat => &[
                (
                    "src/lib.rs",
                    include_str!("../../templates/chat/lib.rs"),
                    "what happens at each event",
                ),
                (
                    "src/protocol.rs",
                    include_str!("../../templates/chat/protocol.rs"),
                    "the messages between page and plugin",
                ),
                (
                    "src/room.rs",
                    include_str!("../../templates/chat/room.rs"),
                    "who is in a room, and what was said",
                ),
                (
                    "src/page.html",
                    include_str!("../../templates/chat/page.html"),
                    "the page",
                ),
            ],
        }
    }
}

/// All files of a new project: their paths in it, and what is in them.
pub(crate) fn files(
    template: Template,
    name: &str,
) -> impl Iterator<Item = (&'static str, String)> {
    let sources = template.sources();
    let rows = sources
        .iter()
        .map(|(path, _, what)| format!("| `{path}` | {what} |\n"));
    let dependencies = match template {
        Template::Chat => CHAT_DEPENDENCIES,
        Template::Http | Template::Websocket => "",
    };
    let words = [
        ("{{name}}", name.to_owned()),
        ("{{crate}}", crate_name(name)),
        ("{{dependencies}}\n", dependencies.to_owned() + "\n"),
        (
            "{{about}}",
            format!("A Holdfast plugin: {}.", template.about()),
        ),
        ("{{files}}", rows.collect()),
    ];
    let own = sources.iter().map(|(path, text, _)| (*path, *text));
    SHARED.iter().copied().chain(own).map(move |(path, text)| {
        let fill = |text: String, (from, to): &(&str, String)| text.replace(from, to);
        (path, words.iter().fold(text.to_owned(), fill))
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use holdfast_core::manifest;

    use super::*;

    #[test]
    fn every_project_is_filled_in() {
        for &template in Template::value_variants() {
            let files: Vec<_> = files(template, "my-plugin").collect();
            for (path, text) in &files {
                assert!(!text.contains("{{"), "{template:?} {path}:\n{text}");
            }
            let text = |name: &str| &files.iter().find(|file| file.0 == name).unwrap().1;
            let manifest = manifest::parse("m", text("holdfast.toml")).unwrap();
            let manifest = manifest::resolve("m", Path::new("/p"), &manifest).unwrap();
            assert_eq!(manifest.plugins[0].name, "my-plugin");
            let component = "/p/target/wasm32-wasip2/release/my_plugin.wasm";
            assert_eq!(manifest.plugins[0].component, Path::new(component));
            assert!(text("Cargo.toml").contains("name = \"my-plugin\""));
            assert!(text("README.md").contains("| `src/lib.rs` |"));
        }
    }
}
