//! Gathers what `holdfast new` writes, so that the binary has it: the templates
//! of every language, and the SDKs.
//!
//! An SDK has to stand alone in a project. Those of most languages do. In the
//! repository the Rust SDK takes keys of its `Cargo.toml` from the workspace, and
//! its WIT from the folder `wit`: the keys are filled in, and the WIT comes along.

use std::error::Error;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

use toml::{Table, Value};

/// Where the SDK finds the WIT in the repository, and in a copy.
const WIT_HERE: &str = "../../wit/";
const WIT_THERE: &str = "wit/";

/// What of an SDK is of no use in a project, besides hidden files, and a folder
/// `build` that is no package of Python's.
const LEFT_OUT: &[&str] = &["target", "node_modules", "__pycache__", "test", "tests"];
const LEFT_OUT_ENDINGS: &[&str] = &[".wasm", ".pyc", ".egg-info"];

/// What a template says of itself.
const ABOUT: &str = "template.toml";

/// Files of templates which would mean something where they are, and what they
/// are named in a project.
const NAMES: &[(&str, &str)] = &[
    ("gitignore", ".gitignore"),
    ("cargo.toml", "Cargo.toml"),
    ("readme.md", "README.md"),
];

type Files = Vec<(String, Vec<u8>)>;
type Texts = Vec<(String, String)>;

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new("..");
    let mut sdks = String::from("&[\n");
    let mut templates = String::from("&[\n");
    println!("cargo:rerun-if-changed=templates");
    for language in folders(Path::new("templates"))? {
        let sdk = root.join("sdk").join(&language);
        let files = match language.as_str() {
            "rust" => rust_sdk(root, &sdk)?,
            _ => {
                let mut files = Files::new();
                gather(&sdk, "", &mut files)?;
                files
            }
        };
        writeln!(sdks, "    ({language:?}, &[\n{}]),", literals(&files)?)?;
        let own = Path::new("templates").join(&language);
        for template in folders(&own)? {
            let (about, files) = template_of(&own.join(&template), &template)?;
            writeln!(
                templates,
                "    Part {{ language: {language:?}, template: {template:?}, files: &{:?}, \
                 rows: &{:?}, words: &{:?} }},",
                texts(files)?,
                about.rows,
                about.words
            )?;
        }
    }
    sdks.push_str("]\n");
    templates.push_str("]\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo names no OUT_DIR")?);
    fs::write(out.join("sdk.rs"), sdks)?;
    fs::write(out.join("templates.rs"), templates)?;
    Ok(())
}

/// The names of the folders in a folder, sorted.
fn folders(folder: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Files as code.
fn literals(files: &Files) -> Result<String, std::fmt::Error> {
    let mut code = String::new();
    for (name, bytes) in files {
        writeln!(code, "    ({name:?}, b\"{}\"),", bytes.escape_ascii())?;
    }
    Ok(code)
}

fn texts(files: Files) -> Result<Texts, std::string::FromUtf8Error> {
    let files = files.into_iter();
    files
        .map(|(name, bytes)| Ok((name, String::from_utf8(bytes)?)))
        .collect()
}

/// What a template says of itself.
#[derive(Default)]
struct About {
    rows: Texts,
    words: Texts,
}

/// A template, or what all templates of a language share. A template that names
/// its `page` has that which is beside the languages, for all of them.
fn template_of(folder: &Path, template: &str) -> Result<(About, Files), Box<dyn Error>> {
    let mut files = Files::new();
    gather(folder, "", &mut files)?;
    let mut about = About::default();
    if let Some(index) = files.iter().position(|(name, _)| name == ABOUT) {
        let table: Table = String::from_utf8(files.remove(index).1)?.parse()?;
        if let Some(name) = table.get("page").and_then(Value::as_str) {
            let page = Path::new("templates").join(template).with_extension("html");
            files.push((name.to_owned(), read(&page)?));
        }
        let texts = |key: &str| {
            let table = table.get(key).and_then(Value::as_table);
            let pairs = table.into_iter().flatten();
            let texts = pairs.map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
            texts.collect::<Option<Texts>>().ok_or("it is no text")
        };
        about = About {
            rows: texts("files")?,
            words: texts("words")?,
        };
    }
    for (name, _) in &mut files {
        if let Some((_, there)) = NAMES.iter().find(|(here, _)| here == name) {
            *name = (*there).to_owned();
        }
    }
    files.sort();
    Ok((about, files))
}

/// Reads all files below a folder; their names begin with `prefix`.
fn gather(folder: &Path, prefix: &str, files: &mut Files) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let own = entry.file_name().to_string_lossy().into_owned();
        let mut endings = LEFT_OUT_ENDINGS.iter();
        if own.starts_with('.')
            // The tests of a template are the project's.
            || (LEFT_OUT.contains(&own.as_str()) && !folder.starts_with("templates"))
            || endings.any(|ending| own.ends_with(ending))
            || (own == "build" && !entry.path().join("__init__.py").exists())
        {
            continue;
        }
        let name = match prefix {
            "" => own,
            prefix => format!("{prefix}/{own}"),
        };
        if entry.file_type()?.is_dir() {
            gather(&entry.path(), &name, files)?;
        } else {
            // Each by itself: a folder may have things in it that are left out.
            println!("cargo:rerun-if-changed={}", entry.path().display());
            files.push((name, read(&entry.path())?));
        }
    }
    Ok(())
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    fs::read(file).map_err(|error| format!("{}: {error}", file.display()))
}

/// The Rust SDK, as it stands alone.
fn rust_sdk(root: &Path, sdk: &Path) -> Result<Files, Box<dyn Error>> {
    let wit = root.join("wit");
    for input in [&root.join("Cargo.toml"), sdk, &wit] {
        println!("cargo:rerun-if-changed={}", input.display());
    }
    let mut files = Vec::new();
    for folder in ["src", "wit"] {
        gather(&sdk.join(folder), folder, &mut files)?;
    }
    gather(&wit, "wit", &mut files)?;
    for (_, text) in &mut files {
        let here = std::str::from_utf8(text)?;
        *text = here.replace(WIT_HERE, WIT_THERE).into();
    }
    let package = package(&root.join("Cargo.toml"), sdk)?;
    files.push(("Cargo.toml".into(), package.into()));
    files.sort();
    Ok(files)
}

/// The SDK's `Cargo.toml`, with what it takes from the workspace filled in.
fn package(workspace: &Path, sdk: &Path) -> Result<String, Box<dyn Error>> {
    let workspace: Table = fs::read_to_string(workspace)?.parse()?;
    let mut package: Table = fs::read_to_string(sdk.join("Cargo.toml"))?.parse()?;
    let shared = |table: &str, key: &str| {
        let table = workspace.get("workspace")?.get(table)?;
        table.get(key).cloned()
    };
    for (table, from) in [("package", "package"), ("dependencies", "dependencies")] {
        let Some(Value::Table(entries)) = package.get_mut(table) else {
            continue;
        };
        for (key, value) in entries {
            if value.get("workspace").is_some() {
                *value = shared(from, key).ok_or_else(|| format!("no workspace key {key}"))?;
            }
        }
    }
    // They are the repository's rules.
    package.remove("lints");
    Ok(toml::to_string(&package)?)
}
