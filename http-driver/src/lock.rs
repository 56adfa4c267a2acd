//! Locks that nobody holds for long.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// What stands behind the locks of this crate is whole at every moment when something might panic, so a poisoned one is
/// as good as any.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
