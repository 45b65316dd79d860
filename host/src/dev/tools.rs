//! The programs that a language's projects are built with: whether they are
//! there, and what to do if not.

use std::ffi::OsStr;
use std::process::{Command, Stdio};

use crate::language::Language;
use crate::problem::Problem;

/// A program, or any of several.
struct Tool {
    /// Each a command line that prints a version, or only has to succeed.
    commands: &'static [&'static [&'static str]],
    /// What people call it.
    name: &'static str,
    /// The first version that will do: the first two numbers.
    version_min: (u32, u32),
    hint: &'static str,
}

const ANY: (u32, u32) = (0, 0);

const NODE_HINT: &str =
    "install Node.js: https://nodejs.org, or `sudo apt-get install nodejs npm` on Debian";
const PYTHON_HINT: &str =
    "install Python: https://python.org, or `sudo apt-get install python3 python3-venv` on Debian";

fn tools(language: Language) -> &'static [Tool] {
    match language {
        Language::Rust => &[Tool {
            commands: &[&["cargo", "--version"]],
            name: "cargo",
            version_min: ANY,
            hint: "install Rust with rustup: https://rustup.rs",
        }],
        Language::Js => &[
            Tool {
                commands: &[&["node", "--version"]],
                name: "Node.js",
                version_min: (20, 0),
                hint: NODE_HINT,
            },
            Tool {
                commands: &[&["npm", "--version"]],
                name: "npm",
                version_min: ANY,
                hint: NODE_HINT,
            },
        ],
        Language::Python => &[
            Tool {
                commands: &[&["python3", "--version"]],
                name: "Python",
                version_min: (3, 10),
                hint: PYTHON_HINT,
            },
            Tool {
                commands: &[&["python3", "-c", "import venv, ensurepip"]],
                name: "Python's module `venv`",
                version_min: ANY,
                hint: PYTHON_HINT,
            },
        ],
        Language::C => &[
            Tool {
                commands: &[&["make", "--version"]],
                name: "make",
                version_min: ANY,
                hint: "`sudo apt-get install make` on Debian",
            },
            Tool {
                commands: &[
                    &["zig", "version"],
                    &["python3", "-m", "ziglang", "version"],
                ],
                name: "zig, which has the C compiler",
                version_min: ANY,
                hint: "`pip install ziglang`, or https://ziglang.org/download",
            },
        ],
        Language::Go => &[Tool {
            commands: &[&["go", "version"]],
            name: "Go",
            version_min: (1, 24),
            hint: "install Go: https://go.dev/dl",
        }],
    }
}

/// Checks that the tools of a language are there, with this `PATH`.
///
/// # Errors
/// Says of the first that is not, or is too old, how to get it.
pub(super) fn check(language: Language, path: &OsStr) -> Result<(), Problem> {
    for tool in tools(language) {
        let found = tool.commands.iter().find_map(|words| says(words, path));
        let Some(found) = found else {
            let message = format!("{} is not there: {}", tool.name, needs(language));
            return Err(Problem::new(message, tool.hint));
        };
        let (major, minor) = tool.version_min;
        if tool.version_min > ANY && version(&found).is_none_or(|it| it < tool.version_min) {
            let message = format!(
                "{} is too old, {}: {} of version {major}.{minor} or newer",
                tool.name,
                found.trim(),
                needs(language)
            );
            return Err(Problem::new(message, tool.hint));
        }
    }
    Ok(())
}

fn needs(language: Language) -> String {
    format!("a project in {} needs it", language.name())
}

/// What a command prints, if it can be run and succeeds.
fn says(words: &[&str], path: &OsStr) -> Option<String> {
    let (program, arguments) = words.split_first()?;
    let mut command = Command::new(program);
    command.args(arguments).env("PATH", path);
    let output = command.stdin(Stdio::null()).output().ok()?;
    let is_good = output.status.success();
    is_good.then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The first two numbers with a point between them.
fn version(text: &str) -> Option<(u32, u32)> {
    let is_apart = |letter: char| !letter.is_ascii_digit() && letter != '.';
    text.split(is_apart).find_map(|word| {
        let mut numbers = word.split('.');
        let major = numbers.next()?.parse().ok()?;
        Some((major, numbers.next()?.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_tools_print() {
        for (text, expected) in [
            ("v20.19.2\n", Some((20, 19))),
            ("Python 3.11.2\n", Some((3, 11))),
            ("go version go1.26.0 linux/amd64\n", Some((1, 26))),
            ("GNU Make 4.3\nBuilt for x86_64", Some((4, 3))),
            ("no number", None),
        ] {
            assert_eq!(version(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_missing_is_said_with_the_way_to_get_it() {
        for (language, words) in [
            (Language::Rust, ["cargo is not there", "rustup.rs"]),
            (Language::Js, ["Node.js is not there", "nodejs.org"]),
            (Language::Python, ["Python is not there", "python3-venv"]),
            (Language::C, ["make is not there", "apt-get install make"]),
            (Language::Go, ["Go is not there", "go.dev/dl"]),
        ] {
            let problem = check(language, OsStr::new("/nowhere")).unwrap_err();
            let problem = problem.to_string();
            for word in words {
                assert!(problem.contains(word), "{problem}");
            }
        }
    }
}
