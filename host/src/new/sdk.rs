//! The SDKs inside this binary, gathered by the build script.

use crate::language::Language;

/// Where it is in a project.
pub(crate) const FOLDER: &str = "holdfast-sdk";

/// A file: its path in [`FOLDER`], and what is in it.
type File = (&'static str, &'static [u8]);

static ALL: &[(&str, &[File])] = include!(concat!(env!("OUT_DIR"), "/sdk.rs"));

/// The files of a language's SDK.
pub(crate) fn files(language: Language) -> &'static [File] {
    let mut all = ALL.iter();
    all.find(|(word, _)| *word == language.word())
        .map_or(&[], |(_, files)| files)
}
