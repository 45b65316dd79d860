//! `holdfast compile`: the compiler's process. It is the host's own program, so
//! that both are of one version; see `Compiler` in the runtime.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use holdfast_runtime::compile_stdin;
use rustix::process::{
    Pid, Resource, Rlimit, Signal, getppid, getrlimit, nice, set_parent_process_death_signal,
    setrlimit,
};

use crate::cli::Compile;

/// How much lower than the host's the priority is.
const NICE: i32 = 10;

/// The running program, also when its file has been replaced: the link leads to
/// the file that was started.
const SELF: &str = "/proc/self/exe";

/// What the host starts as its compiler.
pub(crate) fn program() -> anyhow::Result<PathBuf> {
    if Path::new(SELF).exists() {
        return Ok(SELF.into());
    }
    std::env::current_exe().context("the path of this program is not known")
}

/// Compiles what is on standard input, within limits which this process gives
/// itself before it looks at it.
pub(crate) fn compile(arguments: &Compile) -> anyhow::Result<ExitCode> {
    confine(arguments).context("the compiler can't limit itself")?;
    Ok(compile_stdin())
}

fn confine(arguments: &Compile) -> anyhow::Result<()> {
    let parent = i32::try_from(arguments.parent).ok().and_then(Pid::from_raw);
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // The host may have ended before that.
    anyhow::ensure!(getppid() == parent, "its host has ended");
    // Memory that can be written to, whether it is used or not (getrlimit(2)).
    limit(Resource::Data, arguments.memory_bytes_max)?;
    // A crash is no reason to fill a disk.
    limit(Resource::Core, 0)?;
    nice(NICE)?;
    // If the machine runs out of memory nevertheless, this goes before the host.
    // Not to be able to say so is no reason not to compile.
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
    Ok(())
}

/// Sets a limit, unless this user has a lower one.
fn limit(resource: Resource, most: u64) -> rustix::io::Result<()> {
    let allowed = getrlimit(resource).maximum.unwrap_or(most);
    let most = Some(most.min(allowed));
    setrlimit(
        resource,
        Rlimit {
            current: most,
            maximum: most,
        },
    )
}
