//! How the host uses the system's memory.

use std::convert::Infallible;
use std::time::Duration;

/// How often memory is looked for that can be given back.
const PERIOD: Duration = Duration::from_secs(5);

/// Has the system use small pages for the whole process, if it can be told. To
/// clear one of 2 MiB may take milliseconds, in which an event loop serves nobody;
/// nothing that was measured is faster with them.
pub(crate) fn use_small_pages() {
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}

/// Gives back what the calling thread has too much of, again and again. What
/// another thread has freed stays with the thread that allocated it until that
/// allocates again, which an idle one may never do.
pub(crate) async fn give_back() -> Infallible {
    loop {
        tokio::time::sleep(PERIOD).await;
        holdfast_memory::collect();
    }
}
