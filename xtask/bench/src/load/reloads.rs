//! Puts a new component in place, again and again.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};

/// Between two components.
const INTERVAL: Duration = Duration::from_millis(100);
/// The two that take turns, and the one that the host serves.
const TURNS: [&str; 2] = ["a.wasm", "b.wasm"];
const SERVED: &str = "served.wasm";

/// At work until it is told to stop.
pub(super) struct Reloads {
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<Result<u32>>,
}

impl Reloads {
    /// In this folder are `a.wasm`, `b.wasm`, and a copy of the second that the
    /// host serves: `served.wasm`.
    pub(super) fn start(folder: &str) -> Self {
        let folder = PathBuf::from(folder);
        let is_over = Arc::new(AtomicBool::new(false));
        let thread = std::thread::spawn({
            let is_over = Arc::clone(&is_over);
            move || reload(&folder, &is_over)
        });
        Self { is_over, thread }
    }

    /// Ends it, and returns how many there were.
    pub(super) fn stop(self) -> Result<u32> {
        self.is_over.store(true, Ordering::Relaxed);
        let count = self.thread.join();
        count.map_err(|_| anyhow!("the thread that reloads has panicked"))?
    }
}

fn reload(folder: &Path, is_over: &AtomicBool) -> Result<u32> {
    let begin = Instant::now();
    let mut count = 0;
    for component in TURNS.iter().cycle() {
        let due = begin + INTERVAL * (count + 1);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        if is_over.load(Ordering::Relaxed) {
            break;
        }
        replace(folder, component)?;
        count += 1;
    }
    Ok(count)
}

/// By a rename, so that nobody sees half a file.
fn replace(folder: &Path, component: &str) -> Result<()> {
    let next = folder.join("next");
    std::fs::copy(folder.join(component), &next)
        .and_then(|_| std::fs::rename(&next, folder.join(SERVED)))
        .with_context(|| format!("can't put {component} in place"))
}
