//! Writes the access log in a thread of its own, to a file or to standard output,
//! so that nobody waits for a disk or for who reads it.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use holdfast_core::manifest::AccessLog as Config;
use holdfast_core::metrics::EdgeMetrics;
use holdfast_edge::AccessLog;

use crate::problem::Problem;

/// Lines are gathered for so long, so that a busy host does not write each by
/// itself.
const GATHER: Duration = Duration::from_millis(20);
/// How long the end of the process waits until everything is written.
const END_TIMEOUT: Duration = Duration::from_secs(1);
/// It is not said more often that lines are lost.
const TELL_INTERVAL: Duration = Duration::from_secs(10);
/// Permissions of a new file: it tells of people.
const MODE: u32 = 0o640;

/// The thread that writes. When this is dropped it comes to its end, unless nobody
/// takes what it writes.
pub(crate) struct Access {
    log: Arc<AccessLog>,
    end: Receiver<()>,
}

impl Access {
    /// Opens the file and starts the thread. What is lost is counted there.
    ///
    /// # Errors
    /// Fails when the file can't be opened, or no thread be started.
    pub(crate) fn start(config: &Config, metrics: &Arc<EdgeMetrics>) -> Result<Self, Problem> {
        let output = Output::open(config.path.as_deref()).map_err(|error| {
            let file = config.path.as_deref().unwrap_or(Path::new("-"));
            Problem::new(
                format!("can't write the access log {}: {error}", file.display()),
                "name a file in a folder that is there, and where this user may write",
            )
        })?;
        let log = AccessLog::new(config.format, Arc::clone(metrics));
        let (ended, end) = mpsc::sync_channel(1);
        let mut writer = Writer {
            path: config.path.clone(),
            output,
            log: Arc::clone(&log),
            told: None,
        };
        let work = move || {
            writer.work();
            // Whoever asked may not wait any more.
            let _ = ended.try_send(());
        };
        std::thread::Builder::new()
            .name("access-log".into())
            .spawn(work)
            .map_err(|error| {
                Problem::new(format!("can't start a thread: {error}"), "end some others")
            })?;
        Ok(Self { log, end })
    }

    /// Where lines go to be written.
    pub(crate) fn log(&self) -> &Arc<AccessLog> {
        &self.log
    }
}

impl Drop for Access {
    fn drop(&mut self) {
        self.log.end();
        // If it takes longer, nobody takes it.
        let _ = self.end.recv_timeout(END_TIMEOUT);
    }
}

enum Output {
    File(File),
    Standard(io::Stdout),
}

impl Output {
    fn open(path: Option<&Path>) -> io::Result<Self> {
        let Some(path) = path else {
            return Ok(Self::Standard(io::stdout()));
        };
        let mut options = OpenOptions::new();
        options.append(true).create(true).mode(MODE);
        options.open(path).map(Self::File)
    }

    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        match self {
            Self::File(file) => file.write_all(lines),
            Self::Standard(output) => {
                output.write_all(lines)?;
                output.flush()
            }
        }
    }
}

struct Writer {
    path: Option<PathBuf>,
    output: Output,
    log: Arc<AccessLog>,
    /// When it was said last that lines were lost, and how many there were then.
    told: Option<(Instant, u64)>,
}

impl Writer {
    fn work(&mut self) {
        let mut lines = Vec::new();
        while let Some(work) = self.log.take(&mut lines) {
            if work.is_to_reopen {
                self.reopen();
            }
            if let Err(error) = self.output.write(&lines) {
                let count = lines.iter().filter(|byte| **byte == b'\n').count();
                self.log.lose(count as u64);
                tracing::debug!(%error, "the access log can't be written");
            }
            self.tell_of_lost();
            lines.clear();
            std::thread::sleep(GATHER);
        }
    }

    /// Goes on in a file of the same name, which is a new one if the old has been
    /// moved away.
    fn reopen(&mut self) {
        match Output::open(self.path.as_deref()) {
            Ok(output) => self.output = output,
            Err(error) => {
                tracing::warn!(%error, "the access log can't be opened anew, and goes on as it was");
            }
        }
    }

    fn tell_of_lost(&mut self) {
        let lost = self.log.lost();
        let before = self.told.map_or(0, |(_, lost)| lost);
        let is_early = self
            .told
            .is_some_and(|(at, _)| at.elapsed() < TELL_INTERVAL);
        if lost > before && !is_early {
            tracing::warn!(
                lines = lost - before,
                "lines of the access log are lost: they could not be written fast enough"
            );
            self.told = Some((Instant::now(), lost));
        }
    }
}
