//! `holdfast compile`: a component into the cache, for people; and the compiler's
//! process, for the host. It is the host's own program, so that both are of one
//! version; see `Compiler` in the runtime.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context;
use holdfast_core::limits::LoadLimits;
use holdfast_runtime::{Compiler, Loader, compile_stdin};
use rustix::process::{
    Pid, Resource, Rlimit, Signal, getppid, getrlimit, nice, set_parent_process_death_signal,
    setrlimit,
};

use crate::cli::{Compile, Storage};
use crate::problem::Problem;
use crate::{images, inspect, system};

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

/// Does what is asked for.
pub(crate) fn compile(arguments: &Compile, storage: &Storage) -> Result<ExitCode, Problem> {
    match (&arguments.component, arguments.parent) {
        (Some(component), _) => ahead(component, storage).map(|()| ExitCode::SUCCESS),
        (None, Some(parent)) => Ok(for_host(parent, arguments.memory_bytes_max)?),
        // The command line does not let that through.
        (None, None) => Ok(ExitCode::FAILURE),
    }
}

/// Compiles a component as a host would, so that the host need not.
fn ahead(path: &Path, storage: &Storage) -> Result<(), Problem> {
    let cache = system::cache(storage)?;
    let cache = cache.ok_or_else(|| {
        Problem::new(
            "there is no cache to compile into",
            "leave out --no-cache, and give a folder to --cache if this user has none",
        )
    })?;
    let compiler = Compiler::Child(program()?);
    let limits = LoadLimits::default();
    let loader = Loader::new(inspect::engines()?, Some(cache), compiler, limits)?;
    let bytes = images::read(path, &loader, storage)?;
    let begin = Instant::now();
    let loaded = loader.load(&bytes);
    let loaded = loaded.map_err(|error| Problem::component(path, &error))?;
    let what = match loader.metrics().cache_hits.get() {
        0 => format!("compiled in {:.1} s", begin.elapsed().as_secs_f32()),
        _ => "compiled before".to_owned(),
    };
    println!("{}  {}  {what}", path.display(), loaded.digest());
    Ok(())
}

/// Compiles what is on standard input, within limits which this process gives
/// itself before it looks at it.
fn for_host(parent: u32, memory_bytes_max: u64) -> anyhow::Result<ExitCode> {
    confine(parent, memory_bytes_max).context("the compiler can't limit itself")?;
    Ok(compile_stdin())
}

fn confine(parent: u32, memory_bytes_max: u64) -> anyhow::Result<()> {
    let parent = i32::try_from(parent).ok().and_then(Pid::from_raw);
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // The host may have ended before that.
    anyhow::ensure!(getppid() == parent, "its host has ended");
    // Memory that can be written to, whether it is used or not (getrlimit(2)).
    limit(Resource::Data, memory_bytes_max)?;
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
