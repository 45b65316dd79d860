//! `holdfast`, the composition root: reads the command line and the manifest,
//! joins the edge and the runtime, and ends them in order.

mod cli;
mod event_loops;
mod inspect;
mod log;
mod new;
mod problem;
mod run;
mod serve;
mod signals;
mod system;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Verb};
use crate::problem::Problem;

/// Small objects come and go with every event; this allocator is the quickest
/// that was measured, and returns memory to the system.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    log::init(cli.color, cli.log.as_deref());
    match execute(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn execute(cli: &Cli) -> Result<(), Problem> {
    match &cli.verb {
        Verb::New(arguments) => new::new(arguments),
        Verb::Run(arguments) => serve::serve(&run::manifest(arguments)?, &cli.storage),
        Verb::Serve { manifest } => serve::serve(&serve::read(manifest)?, &cli.storage),
        Verb::Inspect { component } => inspect::inspect(component, &cli.storage),
    }
}
