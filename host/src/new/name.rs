//! What a project, and so a crate and a plugin, can be named.

use crate::language::Language;

/// Also the longest name of a plugin.
const NAME_LEN_MAX: usize = 64;

/// The name of every SDK.
const SDK: &str = "holdfast";

/// The keywords of Rust, which can't name a crate (the Rust Reference,
/// "Keywords"), and crates which every project has.
const RESERVED: &[&str] = &[
    "abstract",
    "alloc",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "const",
    "continue",
    "core",
    "crate",
    "do",
    "dyn",
    "else",
    "enum",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "let",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "override",
    "priv",
    "proc_macro",
    "pub",
    "ref",
    "return",
    "self",
    "static",
    "std",
    "struct",
    "super",
    "test",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "unsafe",
    "unsized",
    "use",
    "virtual",
    "where",
    "while",
    "yield",
    "holdfast_sdk",
    "serde",
    "serde_json",
];

/// Checks a name; says why it can't be one.
pub(crate) fn check(name: &str, language: Language) -> Result<(), &'static str> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if !name.starts_with(|first: char| first.is_ascii_alphabetic()) {
        return Err("it does not begin with a letter");
    }
    if !name.bytes().all(allowed) {
        return Err("it has other characters than letters, digits, `-` and `_`");
    }
    if name.len() > NAME_LEN_MAX {
        return Err("it is longer than 64 characters");
    }
    let own = crate_name(name);
    if own == SDK || (language == Language::Rust && RESERVED.contains(&own.as_str())) {
        return Err("the language or the SDK needs that name");
    }
    Ok(())
}

/// The name of a package's crate.
pub(crate) fn crate_name(name: &str) -> String {
    name.replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_name_a_crate_and_a_plugin() {
        for name in ["a", "first", "my-plugin2", "My_Plugin", &"x".repeat(64)] {
            assert_eq!(check(name, Language::Rust), Ok(()), "{name}");
        }
        for name in [
            "",
            "1st",
            "-a",
            "_",
            "a b",
            "a/b",
            "..",
            "ä",
            "fn",
            "test",
            "proc-macro",
            "holdfast",
            "holdfast-sdk",
            &"x".repeat(65),
        ] {
            assert!(check(name, Language::Rust).is_err(), "{name}");
        }
        assert_eq!(check("match", Language::Python), Ok(()));
        assert!(check("holdfast", Language::Js).is_err());
    }
}
