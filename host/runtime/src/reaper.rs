//! Takes large instances apart, in a thread of its own: the kernel needs some
//! 0.1 ms for each MiB that it is given back, and as long as it does the event
//! loop would serve nobody. The thread is there while there is something to do.
//!
//! Nobody can change the address space of the process meanwhile, as an instance
//! does that is made or takes more memory: its event loop would stand still. So
//! these wait, as guests do, until a huge one is gone; then they have their
//! turn before the next one goes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use wasmtime::Store;

use crate::engine::give_back;
use crate::guest::Guest;
use crate::instance::Place;

/// An instance with less memory goes at once, where it is.
pub(crate) const LARGE_BYTES: usize = 2 << 20;

/// Nobody waits for one with less memory: it is gone before it would be noticed.
/// What an instance has taken after it was made it has used for sure; of what it
/// began with, most use little.
const HUGE_BYTES: usize = 24 << 20;
const HUGE_TAKEN_BYTES: usize = 4 << 20;

/// How long those who have waited for one to be gone may take before the next
/// goes, at most: some slices of an event loop. No longer than it took to go,
/// lest there come more than can be taken apart.
const TURN_MAX: Duration = Duration::from_millis(3);

/// How many go before somebody who waits, at most: it may be his turn only when
/// it is the next one's.
const PATIENCE: u32 = 8;

/// The nice value of the thread. Without it, the system would let it run in the
/// place of the event loop which wakes it.
const NICE: i32 = 10;

/// What waits to be taken apart: no more than there are places for instances,
/// since each keeps its own until it is gone.
#[derive(Default)]
pub(crate) struct Reaper(Arc<Yard>);

#[derive(Default)]
struct Yard {
    work: Mutex<Work>,
    /// Whether one is being taken apart.
    is_busy: AtomicBool,
    /// Whether anybody waits until it is gone.
    is_awaited: AtomicBool,
    gone: Notify,
}

#[derive(Default)]
struct Work {
    remains: Vec<Remains>,
    has_thread: bool,
}

/// What is left of an instance. The store goes before its place is free.
type Remains = (Store<Guest>, Option<Place>);

impl Reaper {
    /// Takes an instance apart, soon.
    pub(crate) fn take(&self, store: Store<Guest>, place: Option<Place>) {
        let mut work = self.0.work();
        work.remains.push((store, place));
        if work.has_thread {
            return;
        }
        let yard = Arc::clone(&self.0);
        let thread = std::thread::Builder::new().name("reaper".into());
        work.has_thread = thread.spawn(move || yard.run()).is_ok();
        if !work.has_thread {
            // Better late for some than never.
            let remains = std::mem::take(&mut work.remains);
            drop(work);
            remains.into_iter().for_each(take_apart);
        }
    }

    /// Waits until no instance is being taken apart, but not for ever.
    pub(crate) async fn pause(&self) {
        let yard = &self.0;
        for _ in 0..PATIENCE {
            if !yard.is_busy.load(Ordering::Relaxed) {
                return;
            }
            let gone = yard.gone.notified();
            yard.is_awaited.store(true, Ordering::SeqCst);
            if yard.is_busy.load(Ordering::SeqCst) {
                gone.await;
            }
        }
    }
}

/// Its memory does not wait until others go as well.
fn take_apart(remains: Remains) {
    let engine = remains.0.engine().clone();
    drop(remains);
    give_back(&engine);
}

fn is_huge(guest: &Guest) -> bool {
    guest.memory_bytes() >= HUGE_BYTES || guest.taken_bytes() >= HUGE_TAKEN_BYTES
}

impl Yard {
    fn run(&self) {
        // Not to be allowed to is no reason not to work.
        let _ = rustix::process::nice(NICE);
        while let Some(remains) = self.next() {
            if !is_huge(remains.0.data()) {
                take_apart(remains);
                continue;
            }
            let begin = Instant::now();
            self.begin();
            take_apart(remains);
            if self.end() {
                std::thread::sleep(begin.elapsed().min(TURN_MAX));
            }
        }
    }

    fn begin(&self) {
        self.is_busy.store(true, Ordering::SeqCst);
    }

    /// One is gone. Whether anybody has waited for it.
    fn end(&self) -> bool {
        self.is_busy.store(false, Ordering::SeqCst);
        self.gone.notify_waiters();
        self.is_awaited.swap(false, Ordering::SeqCst)
    }

    /// The next one; if there is none, the thread ends.
    fn next(&self) -> Option<Remains> {
        let mut work = self.work();
        let next = work.remains.pop();
        work.has_thread = next.is_some();
        next
    }

    fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    #[test]
    fn who_would_take_memory_waits_while_one_goes() {
        let reaper = Reaper::default();
        let mut context = Context::from_waker(Waker::noop());
        assert!(pin!(reaper.pause()).poll(&mut context).is_ready());
        reaper.0.begin();
        let mut pause = pin!(reaper.pause());
        assert!(pause.as_mut().poll(&mut context).is_pending());
        assert!(reaper.0.end(), "he has been seen");
        assert!(pause.poll(&mut context).is_ready());
        reaper.0.begin();
        assert!(!reaper.0.end(), "nobody waits any more");
    }

    #[test]
    fn nobody_waits_for_ever() {
        let reaper = Reaper::default();
        let mut context = Context::from_waker(Waker::noop());
        reaper.0.begin();
        let mut pause = pin!(reaper.pause());
        for _ in 0..PATIENCE {
            assert_eq!(pause.as_mut().poll(&mut context), Poll::Pending);
            reaper.0.end();
            // The next one goes before it is his turn.
            reaper.0.begin();
        }
        assert!(pause.poll(&mut context).is_ready());
    }
}
