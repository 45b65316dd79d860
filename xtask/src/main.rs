//! What people run in this repository: `cargo xtask VERB`.
//!
//! It does all set-up by itself, so that a fresh machine needs nothing but a
//! Rust toolchain. It builds and starts things; what is built lives elsewhere.

mod apt;
mod bench;
mod clients;
mod command;
mod demo;
mod edges;
mod fuzz;
mod guests;
mod languages;
mod packages;
mod pip;
mod place;
mod programs;
mod registry;
mod schemathesis;
mod test;
mod toolchain;
mod tools;

use std::process::ExitCode;

use anyhow::{Result, bail};

use programs::Profile;

const HELP: &str = "\
What people run in this repository.

Usage: cargo xtask VERB

Verbs:
  demo       Build the host and the chat plugin, serve the chat, print its URL
  test       Run everything that CI checks
  bench      Compare with baselines, and with other servers
  fuzz       Run one fuzz target for a long time
  openapi    Write docs/openapi.json anew
  guests     Build every guest component to target/guests/NAME.wasm
  languages  Measure what plugins cost in each language; write docs/languages.md

`cargo xtask VERB --help` says more about one.
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[&str]) -> Result<()> {
    match arguments {
        [] | ["help" | "--help" | "-h", ..] => print_help(HELP),
        ["demo", rest @ ..] if wants_help(rest) => print_help(demo::HELP),
        ["demo"] => demo::run(),
        [demo::ANNOUNCE, port] => demo::announce(port),
        ["guests", rest @ ..] if wants_help(rest) => print_help(guests::HELP),
        ["guests", names @ ..] => guests::run(names),
        ["languages", rest @ ..] if wants_help(rest) => print_help(languages::report::HELP),
        ["languages", options @ ..] => languages::report::run(options),
        ["bench", rest @ ..] if wants_help(rest) => print_help(bench::HELP),
        ["bench", options @ ..] => bench::run(options),
        ["fuzz"] => print_help(fuzz::HELP),
        ["fuzz", rest @ ..] if wants_help(rest) => print_help(fuzz::HELP),
        ["fuzz", target, options @ ..] => fuzz::run(target, options),
        ["openapi"] => test::write_openapi(),
        ["test", rest @ ..] if wants_help(rest) => print_help(test::HELP),
        ["test"] => test::everything(),
        ["test", "--release", filter] => test::named(filter, Profile::Release),
        ["test", filter] => test::named(filter, Profile::Debug),
        [verb, ..] => bail!("`{verb}` is not understood like this; see `cargo xtask --help`"),
    }
}

fn wants_help(arguments: &[&str]) -> bool {
    arguments
        .iter()
        .any(|word| matches!(*word, "--help" | "-h"))
}

fn print_help(text: &str) -> Result<()> {
    print!("{text}");
    Ok(())
}
