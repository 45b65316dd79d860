//! Components that differ in what a test chooses, from one fixture: words in the
//! file are replaced. See `build.rs` of the fixtures' commands.

use std::path::{Path, PathBuf};

use crate::place;

const VERSION: &str = "fixture version: ";
const FORMAT: &str = "fixture attachments of format ";
const MOOD: &str = "fixture mood: ";

/// A build of the fixture `plain` or `waiting`.
#[derive(Clone, Debug)]
pub struct Build(Vec<u8>);

impl Build {
    /// The build of this number; attachments in format `a`, and no misbehaviour.
    pub fn new(form: &str, version: u32) -> Self {
        let bytes = std::fs::read(place::guest(form)).expect("a guest");
        Self(bytes).with(VERSION, &format!("{version:08}"))
    }

    /// Attachments in the format of this name, one letter.
    pub fn format(self, letter: char) -> Self {
        self.with(FORMAT, &letter.to_string())
    }

    /// Every event does this first: `trap`, `fail` or `spin`.
    pub fn mood(self, word: &str) -> Self {
        assert_eq!(word.len(), 4, "it has to fit in place of another");
        self.with(MOOD, word)
    }

    /// The component.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Replaces what comes after `name`.
    fn with(mut self, name: &str, value: &str) -> Self {
        let found: Vec<usize> = self
            .0
            .windows(name.len())
            .enumerate()
            .filter(|(_, window)| *window == name.as_bytes())
            .map(|(start, _)| start + name.len())
            .collect();
        assert!(!found.is_empty(), "no `{name}` in the component");
        for start in found {
            self.0[start..start + value.len()].copy_from_slice(value.as_bytes());
        }
        self
    }
}

/// The name of the format of this letter, as the host knows it.
pub fn format_name(letter: char) -> String {
    format!("{FORMAT}{letter}")
}

/// Puts a file in place as a careful deployment does: nobody sees half of it.
pub fn put(path: &Path, bytes: impl AsRef<[u8]>) {
    let partial = beside(path);
    std::fs::write(&partial, bytes).expect("a file of our own");
    std::fs::rename(&partial, path).expect("a file of our own");
}

/// A name in the same folder that nobody watches.
pub fn beside(path: &Path) -> PathBuf {
    path.with_extension("partial")
}
