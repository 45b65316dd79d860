//! The project that is worked on: how it is built, what is watched, and where
//! its components have to be.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::build::Outcome;
use crate::fleet::Source;
use crate::language::Language;
use crate::problem::Problem;

const MANIFEST: &str = "holdfast.toml";
/// Where the sources of a project are that cargo does not build.
const WATCH_DEFAULT: &str = "src";

/// A project, as its manifest says now.
#[derive(Debug)]
pub(crate) struct Project {
    /// Absolute, and free of links, as cargo names it.
    pub(super) folder: PathBuf,
    pub(super) manifest: PathBuf,
    pub(super) recipe: Recipe,
    /// Whose tools it needs, as far as that is known.
    pub(super) language: Option<Language>,
    /// Files and folders that are watched besides the manifest.
    pub(super) watch: Vec<PathBuf>,
    /// Where the manifest says that the components are.
    pub(super) components: Vec<PathBuf>,
}

/// How it is built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Recipe {
    Cargo,
    /// A line for the shell.
    Command(String),
}

impl Recipe {
    /// The builder can't even be started.
    pub(super) fn not_started(&self, error: &io::Error) -> Outcome {
        let (program, hint) = match self {
            Self::Cargo => ("cargo", "install Rust with rustup: https://rustup.rs"),
            Self::Command(_) => ("sh", "there has to be a shell in PATH"),
        };
        Outcome::failed(format!(
            "{program} can't be started: {error}\n  hint: {hint}\n"
        ))
    }
}

impl Project {
    /// Reads the project in a folder.
    ///
    /// # Errors
    /// When the manifest is missing or wrong, or nothing says how to build.
    pub(crate) fn read(folder: &Path) -> Result<Self, Problem> {
        let folder = folder.canonicalize().map_err(|error| {
            let message = format!("{}: no project is there: {error}", folder.display());
            Problem::new(message, "`holdfast new NAME` writes one")
        })?;
        let path = folder.join(MANIFEST);
        if !path.exists() {
            let message = format!("{}: there is no {MANIFEST}", folder.display());
            return Err(Problem::new(
                message,
                "`holdfast new NAME` writes a project",
            ));
        }
        let (_, manifest) = Source::read(&path)?;
        let dev = &manifest.dev;
        let found = language(&folder);
        let recipe = match &dev.build {
            Some(line) => Recipe::Command(line.clone()),
            None => recipe(found, &folder)?,
        };
        let watch = match &dev.watch {
            Some(paths) => paths.clone(),
            None => vec![watched(found, &folder)],
        };
        if let Some(missing) = watch.iter().find(|path| !path.exists()) {
            let message = format!(
                "{}: it is to be watched, but is not there",
                missing.display()
            );
            let hint = format!("name what is there in `watch` of [dev] in {MANIFEST}");
            return Err(Problem::new(message, hint));
        }
        let plugins = manifest.plugins.iter().filter(|it| it.image.is_none());
        Ok(Self {
            manifest: path,
            // Who calls something else than cargo may not need it.
            language: found.filter(|_| recipe == Recipe::Cargo || found != Some(Language::Rust)),
            recipe,
            watch,
            components: plugins.map(|plugin| plugin.component.clone()).collect(),
            folder,
        })
    }

    /// For titles.
    pub(super) fn name(&self) -> String {
        let name = self.folder.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    /// Puts the components that cargo has built where the manifest says, should
    /// cargo be told to put them elsewhere. They are known by their file names.
    ///
    /// # Errors
    /// When the manifest names none of them, or a file can't be written.
    pub(super) fn install(&self, outcome: &Outcome) -> Result<(), Problem> {
        let mut is_any = self.recipe != Recipe::Cargo;
        for target in &self.components {
            let mut built = outcome.components.iter();
            let Some(built) = built.find(|built| built.file_name() == target.file_name()) else {
                continue;
            };
            is_any = true;
            copy(built, target).map_err(|error| {
                let message = format!("{}: it can't be written: {error}", target.display());
                Problem::new(message, "check `component` in the manifest")
            })?;
        }
        if is_any {
            return Ok(());
        }
        let names = outcome
            .components
            .iter()
            .filter_map(|path| path.file_name());
        let names: Vec<_> = names.map(|name| name.display().to_string()).collect();
        Err(match names.is_empty() {
            true => Problem::new(
                format!(
                    "{}: cargo has built no component of it",
                    self.folder.display()
                ),
                "add `crate-type = [\"cdylib\"]` to [lib] in Cargo.toml",
            ),
            false => Problem::new(
                format!("{MANIFEST}: no plugin is made of {}", names.join(" or ")),
                format!(
                    "write `component = \"target/wasm32-wasip2/release/{}\"`",
                    names.concat()
                ),
            ),
        })
    }
}

/// The language of a project, by what is in its folder.
fn language(folder: &Path) -> Option<Language> {
    let files = [
        ("Cargo.toml", Language::Rust),
        ("package.json", Language::Js),
        ("requirements.txt", Language::Python),
        ("pyproject.toml", Language::Python),
        ("go.mod", Language::Go),
        ("Makefile", Language::C),
    ];
    let mut files = files.iter();
    files
        .find(|(file, _)| folder.join(file).exists())
        .map(|(_, language)| *language)
}

/// How a project is built of which the manifest does not say it.
fn recipe(language: Option<Language>, folder: &Path) -> Result<Recipe, Problem> {
    match language {
        Some(Language::Rust) => Ok(Recipe::Cargo),
        Some(Language::C) => Ok(Recipe::Command("make".into())),
        _ => {
            let message = format!("{}: nothing says how to build it", folder.display());
            let hint = format!("add `build` to [dev] in {MANIFEST}, or a Cargo.toml");
            Err(Problem::new(message, hint))
        }
    }
}

/// What is watched if the manifest does not say it.
fn watched(language: Option<Language>, folder: &Path) -> PathBuf {
    let sources = folder.join(WATCH_DEFAULT);
    match language {
        Some(Language::Rust) => folder.to_owned(),
        // People who write one file have no folder for it.
        Some(_) if !sources.exists() => folder.to_owned(),
        _ => sources,
    }
}

/// Copies a file, unless it is the same; nobody sees half of it.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if to
        .canonicalize()
        .is_ok_and(|to| from.canonicalize().is_ok_and(|from| from == to))
    {
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    let partial = to.with_extension("partial");
    fs::copy(from, &partial)?;
    fs::rename(&partial, to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dev::fixture::Folder;

    #[test]
    fn a_project_says_how_it_is_built() {
        let folder = Folder::project("");
        let problem = Project::read(folder.path()).unwrap_err();
        assert!(
            problem.to_string().contains("nothing says how"),
            "{problem}"
        );
        folder.write("Cargo.toml", "");
        let project = folder.read();
        assert_eq!(project.recipe, Recipe::Cargo);
        assert_eq!(project.watch, [folder.path()]);

        // Of other languages the file has to be there that names the packages.
        let folder = Folder::project("[dev]\nbuild = 'x'");
        folder.write("package.json", "{}");
        let project = folder.read();
        assert_eq!(project.language, Some(Language::Js));
        assert_eq!(project.watch, [folder.path().join("src")]);
        std::fs::remove_dir(folder.path().join("src")).unwrap();
        assert_eq!(folder.read().watch, [folder.path()]);

        let folder = Folder::project("[dev]\nbuild = 'make'");
        let project = folder.read();
        assert_eq!(project.language, None);
        assert_eq!(project.recipe, Recipe::Command("make".into()));
        assert_eq!(project.watch, [folder.path().join("src")]);
        std::fs::remove_dir(folder.path().join("src")).unwrap();
        let problem = Project::read(folder.path()).unwrap_err();
        assert!(
            problem.to_string().contains("src: it is to be watched"),
            "{problem}"
        );
        let problem = Project::read(&folder.path().join("absent")).unwrap_err();
        assert!(
            problem.to_string().contains("no project is there"),
            "{problem}"
        );
    }

    #[test]
    fn components_are_put_where_the_manifest_says() {
        let folder = Folder::project("");
        folder.write("Cargo.toml", "");
        let project = folder.read();
        let outcome = |names: &[&str]| Outcome {
            is_good: true,
            components: names.iter().map(|name| folder.write(name, name)).collect(),
            ..Outcome::default()
        };
        project
            .install(&outcome(&["built/b.wasm", "built/a.wasm"]))
            .unwrap();
        let installed = std::fs::read_to_string(folder.path().join("out/a.wasm")).unwrap();
        assert_eq!(installed, "built/a.wasm");
        // Where it is to be already.
        project.install(&outcome(&["out/a.wasm"])).unwrap();

        let problem = project.install(&outcome(&["built/b.wasm"])).unwrap_err();
        assert!(
            problem.to_string().contains("no plugin is made of b.wasm"),
            "{problem}"
        );
        let problem = project.install(&outcome(&[])).unwrap_err();
        assert!(problem.to_string().contains("cdylib"), "{problem}");
    }
}
