//! One run of the builder: a process group of its own, so that it ends as a
//! whole, with all the compilers it has started.

use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

use super::cargo::{self, Message};
use super::prepare::{self, Preparation};
use super::project::{Project, Recipe};
use super::terminal::{Progress, Terminal};

/// What is kept of the output, for the page. Errors come first.
const OUTPUT_BYTES_MAX: usize = 256 << 10;
/// Lines that wait to be shown; the builder waits when there are more.
const LINES_MAX: usize = 256;
/// How soon the end of the process is noticed.
const POLL: Duration = Duration::from_millis(5);
/// How long the output is read after the end of the process: something that it
/// has started may hold it open.
const REST: Duration = Duration::from_millis(200);
/// How long a builder may take to end when it is told to.
const END: Duration = Duration::from_secs(2);

/// A builder at work. Killed when dropped.
pub(super) struct Build<'a> {
    project: &'a Project,
    is_cargo: bool,
    child: Child,
    lines: mpsc::Receiver<(Stream, String)>,
    is_ended: bool,
}

/// What has come of it.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) is_good: bool,
    /// What people have to read, with colours.
    pub(super) output: String,
    /// What cargo says that it has built.
    pub(super) components: Vec<PathBuf>,
}

impl Outcome {
    /// Nothing was built.
    pub(super) fn failed(output: String) -> Self {
        Self {
            output,
            ..Self::default()
        }
    }
}

#[derive(Clone, Copy)]
enum Stream {
    Output,
    Error,
}

impl<'a> Build<'a> {
    /// Starts it.
    pub(super) fn start(project: &'a Project) -> io::Result<Self> {
        let command = match &project.recipe {
            Recipe::Cargo => cargo::command(&project.folder),
            Recipe::Command(line) => shell(line, project),
        };
        Self::run(command, project, project.recipe == Recipe::Cargo)
    }

    /// Starts to install what the builder needs.
    pub(super) fn prepare(project: &'a Project, preparation: &Preparation) -> io::Result<Self> {
        Self::run(shell(preparation.line, project), project, false)
    }

    fn run(mut command: Command, project: &'a Project, is_cargo: bool) -> io::Result<Self> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()?;
        let (sender, lines) = mpsc::channel(LINES_MAX);
        let output = child.stdout.take();
        let error = child.stderr.take();
        let build = Self {
            project,
            is_cargo,
            child,
            lines,
            is_ended: false,
        };
        forward(output, Stream::Output, sender.clone())?;
        forward(error, Stream::Error, sender)?;
        Ok(build)
    }

    /// Waits for its end, and shows meanwhile what it prints.
    pub(super) async fn finish(
        &mut self,
        terminal: Terminal,
        is_first: bool,
    ) -> io::Result<Outcome> {
        let mut outcome = Outcome::default();
        let name = self.project.name();
        let mut progress = Progress::start(terminal, &name);
        let mut is_open = true;
        let status = loop {
            tokio::select! {
                biased;
                line = self.lines.recv(), if is_open => match line {
                    Some(line) => {
                        progress.clear();
                        self.take(line, &mut outcome, terminal, is_first);
                    }
                    None => is_open = false,
                },
                () = sleep(POLL) => {
                    if let Some(status) = self.ended()? {
                        break status;
                    }
                    progress.show();
                }
            }
        };
        progress.clear();
        let deadline = Instant::now() + REST;
        while is_open && Instant::now() < deadline {
            match timeout(POLL, self.lines.recv()).await {
                Ok(Some(line)) => self.take(line, &mut outcome, terminal, is_first),
                Ok(None) => is_open = false,
                Err(_) => {}
            }
        }
        outcome.is_good = status.success();
        if !outcome.is_good && outcome.output.is_empty() {
            outcome.output = format!("the builder says nothing ({status})\n");
            terminal.show(&outcome.output);
        }
        Ok(outcome)
    }

    fn take(
        &self,
        (stream, line): (Stream, String),
        outcome: &mut Outcome,
        terminal: Terminal,
        is_first: bool,
    ) {
        let text = match stream {
            Stream::Output if self.is_cargo => match cargo::message(&line, &self.project.folder) {
                Some(Message::Diagnostic(text)) => text,
                Some(Message::Component(path)) => return outcome.components.push(path),
                None => return,
            },
            Stream::Error if self.is_cargo && cargo::is_progress(&line) => {
                if is_first {
                    terminal.show(&(line + "\n"));
                }
                return;
            }
            Stream::Output | Stream::Error => line + "\n",
        };
        terminal.show(&text);
        if outcome.output.len() + text.len() <= OUTPUT_BYTES_MAX {
            outcome.output.push_str(&text);
        }
    }

    /// Its status, once it has ended.
    fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        let status = self.child.try_wait()?;
        self.is_ended = status.is_some();
        Ok(status)
    }

    /// Ends it, and waits until it has ended.
    pub(super) async fn cancel(mut self) {
        self.signal(Signal::TERM);
        let deadline = Instant::now() + END;
        while let Ok(None) = self.ended()
            && Instant::now() < deadline
        {
            sleep(POLL).await;
        }
    }

    /// Signals the whole group. The child has not been waited for, so its
    /// number is still its own.
    fn signal(&self, signal: Signal) {
        // It may end at this moment, which is as good.
        let _ = kill_process_group(Pid::from_child(&self.child), signal);
    }
}

impl Drop for Build<'_> {
    fn drop(&mut self) {
        if !self.is_ended {
            self.signal(Signal::KILL);
            let _ = self.child.wait();
        }
    }
}

fn shell(line: &str, project: &Project) -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-c", line])
        .current_dir(&project.folder)
        .env("PATH", prepare::path(&project.folder))
        // The common ways to ask for colours without a terminal.
        .env("CLICOLOR_FORCE", "1")
        .env("FORCE_COLOR", "1");
    // Builders that need this program find it, wherever it is.
    if let Ok(own) = std::env::current_exe() {
        command.env("HOLDFAST", own);
    }
    command
}

/// Reads lines in a thread, which ends with the output.
fn forward(
    source: Option<impl Read + Send + 'static>,
    stream: Stream,
    sender: mpsc::Sender<(Stream, String)>,
) -> io::Result<()> {
    let Some(source) = source else { return Ok(()) };
    let work = move || {
        let mut source = BufReader::new(source);
        let mut bytes = Vec::new();
        while source
            .read_until(b'\n', &mut bytes)
            .is_ok_and(|count| count > 0)
        {
            let line = String::from_utf8_lossy(&bytes);
            let line = line.trim_end_matches(['\r', '\n']).to_owned();
            if sender.blocking_send((stream, line)).is_err() {
                return;
            }
            bytes.clear();
        }
    };
    std::thread::Builder::new()
        .name("build".into())
        .spawn(work)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dev::fixture::Folder;

    const TERMINAL: Terminal = Terminal {
        has_colors: false,
        is_live: false,
    };

    async fn built(line: &str) -> Outcome {
        let folder = Folder::project(&format!("[dev]\nbuild = \"{line}\""));
        let project = folder.read();
        let mut build = Build::start(&project).unwrap();
        build.finish(TERMINAL, true).await.unwrap()
    }

    #[tokio::test]
    async fn a_command_is_good_or_not_and_says_why() {
        let good = built("echo one; echo two >&2; test -d src").await;
        assert!(good.is_good, "{}", good.output);
        assert!(good.output.contains("one\n") && good.output.contains("two\n"));
        let bad = built("echo oh; exit 3").await;
        assert!(!bad.is_good);
        assert_eq!(bad.output, "oh\n");
        let silent = built("exit 3").await;
        assert!(silent.output.contains("3"), "{}", silent.output);
    }

    #[tokio::test]
    async fn a_lot_of_output_does_not_stop_a_build() {
        let much = built("yes | head -c 3000000").await;
        assert!(much.is_good);
        assert_eq!(much.output.len(), OUTPUT_BYTES_MAX);
    }

    #[tokio::test]
    async fn what_a_builder_leaves_behind_is_not_waited_for() {
        let begin = Instant::now();
        let outcome = built("sleep 60 & echo done").await;
        assert!(outcome.is_good && outcome.output == "done\n");
        assert!(begin.elapsed() < Duration::from_secs(30));
    }

    #[tokio::test]
    async fn a_build_ends_with_all_its_processes() {
        let folder = Folder::project("[dev]\nbuild = \"sh -c 'echo $$ > pid; sleep 60'; true\"");
        let project = folder.read();
        let build = Build::start(&project).unwrap();
        let deadline = Instant::now() + Duration::from_secs(30);
        let pid = loop {
            let text = std::fs::read_to_string(folder.path().join("pid")).unwrap_or_default();
            if text.ends_with('\n') {
                break text.trim().to_owned();
            }
            assert!(Instant::now() < deadline, "no process has started");
            sleep(POLL).await;
        };
        build.cancel().await;
        // A process that nobody has waited for yet is a zombie.
        let is_alive = || {
            let status = std::fs::read_to_string(format!("/proc/{pid}/status"));
            status.is_ok_and(|status| !status.contains("State:\tZ"))
        };
        while is_alive() {
            assert!(Instant::now() < deadline, "{pid} is alive");
            sleep(POLL).await;
        }
    }
}
