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

use super::EXIT_INVALID;
use crate::engine::Form;
use crate::load::LoadError;

/// What the compiler may say, in bytes; the rest is not read.
const ANSWER_BYTES_MAX: u64 = 16 << 10;

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
    let failed = |error: io::Error| LoadError::Compiler(error.to_string());
    let mut child = Process(
        command(program, limits)
            .stdout(output)
            .spawn()
            .map_err(|error| LoadError::Compiler(format!("it can't be started: {error}")))?,
    );
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
        .current_dir("/")
        .stdin(Stdio::piped())
        .stderr(Stdio::piped());
    command
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
        let answer = receiver.recv_timeout(timeout);
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
    if status.code() == Some(i32::from(EXIT_INVALID)) {
        return Err(LoadError::Invalid(answer.to_owned()));
    }
    if status.signal().is_some() && answer.contains(NO_MEMORY) {
        return Err(LoadError::CompileMemory(limits.compile_memory_bytes_max));
    }
    let text = match answer {
        "" => status.to_string(),
        answer => format!("{status}: {answer}"),
    };
    Err(LoadError::Compiler(text))
}

/// A process that never outlives its owner.
struct Process(Child);

impl Process {
    fn end(&mut self) {
        // One that has ended already is no trouble.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}
