//! Short std mutexes. None is held over an await, and never two of one kind.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks, also after a panic: what the mutexes of this crate guard is valid
/// between any two statements.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
