//! What `cargo xtask bench` runs beside the contenders: the load generator, the
//! baselines without WebAssembly, and measurements inside the edge and inside the
//! runtime. It only measures and prints; what to compare, and how often, is xtask's business.

mod client;
mod histogram;
mod load;
mod memory;
mod micro;
mod options;
mod pin;
mod process;
mod serve;
mod swarm;

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::options::Options;

/// The allocator of the host, so that the baselines differ in nothing else.
#[global_allocator]
static ALLOCATOR: holdfast_memory::Allocator = holdfast_memory::Allocator;

const USAGE: &str = "\
Usage: holdfast-bench pin CORE|any PROGRAM [ARGUMENT]...
       holdfast-bench serve http|websocket|upstream [KEY=VALUE]...
       holdfast-bench load http|echo|fan|idle|nothing|open|paced|plugins|shares [KEY=VALUE]...
       holdfast-bench memory [KEY=VALUE]...
       holdfast-bench micro [KEY=VALUE]...";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[&str]) -> Result<()> {
    match words {
        ["pin", core, program, arguments @ ..] => pin::run(core, program, arguments),
        ["serve", kind, rest @ ..] => serve::run(kind, &Options::parse(rest)?),
        ["load", kind, rest @ ..] => load::run(kind, &Options::parse(rest)?),
        ["memory", rest @ ..] => memory::run(&Options::parse(rest)?),
        ["micro", rest @ ..] => micro::run(&Options::parse(rest)?),
        _ => bail!("{USAGE}"),
    }
}
