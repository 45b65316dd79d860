//! Counts to which several threads add, each in a part of its own.

use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// A count that only grows. To add to it costs no atomic addition, since each who
/// does has a [`Part`].
#[derive(Debug, Default)]
pub struct SplitCounter(Mutex<Vec<Arc<AtomicU64>>>);

/// A part of a count. It can't be shared, so that it is the only one who writes
/// where it writes; whoever has it after him goes on from there.
#[derive(Debug)]
pub struct Part {
    count: Arc<AtomicU64>,
    not_shared: PhantomData<Cell<()>>,
}

impl SplitCounter {
    /// A part for somebody who counts. Takes a lock.
    pub fn part(&self) -> Part {
        let mut parts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Part {
            count: take_free(&mut parts),
            not_shared: PhantomData,
        }
    }

    /// All parts together. Takes a lock.
    pub fn get(&self) -> u64 {
        let parts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        parts.iter().map(|it| it.load(Ordering::Relaxed)).sum()
    }
}

impl Part {
    /// Counts so many more.
    pub fn add(&self, count: u64) {
        bump(&self.count, count);
    }
}

/// One that nobody has any more, or a new one.
pub(super) fn take_free<T: Default>(all: &mut Vec<Arc<T>>) -> Arc<T> {
    let free = all.iter_mut().find_map(|one| {
        // Nobody else has it, and what he has written is seen.
        Arc::get_mut(one)?;
        Some(Arc::clone(one))
    });
    free.unwrap_or_else(|| {
        let one = Arc::<T>::default();
        all.push(Arc::clone(&one));
        one
    })
}

/// Adds to a number that nobody else writes: without the cost of an atomic
/// addition.
pub(super) fn bump(counter: &AtomicU64, count: u64) {
    let before = counter.load(Ordering::Relaxed);
    counter.store(before.wrapping_add(count), Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up_and_are_used_again() {
        let counter = SplitCounter::default();
        let (one, other) = (counter.part(), counter.part());
        one.add(2);
        other.add(3);
        drop(one);
        assert_eq!(counter.get(), 5, "what was counted stays");
        counter.part().add(4);
        assert_eq!(counter.get(), 9);
        assert_eq!(counter.0.lock().unwrap().len(), 2);
    }
}
