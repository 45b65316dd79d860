//! Becomes another program, on one core and with all the open files this user
//! may have.

use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::{Context, Result};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_setaffinity};

/// Runs `program` in place of this process. `core` is a number, or `any`.
pub(crate) fn run(core: &str, program: &str, arguments: &[&str]) -> Result<()> {
    if core != "any" {
        let mut cores = CpuSet::new();
        cores.set(core.parse().context("the core is no number")?);
        sched_setaffinity(None, &cores).with_context(|| format!("can't run on core {core}"))?;
    }
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised).context("can't raise the limit of open files")?;
    let error = Command::new(program).args(arguments).exec();
    Err(error).with_context(|| format!("can't start {program}"))
}
