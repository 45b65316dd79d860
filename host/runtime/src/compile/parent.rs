//! The compiler's process, as seen from the host: started, fed, bounded, heard.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use holdfast_core::limits::LoadLimits;
use rustix::param::clock_ticks_per_second;

use super::{EXIT_INVALID, EXIT_MEMORY};
use crate::engine::Form;
use crate::load::LoadError;

/// What the compiler may say, in bytes; the rest is not read.
const ANSWER_BYTES_MAX: u64 = 16 << 10;

/// Memory which one thread of the compiler can make use of, in bytes; its stack
/// alone has 2 MiB.
const THREAD_BYTES: u64 = 32 << 20;

/// After how long whoever waits is told what for.
pub(super) const QUIET: Duration = Duration::from_secs(1);

/// On a machine that is busy with other things, the compiler gets little of a
/// processor, since its priority is low. It may take so many times as long as it
/// is allowed, while it has had no more than that part of it for itself.
const PATIENCE: u32 = 4;

/// What Rust prints before it aborts, when it gets no memory.
const NO_MEMORY: &str = "memory allocation of";

/// Compiles a component in a process of its own, which writes machine code to
/// `output`. Blocks until that process has ended.
pub(super) fn compile(
    program: &Path,
    limits: &LoadLimits,
    bytes: &[u8],
    output: File,
) -> Result<Form, LoadError> {
    let mut command = command(program, limits);
    run(command.stdout(output), limits, bytes)
}

fn run(command: &mut Command, limits: &LoadLimits, bytes: &[u8]) -> Result<Form, LoadError> {
    let failed = |error: io::Error| LoadError::Compiler(error.to_string());
    command.stdin(Stdio::piped()).stderr(Stdio::piped());
    let child = command
        .spawn()
        .map_err(|error| LoadError::Compiler(format!("it can't be started: {error}")))?;
    let mut child = Process(child);
    let timeout = Duration::from_millis(limits.compile_timeout_ms);
    let answer = converse(&mut child, bytes, timeout).map_err(failed)?;
    let Some(answer) = answer else {
        return Err(LoadError::CompileTimeout(limits.compile_timeout_ms));
    };
    let status = child.0.wait().map_err(failed)?;
    judge(status, answer.trim(), limits)
}

/// The compiler gets the component and its limits, and nothing else of the host:
/// no environment, no folder, and no open file, since all are closed on exec.
fn command(program: &Path, limits: &LoadLimits) -> Command {
    let mut command = Command::new(program);
    command
        .arg0("holdfast")
        .arg("compile")
        .arg("--memory-bytes-max")
        .arg(limits.compile_memory_bytes_max.to_string())
        .arg("--parent")
        .arg(std::process::id().to_string())
        .env_clear()
        // The allocator reserves memory by the gigabyte. It would count as used,
        // unless it is only made accessible when it is.
        .env("MIMALLOC_ARENA_EAGER_COMMIT", "0")
        .env("RAYON_NUM_THREADS", threads(limits).to_string())
        .current_dir("/")
        // Ctrl-C is for the host, which ends it.
        .process_group(0);
    command
}

/// Threads of the compiler: one for each core, if there is memory for each.
fn threads(limits: &LoadLimits) -> usize {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let affordable = limits.compile_memory_bytes_max / THREAD_BYTES;
    cores
        .min(usize::try_from(affordable).unwrap_or(usize::MAX))
        .max(1)
}

/// Hands it the component and returns what it says until its end; none if it
/// takes too long, and then it has been ended.
fn converse(child: &mut Process, bytes: &[u8], timeout: Duration) -> io::Result<Option<String>> {
    let (Some(mut stdin), Some(stderr)) = (child.0.stdin.take(), child.0.stderr.take()) else {
        return Err(io::Error::other("it has no pipes"));
    };
    let (sender, receiver) = channel();
    // Both threads end when the process does, at the latest when it is killed.
    thread::scope(|scope| {
        thread::Builder::new()
            .name("compile-in".into())
            .spawn_scoped(scope, move || {
                // One that ends early says why.
                let _ = stdin.write_all(bytes);
            })?;
        thread::Builder::new()
            .name("compile-out".into())
            .spawn_scoped(scope, move || sender.send(hear(stderr)))?;
        let quiet = QUIET.min(timeout);
        let mut answer = receiver.recv_timeout(quiet);
        if matches!(answer, Err(RecvTimeoutError::Timeout)) && quiet < timeout {
            let kib = bytes.len().div_ceil(1024);
            tracing::info!(kib, "a component is being compiled");
            answer = receiver.recv_timeout(timeout - quiet);
        }
        for _ in 1..PATIENCE {
            let is_late = matches!(answer, Err(RecvTimeoutError::Timeout));
            if !is_late || child.processor_time() >= timeout / PATIENCE {
                break;
            }
            answer = receiver.recv_timeout(timeout);
        }
        if matches!(answer, Err(RecvTimeoutError::Timeout)) {
            child.end();
        }
        answer.ok().transpose()
    })
}

fn hear(stderr: ChildStderr) -> io::Result<String> {
    let mut answer = Vec::new();
    stderr.take(ANSWER_BYTES_MAX).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

fn judge(status: ExitStatus, answer: &str, limits: &LoadLimits) -> Result<Form, LoadError> {
    if status.success() {
        let last = answer.lines().last().unwrap_or_default();
        return Form::named(last)
            .ok_or_else(|| LoadError::Compiler(format!("its answer is \"{answer}\"")));
    }
    let is = |code: u8| status.code() == Some(i32::from(code));
    let aborted = status.signal().is_some() && answer.contains(NO_MEMORY);
    Err(if is(EXIT_INVALID) {
        LoadError::Invalid(answer.to_owned())
    } else if is(EXIT_MEMORY) || aborted {
        LoadError::CompileMemory(limits.compile_memory_bytes_max)
    } else {
        LoadError::Compiler(match answer {
            "" => status.to_string(),
            answer => format!("{status}: {answer}"),
        })
    })
}

/// A process that never outlives its owner.
struct Process(Child);

impl Process {
    /// For how long its threads have had a processor (proc_pid_stat(5)); none if
    /// the system does not say.
    fn processor_time(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id()));
        let ticks = stat.ok().and_then(|stat| ticks(&stat)).unwrap_or(u64::MAX);
        Duration::from_millis(ticks.saturating_mul(1000) / clock_ticks_per_second().max(1))
    }

    fn end(&mut self) {
        // One that has ended already is no trouble.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Ticks of a clock in user and in kernel mode. The name before them is in
/// parentheses, and may have any in it.
fn ticks(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ').skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is made of a compiler that does this.
    fn outcome(script: &str, timeout_ms: u64) -> Result<Form, LoadError> {
        let limits = LoadLimits {
            compile_timeout_ms: timeout_ms,
            ..LoadLimits::default()
        };
        let component = vec![b'x'; 1 << 20];
        run(
            Command::new("sh").arg("-c").arg(script),
            &limits,
            &component,
        )
    }

    const PATIENCE_MS: u64 = 60_000;

    #[test]
    fn it_says_which_engine() {
        let form = outcome("cat >/dev/null; echo plain >&2", PATIENCE_MS);
        assert_eq!(form.unwrap(), Form::Plain);
        let form = outcome("echo a warning >&2; echo waiting >&2", PATIENCE_MS);
        assert_eq!(form.unwrap(), Form::Waiting);
        let error = outcome("echo neither >&2", PATIENCE_MS).unwrap_err();
        assert!(error.to_string().contains("neither"), "{error}");
    }

    #[test]
    fn one_that_does_not_end_is_ended() {
        // It has one component in its pipe, and does not read the rest either.
        let error = outcome("exec sleep 1000", 50).unwrap_err();
        assert!(matches!(error, LoadError::CompileTimeout(50)), "{error}");
    }

    #[test]
    fn one_that_had_no_processor_gets_more_time() {
        let form = outcome("cat >/dev/null; sleep 3; echo plain >&2", 2_000);
        assert_eq!(form.unwrap(), Form::Plain);
        let busy = "while :; do :; done";
        let error = outcome(busy, 400).unwrap_err();
        assert!(matches!(error, LoadError::CompileTimeout(400)), "{error}");
        let name = "1 (a) (b c) S 1 1 1 0 -1 4 1 0 0 0 7 5 0 0 30 10 1";
        assert_eq!(ticks(name), Some(12));
        assert_eq!(ticks("1 (a"), None);
    }

    #[test]
    fn each_way_to_fail_is_told_apart() {
        let error = outcome("echo 'no component' >&2; exit 10", PATIENCE_MS).unwrap_err();
        assert!(matches!(&error, LoadError::Invalid(text) if text == "no component"));
        let error = outcome("exit 11", PATIENCE_MS).unwrap_err();
        assert!(matches!(error, LoadError::CompileMemory(_)), "{error}");
        let aborts = "echo memory allocation of 9 bytes failed >&2; kill -ABRT $$";
        let error = outcome(aborts, PATIENCE_MS).unwrap_err();
        assert!(matches!(error, LoadError::CompileMemory(_)), "{error}");
        let error = outcome("kill -SEGV $$", PATIENCE_MS).unwrap_err();
        assert!(matches!(&error, LoadError::Compiler(text) if text.contains("11")));
        let limits = LoadLimits::default();
        let error = run(&mut Command::new("/nowhere"), &limits, &[]).unwrap_err();
        assert!(error.to_string().contains("can't be started"), "{error}");
    }
}
