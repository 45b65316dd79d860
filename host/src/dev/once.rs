//! `holdfast build`: builds a project once, and says what has come of it.

use std::path::Path;
use std::time::Instant;

use super::build::Build;
use super::prepare::Preparation;
use super::project::Project;
use super::terminal::{Terminal, shown};
use super::{cargo, runtime, tools};
use crate::cli;
use crate::problem::Problem;

/// Builds the project in a folder.
///
/// # Errors
/// When a tool is missing, or it does not build; the builder has said why.
pub(crate) fn build(folder: &Path, color: cli::Color) -> Result<(), Problem> {
    let terminal = Terminal::new(color);
    let project = Project::read(folder)?;
    project.check_tools()?;
    let begin = Instant::now();
    runtime()?.block_on(all(&project, terminal))?;
    let time = shown(begin.elapsed());
    for component in &project.components {
        let size = std::fs::metadata(component).map_err(|error| {
            let message = format!("{}: it was not built: {error}", component.display());
            Problem::new(message, "check `component` in the manifest")
        })?;
        let here = std::env::current_dir().unwrap_or_default();
        let shown = component.strip_prefix(&here).unwrap_or(component);
        let kib = size.len().div_ceil(1024);
        println!("{} ({kib} KiB, {time})", shown.display());
    }
    Ok(())
}

async fn all(project: &Project, terminal: Terminal) -> Result<(), Problem> {
    let not_built = |output: &str| {
        cargo::problem(output).unwrap_or_else(|| {
            let message = format!("{} can't be built", project.folder.display());
            Problem::new(message, "see above what is wrong")
        })
    };
    let lost = |error: std::io::Error| {
        Problem::new(
            format!("the builder can't be run: {error}"),
            "there has to be a shell in PATH",
        )
    };
    if let Some(preparation) = project.preparation() {
        terminal.say(preparation.what);
        let mut build = Build::prepare(project, &preparation).map_err(lost)?;
        let outcome = build.finish(terminal, true).await.map_err(lost)?;
        if !outcome.is_good {
            return Err(not_built(&outcome.output));
        }
        done(&preparation)?;
    }
    let mut build = Build::start(project).map_err(lost)?;
    let outcome = build.finish(terminal, true).await.map_err(lost)?;
    if !outcome.is_good {
        return Err(not_built(&outcome.output));
    }
    project.install(&outcome)
}

fn done(preparation: &Preparation) -> Result<(), Problem> {
    preparation.done().map_err(|error| {
        Problem::new(
            format!("the packages were not installed: {error}"),
            "see above what was done instead",
        )
    })
}

impl Project {
    /// Checks that there is what the project is built with.
    pub(super) fn check_tools(&self) -> Result<(), Problem> {
        match self.language {
            Some(language) => tools::check(language, &super::prepare::path(&self.folder)),
            None => Ok(()),
        }
    }

    /// What has to be done before it can be built.
    pub(super) fn preparation(&self) -> Option<Preparation> {
        Preparation::of(self.language?, &self.folder)
    }
}
