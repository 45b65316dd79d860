//! Gives memory back to the system which an event loop no longer needs. What
//! another thread has freed stays with the loop that allocated it until that
//! allocates again, which an idle one may never do.

use std::time::Duration;

/// How often that is looked for.
const PERIOD: Duration = Duration::from_secs(5);

/// Gives back what the calling thread has too much of, again and again.
#[allow(unsafe_code)]
pub(crate) async fn give_back() {
    loop {
        tokio::time::sleep(PERIOD).await;
        // SAFETY: it has no conditions, and touches nothing but free memory.
        unsafe { libmimalloc_sys::mi_collect(false) };
    }
}
