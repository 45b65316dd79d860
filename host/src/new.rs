//! `holdfast new`: writes a project that `holdfast dev` builds and serves at
//! once. It only writes files, and never over one that is there.

mod name;
mod sdk;
mod template;

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

pub(crate) use sdk::FOLDER as SDK_FOLDER;
pub(crate) use template::Template;

use crate::cli::New;
use crate::problem::Problem;

/// Writes the project and says what to do next.
pub(crate) fn new(arguments: &New) -> Result<(), Problem> {
    name::check(&arguments.name, arguments.lang).map_err(|why| {
        Problem::new(
            format!("\"{}\" can't be a project's name: {why}", arguments.name),
            "take letters, digits, hyphens and underscores, a letter first: `my-plugin`",
        )
    })?;
    if !template::exists(arguments.lang, arguments.template) {
        return Err(Problem::new(
            format!("there is no such template for {}", arguments.lang.name()),
            "`--lang rust` has all of them",
        ));
    }
    let folder = match &arguments.path {
        Some(path) => path.clone(),
        None => PathBuf::from(&arguments.name),
    };
    let problem = |error: io::Error| {
        Problem::new(
            format!(
                "{}: the project can't be written: {error}",
                folder.display()
            ),
            "take another folder with --path",
        )
    };
    if !is_free(&folder).map_err(problem)? {
        return Err(Problem::new(
            format!("{}: there is something already", folder.display()),
            "take another name, another folder with --path, or remove what is there",
        ));
    }
    write_all(&folder, arguments).map_err(problem)?;
    println!("{}", next(&folder, arguments));
    Ok(())
}

/// Whether there is nothing, or an empty folder.
fn is_free(folder: &Path) -> io::Result<bool> {
    match fs::read_dir(folder) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Ok(false),
        Err(error) => Err(error),
    }
}

fn write_all(folder: &Path, arguments: &New) -> io::Result<()> {
    for (path, text) in template::files(arguments.lang, arguments.template, &arguments.name) {
        write(&folder.join(path), text.as_bytes())?;
    }
    let sdk = folder.join(sdk::FOLDER);
    for (path, bytes) in sdk::files(arguments.lang) {
        write(&sdk.join(path), bytes)?;
    }
    Ok(())
}

/// Writes a new file, a script so that it can be run. One that has appeared
/// meanwhile is an error.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let is_script = bytes.starts_with(b"#!");
    let mut options = fs::File::options();
    options.write(true).create_new(true);
    // The process's umask takes from it what it should.
    options.mode(if is_script { 0o777 } else { 0o666 });
    options.open(path)?.write_all(bytes)
}

/// What was written, and the next command.
fn next(folder: &Path, arguments: &New) -> String {
    let folder = folder.display();
    format!(
        "{folder}: a project in {} with {}\n\nServe it, and reload it whenever you save a \
         file:\n  holdfast dev {folder}",
        arguments.lang.name(),
        arguments.template.about()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;

    #[test]
    fn the_sdk_stands_alone() {
        let files = sdk::files(Language::Rust);
        let manifest = files.iter().find(|(name, _)| *name == "Cargo.toml");
        let text = std::str::from_utf8(manifest.unwrap().1).unwrap();
        assert!(text.contains("name = \"holdfast-sdk\""), "{text}");
        assert!(!text.contains("workspace"), "{text}");
        for (name, bytes) in files {
            let text = std::str::from_utf8(bytes).unwrap();
            assert!(!text.contains("../"), "{name}");
        }
        for name in ["src/lib.rs", "wit/websocket-0.1.0/types.wit"] {
            assert!(files.iter().any(|file| file.0 == name), "{name}");
        }
    }
}
