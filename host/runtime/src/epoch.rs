//! The clock of the engines: it takes the processor from a guest which computes
//! for too long. While no guest runs it goes slowly, since a host that idles is
//! to cost nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, Thread};
use std::time::Duration;

use wasmtime::Engine;

/// How long a guest computes before its event loop gets a turn, unless one has
/// just been interrupted. Most are done before, and the clock costs little.
pub(crate) const SLICE: Duration = Duration::from_millis(1);

/// The same while guests are interrupted. Shorter costs throughput of computing
/// guests, longer costs latency of everybody else.
const SHORT_SLICE: Duration = Duration::from_micros(200);

/// Short slices without any interruption after which they are long again.
const LONG_AFTER: u32 = 32;

/// The same while no guest has run for a while. The clock is told when one does;
/// but if the system lets that thread wait at the wrong moment, the guest computes
/// for so long.
const IDLE_SLICE: Duration = Duration::from_millis(20);

/// Slices without any guest after which the clock goes slowly. To be told of the
/// next guest costs about as much as to count twice.
const IDLE_AFTER: u32 = 4;

/// The real-time priority of the thread, if the system allows one: the least. A
/// thread that is not a real-time one waits for its turn, and behind another's long
/// call into the kernel for up to 4 ms; guests compute meanwhile.
const PRIORITY: libc::c_int = 1;

/// The nice value of the thread where it can't be a real-time one.
const NICE: i32 = -10;

/// Tells the clock that guests run.
#[derive(Debug)]
pub(crate) struct Epoch {
    asked: Arc<Asked>,
    thread: Thread,
}

/// What the clock is asked for.
#[derive(Debug, Default)]
struct Asked {
    /// To count: guests run.
    is_needed: AtomicBool,
    /// To count fast: a guest was interrupted.
    is_short: AtomicBool,
}

impl Epoch {
    /// A guest is about to run. Called often: mostly it costs one look.
    pub(crate) fn touch(&self) {
        if !self.asked.is_needed.load(Ordering::Relaxed) {
            self.asked.is_needed.store(true, Ordering::Relaxed);
            // A system call only if it is parked.
            self.thread.unpark();
        }
    }

    /// A guest was interrupted which had computed for so long. Whoever had only
    /// just begun would have been done soon.
    pub(crate) fn note_interruption(&self, computed: Duration) {
        if computed >= SHORT_SLICE / 2 {
            self.asked.is_short.store(true, Ordering::Relaxed);
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
        let asked = Arc::<Asked>::default();
        let thread = std::thread::Builder::new().name("epoch".into()).spawn({
            let (stop, asked) = (Arc::clone(&stop), Arc::clone(&asked));
            move || {
                hurry();
                run(&engines, &stop, &asked);
            }
        })?;
        Ok(Self {
            epoch: Arc::new(Epoch {
                asked,
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

/// Has the calling thread run before others, as far as the system allows it.
#[allow(unsafe_code)]
fn hurry() {
    // Threads that it might start would have the usual priority.
    let policy = libc::SCHED_FIFO | libc::SCHED_RESET_ON_FORK;
    let parameters = libc::sched_param {
        sched_priority: PRIORITY,
    };
    // SAFETY: the parameters live as long as the call, which only reads them; 0 is
    // the calling thread.
    let answer = unsafe { libc::sched_setscheduler(0, policy, &raw const parameters) };
    if answer != 0 {
        let _ = rustix::process::nice(NICE);
    }
}

fn run(engines: &[Engine], stop: &AtomicBool, asked: &Asked) {
    let mut idle = 0;
    let mut short = 0;
    while !stop.load(Ordering::Relaxed) {
        match idle < IDLE_AFTER {
            true if short > 0 => std::thread::sleep(SHORT_SLICE),
            true => std::thread::sleep(SLICE),
            false => std::thread::park_timeout(IDLE_SLICE),
        }
        engines.iter().for_each(Engine::increment_epoch);
        idle = match asked.is_needed.swap(false, Ordering::Relaxed) {
            true => 0,
            false => idle.saturating_add(1),
        };
        short = match asked.is_short.swap(false, Ordering::Relaxed) {
            true => LONG_AFTER,
            false => short.saturating_sub(1),
        };
    }
}
