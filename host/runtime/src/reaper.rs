//! Takes large instances apart, in a thread of its own: the kernel needs some
//! 0.1 ms for each MiB that it is given back, and as long as it does the event
//! loop would serve nobody. The thread is there while there is something to do.

use std::sync::{Arc, Mutex, PoisonError};

use wasmtime::Store;

use crate::guest::Guest;
use crate::instance::Place;

/// An instance with less memory goes at once, where it is.
pub(crate) const LARGE_BYTES: usize = 2 << 20;

/// What waits to be taken apart: no more than there are places for instances,
/// since each keeps its own until it is gone.
#[derive(Default)]
pub(crate) struct Reaper(Arc<Mutex<Yard>>);

#[derive(Default)]
struct Yard {
    remains: Vec<Remains>,
    has_thread: bool,
}

/// What is left of an instance. The store goes before its place is free.
type Remains = (Store<Guest>, Option<Place>);

impl Reaper {
    /// Takes an instance apart, soon.
    pub(crate) fn take(&self, store: Store<Guest>, place: Option<Place>) {
        let mut yard = lock(&self.0);
        yard.remains.push((store, place));
        if yard.has_thread {
            return;
        }
        let here = Arc::clone(&self.0);
        let thread = std::thread::Builder::new().name("reaper".into());
        yard.has_thread = thread.spawn(move || work(&here)).is_ok();
        if !yard.has_thread {
            // Better late for some than never.
            let remains = std::mem::take(&mut yard.remains);
            drop(yard);
            drop(remains);
        }
    }
}

fn work(yard: &Mutex<Yard>) {
    while let Some(remains) = next(yard) {
        drop(remains);
    }
}

/// The next one; if there is none, the thread ends.
fn next(yard: &Mutex<Yard>) -> Option<Remains> {
    let mut yard = lock(yard);
    let next = yard.remains.pop();
    yard.has_thread = next.is_some();
    next
}

fn lock(yard: &Mutex<Yard>) -> std::sync::MutexGuard<'_, Yard> {
    yard.lock().unwrap_or_else(PoisonError::into_inner)
}
