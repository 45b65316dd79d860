//! The clock of the engines: it takes the processor from a guest which computes
//! for too long. While no guest runs it goes slowly, since a host that idles is
//! to cost nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, Thread};
use std::time::Duration;

use wasmtime::Engine;

/// How long a guest computes before its event loop gets a turn. Shorter costs
/// throughput of computing guests, longer costs latency of everybody else.
pub(crate) const SLICE: Duration = Duration::from_millis(1);

/// The same while no guest has run for a while. The clock is told when one does;
/// but if the system lets that thread wait at the wrong moment, the guest computes
/// for so long.
const IDLE_SLICE: Duration = Duration::from_millis(20);

/// Slices without any guest after which the clock goes slowly.
const IDLE_AFTER: u32 = 64;

/// Tells the clock that guests run.
#[derive(Debug)]
pub(crate) struct Epoch {
    is_needed: Arc<AtomicBool>,
    thread: Thread,
}

impl Epoch {
    /// A guest is about to run. Called often: mostly it costs one look.
    pub(crate) fn touch(&self) {
        if !self.is_needed.load(Ordering::Relaxed) {
            self.is_needed.store(true, Ordering::Relaxed);
            // A system call only if it is parked.
            self.thread.unpark();
        }
    }
}

/// The clock's thread. Ends when this is dropped.
pub(crate) struct Ticker {
    epoch: Arc<Epoch>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    /// Starts to count for these engines.
    ///
    /// # Errors
    /// Fails when there can't be a thread.
    pub(crate) fn start(engines: Vec<Engine>) -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let is_needed = Arc::new(AtomicBool::new(false));
        let thread = std::thread::Builder::new().name("epoch".into()).spawn({
            let (stop, is_needed) = (Arc::clone(&stop), Arc::clone(&is_needed));
            move || run(&engines, &stop, &is_needed)
        })?;
        Ok(Self {
            epoch: Arc::new(Epoch {
                is_needed,
                thread: thread.thread().clone(),
            }),
            stop,
            thread: Some(thread),
        })
    }

    /// How it is told that guests run.
    pub(crate) fn epoch(&self) -> &Arc<Epoch> {
        &self.epoch
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // It only sleeps and counts; there is no panic to pass on.
            let _ = thread.join();
        }
    }
}

fn run(engines: &[Engine], stop: &AtomicBool, is_needed: &AtomicBool) {
    let mut idle = 0;
    while !stop.load(Ordering::Relaxed) {
        match idle < IDLE_AFTER {
            true => std::thread::sleep(SLICE),
            false => std::thread::park_timeout(IDLE_SLICE),
        }
        engines.iter().for_each(Engine::increment_epoch);
        idle = match is_needed.swap(false, Ordering::Relaxed) {
            true => 0,
            false => idle.saturating_add(1),
        };
    }
}
