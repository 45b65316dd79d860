//! The host as a process.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::folder::Folder;
use crate::stage::Stage;
use crate::wait::{PATIENCE, PATIENCE_WITH_BUILDERS, until, until_for};
use crate::{place, process};

/// What the host logs when it is ready, followed by its address.
const READY: &str = "listening on http://";

/// The same about its listener with TLS.
const SECURE: &str = "listening on https://";

const NO_VARIABLES: &[(&str, String)] = &[];

/// A running host. Killed when dropped; if the test has failed by then, what it
/// logged is shown.
#[derive(Debug)]
pub struct Host {
    child: Child,
    address: SocketAddr,
    secure: Option<SocketAddr>,
    log: Log,
    folder: Folder,
    _stage: Stage,
}

/// What a process has written so far.
#[derive(Clone, Debug, Default)]
struct Log(Arc<Mutex<String>>);

impl Log {
    /// Collects what comes until the end. The thread ends with the process.
    fn collect(&self, source: impl Read + Send + 'static) {
        let log = self.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(source).lines() {
                let Ok(line) = line else { break };
                let mut text = log.0.lock().expect("no panic under this lock");
                text.push_str(&line);
                text.push('\n');
            }
        });
    }

    fn text(&self) -> String {
        self.0.lock().expect("no panic under this lock").clone()
    }

    /// The address in the line with these words, which says that the host is
    /// ready.
    fn address(&self, words: &str) -> Option<SocketAddr> {
        let text = self.text();
        let (_, rest) = text.split_once(words)?;
        let (line, _) = rest.split_once('\n')?;
        let word = line.split_whitespace().next()?;
        // In JSON it is the end of a text.
        word.trim_end_matches(['"', '}']).parse().ok()
    }
}

impl Host {
    /// Starts `holdfast run` for a guest, with more arguments.
    pub async fn run(component: &Path, arguments: &[&str]) -> Self {
        let component = component.display().to_string();
        let all = ["run", &component, "--listen", "127.0.0.1:0"];
        let all = all.iter().chain(arguments).map(|word| (*word).to_owned());
        let mut all: Vec<String> = all.collect();
        if !arguments.contains(&"--no-cache") {
            all.extend(["--cache".to_owned(), place::cache().display().to_string()]);
        }
        Self::start(
            command(),
            &all,
            NO_VARIABLES,
            Folder::new(),
            Stage::shared().await,
        )
        .await
    }

    /// Starts `holdfast serve` for a manifest, with more arguments.
    pub async fn serve(manifest: &Path, arguments: &[&str]) -> Self {
        let manifest = manifest.display().to_string();
        let cache = place::cache().display().to_string();
        let all = ["serve", &manifest, "--cache", &cache];
        let all = all.iter().chain(arguments).map(|word| (*word).to_owned());
        let all: Vec<_> = all.collect();
        Self::start(
            command(),
            &all,
            NO_VARIABLES,
            Folder::new(),
            Stage::shared().await,
        )
        .await
    }

    /// Starts `holdfast dev` for the project in a folder.
    pub async fn dev(project: &Path, variables: &[(String, String)]) -> Self {
        let project = project.display().to_string();
        let cache = place::cache().display().to_string();
        let all = [
            "dev",
            &project,
            "--listen",
            "127.0.0.1:0",
            "--cache",
            &cache,
        ];
        let mut binary = command();
        binary.args(all);
        binary.envs(variables.iter().map(|(name, value)| (name, value)));
        let (folder, stage) = (Folder::new(), Stage::shared().await);
        Self::start_for(PATIENCE_WITH_BUILDERS, binary, folder, stage).await
    }

    /// Starts the binary, with arguments that say where its cache is, and waits
    /// until it listens.
    pub(crate) async fn start(
        mut binary: Command,
        arguments: &[String],
        variables: &[(impl AsRef<OsStr>, String)],
        folder: Folder,
        stage: Stage,
    ) -> Self {
        binary.args(arguments);
        binary.envs(variables.iter().map(|(name, value)| (name, value)));
        Self::start_for(PATIENCE, binary, folder, stage).await
    }

    async fn start_for(
        patience: Duration,
        mut binary: Command,
        folder: Folder,
        stage: Stage,
    ) -> Self {
        let mut child = binary
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the host starts");
        let log = Log::default();
        log.collect(child.stderr.take().expect("a pipe"));
        log.collect(child.stdout.take().expect("a pipe"));
        let mut host = Self {
            child,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            secure: None,
            log,
            folder,
            _stage: stage,
        };
        until_for(patience, "the host to listen", || {
            let end = host.child.try_wait().expect("a child of ours");
            assert!(end.is_none(), "the host has ended: {end:?}");
            host.log.address(READY).is_some()
        })
        .await;
        host.address = host.log.address(READY).expect("it was there just now");
        host
    }

    /// Waits until it listens with TLS, too.
    pub(crate) async fn secured(mut self) -> Self {
        until("its listener with TLS", || {
            self.secure = self.log.address(SECURE);
            self.secure.is_some()
        })
        .await;
        self
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it speaks TLS, if it does.
    pub fn secure_address(&self) -> SocketAddr {
        self.secure.expect("a listener with TLS")
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A folder of its own, in which its manifest is.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What it has logged so far, without colours.
    pub fn log(&self) -> String {
        self.log.text()
    }

    /// Waits for a line that contains every one of `words`, and returns it.
    pub async fn logged(&self, words: &[&str]) -> String {
        self.logged_for(PATIENCE, words).await
    }

    /// The same with a patience of the caller's.
    pub async fn logged_for(&self, patience: Duration, words: &[&str]) -> String {
        let mut found = None;
        until_for(patience, &format!("a log line with {words:?}"), || {
            let log = self.log();
            let mut lines = log.lines();
            let line = lines.find(|line| words.iter().all(|word| line.contains(word)));
            found = line.map(str::to_owned);
            found.is_some()
        })
        .await;
        found.unwrap_or_default()
    }

    /// Asks it to end by SIGTERM.
    pub fn terminate(&self) {
        process::terminate(self.pid());
    }

    /// Waits for its end.
    pub async fn ended(&mut self) -> ExitStatus {
        let mut status = None;
        until("the host to end", || {
            status = self.child.try_wait().expect("a child of ours");
            status.is_some()
        })
        .await;
        status.expect("it was there just now")
    }

    /// Asks it to end, and checks that it ends cleanly.
    pub async fn stop(mut self) {
        self.terminate();
        let status = self.ended().await;
        assert!(status.success(), "{status}");
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("the host's log:\n{}", ends(&self.log()));
        }
    }
}

/// The first and the last lines of a text: what failed has to be found above it.
fn ends(text: &str) -> String {
    const FIRST: usize = 20;
    const LAST: usize = 100;
    let lines: Vec<&str> = text.lines().collect();
    match lines.len().checked_sub(FIRST + LAST) {
        None | Some(0) => text.to_owned(),
        Some(count) => {
            let (first, last) = (&lines[..FIRST], &lines[FIRST + count..]);
            let rest = format!("[{count} lines]");
            [first, &[rest.as_str()], last].concat().join("\n")
        }
    }
}

/// The binary, with nothing in its environment that could change what it says.
pub fn command() -> Command {
    let mut command = Command::new(place::host());
    command.env_remove("HOLDFAST_LOG");
    command
        .env_remove("HOLDFAST_LOG_FORMAT")
        .env("NO_COLOR", "1");
    command.stdin(Stdio::null());
    command
}
