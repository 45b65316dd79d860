//! `holdfast`, the composition root: reads the command line and the manifest,
//! joins the edge and the runtime, and ends them in order.

mod admin;
mod cli;
mod compile;
mod component;
mod depot;
mod dev;
mod entrances;
mod event_loops;
mod fleet;
#[cfg(test)]
mod fuzzing;
mod images;
mod inspect;
mod language;
mod log;
mod memory;
mod new;
mod operate;
mod problem;
mod run;
mod serve;
mod signals;
mod system;
mod watch;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Verb};
use crate::fleet::Source;
use crate::log::Tails;
use crate::problem::Problem;
use crate::serve::Plan;

/// Small objects come and go with every event; this allocator is the quickest
/// that was measured, and returns memory to the system.
#[global_allocator]
static ALLOCATOR: holdfast_memory::Allocator = holdfast_memory::Allocator;

fn main() -> ExitCode {
    memory::use_small_pages();
    let cli = Cli::parse();
    if matches!(cli.verb, Verb::Run(_) | Verb::Serve { .. } | Verb::Dev(_)) {
        system::make_room_for_files();
    }
    let default = match &cli.verb {
        // It tells by itself what a person wants to know.
        Verb::Dev(_) => dev::LOG_FILTER,
        _ => log::DEFAULT_FILTER,
    };
    let style = log::Style {
        color: cli.color,
        format: cli.log_format,
        filter: cli.log.as_deref(),
    };
    let executed = match log::init(style, default) {
        Ok((flush, tails)) => {
            let executed = execute(&cli, &tails);
            // Before anything else is written.
            drop(flush);
            executed
        }
        Err(error) => Err(Problem::from(anyhow::Error::from(error))),
    };
    match executed {
        Ok(code) => code,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn execute(cli: &Cli, tails: &Tails) -> Result<ExitCode, Problem> {
    match &cli.verb {
        Verb::New(arguments) => new::new(arguments)?,
        Verb::Dev(arguments) => dev::dev(arguments, cli, tails)?,
        Verb::Build { folder } => dev::build(folder, cli.color)?,
        Verb::Run(arguments) => {
            let manifest = run::manifest(arguments)?;
            fleet::check(&manifest.plugins)?;
            serve::serve(Plan {
                manifest,
                source: Source::default(),
                origin: &arguments.component,
                storage: &cli.storage,
                operation: &arguments.operation,
                tails,
                dev: None,
            })?;
        }
        Verb::Serve {
            manifest,
            operation,
        } => {
            let (source, checked) = Source::read(manifest)?;
            serve::serve(Plan {
                manifest: checked,
                source,
                origin: manifest,
                storage: &cli.storage,
                operation,
                tails,
                dev: None,
            })?;
        }
        Verb::Status { access, json } => operate::status(access, &cli.storage, *json)?,
        Verb::Reload { access } => operate::reload(access, &cli.storage)?,
        Verb::Rollback { target, to } => operate::rollback(target, to.as_deref(), &cli.storage)?,
        Verb::Promote { target } => operate::promote(target, &cli.storage)?,
        Verb::Tenants { access, json } => operate::tenants(access, &cli.storage, *json)?,
        Verb::Logs(arguments) => operate::logs(arguments, &cli.storage)?,
        Verb::Deploy(arguments) => operate::deploy(arguments, &cli.storage)?,
        Verb::Inspect { component } => inspect::inspect(component, &cli.storage)?,
        Verb::Component(arguments) => component::component(arguments)?,
        Verb::Compile(arguments) => return compile::compile(arguments, &cli.storage),
    }
    Ok(ExitCode::SUCCESS)
}
