//! Programs in every language: those of `tests/conformance/LANG`, and those of
//! `examples/LANG`, one component each at `target/guests/LANG-NAME.wasm`.
//!
//! A language is one row of [`LANGUAGES`], which a module of its own fills. What
//! a builder has made is kept until one of its inputs changes, since builders of
//! large guests take their time.

mod c;
mod digest;
mod go;
mod js;
mod measure;
mod python;
pub(crate) mod report;
mod rust;

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::place;

/// Every language that can be built, in the order of tables.
pub(crate) const LANGUAGES: &[Language] = &[
    rust::LANGUAGE,
    js::LANGUAGE,
    python::LANGUAGE,
    c::LANGUAGE,
    go::LANGUAGE,
];

/// Languages that are built at the same time.
const BUILDS_AT_ONCE: usize = 2;

/// How a language is built.
pub(crate) struct Language {
    /// Its word: the name of its folders below `sdk`, `examples` and
    /// `tests/conformance`.
    pub(crate) name: &'static str,
    /// Installs its tools below `target/tools/NAME`, unless they are there. It is
    /// called only when there is something to build or to test.
    pub(crate) install: fn() -> Result<()>,
    /// Its ways to build a project; most have one.
    pub(crate) builders: &'static [Builder],
    /// Runs the unit tests of the SDK and the checks of its sources, which need no
    /// host. None where another step of `cargo xtask test` does it.
    pub(crate) test: Option<fn() -> Result<()>>,
    /// Commands that print the versions of tools which `install` takes from the
    /// system. Versions which it chooses itself are in its source, which counts
    /// as an input.
    pub(crate) versions: &'static [&'static [&'static str]],
    /// Files and folders, besides the project, `sdk/NAME` and `wit`, on which the
    /// components depend. Paths from the top folder.
    pub(crate) inputs: &'static [&'static str],
    /// Whether a machine where `install` fails goes without the language.
    pub(crate) is_optional: bool,
}

/// One way to build a project.
pub(crate) struct Builder {
    /// What its components are named for: the language's name, except for the
    /// second builder of a language.
    pub(crate) name: &'static str,
    /// Builds a project's folder into a component.
    pub(crate) build: fn(project: &Path, output: &Path) -> Result<()>,
}

/// A component to be built.
struct Job<'a> {
    language: &'a Language,
    builder: &'a Builder,
    project: PathBuf,
    /// `LANG-NAME`.
    name: String,
}

/// The names of all components, `LANG-NAME`.
pub(crate) fn names() -> Result<Vec<String>> {
    Ok(jobs()?.into_iter().map(|job| job.name).collect())
}

/// Builds the components which `is_wanted` names, of which only those have a
/// builder run whose inputs have changed.
pub(crate) fn build(is_wanted: impl Fn(&str, &str) -> bool) -> Result<()> {
    let mut jobs = jobs()?;
    jobs.retain(|job| is_wanted(job.language.name, &job.name));
    let mut queue = Vec::new();
    for language in LANGUAGES {
        let of_language = jobs.iter().filter(|job| job.language.name == language.name);
        let mut stale = Vec::new();
        for job in of_language {
            let digest = digest::of(language, &job.project)?;
            if !job.is_fresh(&digest)? {
                stale.push((job, digest));
            }
        }
        if !stale.is_empty() {
            queue.push((language, stale));
        }
    }
    queue.reverse();
    let (queue, failures) = (Mutex::new(queue), Mutex::new(Vec::new()));
    let worker = || {
        let next = || queue.lock().ok()?.pop();
        while let Some((language, stale)) = next() {
            if let Err(error) = build_language(language, &stale)
                && let Ok(mut failures) = failures.lock()
            {
                eprintln!("{}: {error:#}", language.name);
                failures.push(language.name);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..BUILDS_AT_ONCE {
            scope.spawn(worker);
        }
    });
    let failures = failures.into_inner().unwrap_or_default();
    if !failures.is_empty() {
        bail!(
            "programs in {} do not build\n  hint: see above",
            failures.join(", ")
        );
    }
    Ok(())
}

/// Runs the unit tests of every SDK, one language after the other.
pub(crate) fn test() -> Result<()> {
    for language in LANGUAGES {
        if let Some(test) = language.test {
            if !install(language)? {
                continue;
            }
            eprintln!("The tests of sdk/{}:", language.name);
            test().with_context(|| format!("a test of sdk/{} has failed", language.name))?;
        }
    }
    Ok(())
}

fn build_language(language: &Language, stale: &[(&Job<'_>, String)]) -> Result<()> {
    if !install(language)? {
        return Ok(());
    }
    for (job, digest) in stale {
        let start = Instant::now();
        job.build(digest)
            .with_context(|| format!("`{}` does not build", job.name))?;
        let bytes = std::fs::metadata(job.output()?)?.len();
        let seconds = start.elapsed().as_secs_f32();
        let size = bytes.div_ceil(1024);
        eprintln!("{}: {size} KiB, built in {seconds:.1} s", job.name);
    }
    Ok(())
}

/// Installs a language's tools. Says whether they are there: a language which is
/// optional is left out where they can't be had.
fn install(language: &Language) -> Result<bool> {
    match (language.install)() {
        Ok(()) => Ok(true),
        Err(error) if language.is_optional => {
            eprintln!("There is no {}: {error:#}. It is left out.", language.name);
            Ok(false)
        }
        Err(error) => Err(error).context("its tools can't be installed"),
    }
}

/// Every project of every language, by every builder.
fn jobs() -> Result<Vec<Job<'static>>> {
    let mut jobs = Vec::new();
    for language in LANGUAGES {
        for (name, project) in projects(language.name)? {
            for builder in language.builders {
                jobs.push(Job {
                    language,
                    builder,
                    project: project.clone(),
                    name: format!("{}-{name}", builder.name),
                });
            }
        }
    }
    Ok(jobs)
}

/// Names and folders of a language's projects: the program of the conformance
/// suite, and the examples in the order of their names.
fn projects(language: &str) -> Result<Vec<(String, PathBuf)>> {
    let root = place::root()?;
    let mut projects = Vec::new();
    let conformance = root.join("tests/conformance").join(language);
    if is_project(&conformance) {
        projects.push(("conformance".to_owned(), conformance));
    }
    let examples = root.join("examples").join(language);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(examples).into_iter().flatten() {
        let entry = entry?;
        if is_project(&entry.path()) {
            found.push((
                entry.file_name().to_string_lossy().into_owned(),
                entry.path(),
            ));
        }
    }
    found.sort();
    projects.append(&mut found);
    Ok(projects)
}

fn is_project(folder: &Path) -> bool {
    ["holdfast.toml", "Cargo.toml"]
        .iter()
        .any(|file| folder.join(file).exists())
}

impl Job<'_> {
    fn output(&self) -> Result<PathBuf> {
        Ok(place::guests()?.join(format!("{}.wasm", self.name)))
    }

    /// Where the digest of the inputs is kept of which the component was made.
    fn kept(&self) -> Result<PathBuf> {
        let folder = place::target()?.join("languages");
        Ok(folder.join(format!("{}.digest", self.name)))
    }

    fn is_fresh(&self, digest: &str) -> Result<bool> {
        let kept = std::fs::read_to_string(self.kept()?).unwrap_or_default();
        Ok(kept == digest && self.output()?.exists())
    }

    fn build(&self, digest: &str) -> Result<()> {
        let (output, kept) = (self.output()?, self.kept()?);
        for file in [&output, &kept] {
            let folder = file.parent().context("a file lies in no folder")?;
            std::fs::create_dir_all(folder)
                .with_context(|| format!("can't make {}", folder.display()))?;
        }
        // Renamed into place, so that nobody sees half a file.
        let partial = output.with_extension("partial.wasm");
        (self.builder.build)(&self.project, &partial)?;
        std::fs::rename(&partial, &output)
            .with_context(|| format!("the builder has not made {}", partial.display()))?;
        std::fs::write(&kept, digest).with_context(|| format!("can't write {}", kept.display()))
    }
}
