//! Hot reload: new code takes over between two events, under open sockets.
//!
//! Each module proves one of its promises. With `HOLDFAST_TESTS=full` the counts
//! are those of the promises; without it, some are smaller.

mod broken;
mod inflight;
mod load;
mod manifest;
mod memory;
mod migrate;
mod rollback;
mod shutdown;
mod strategy;

use holdfast_tests::socket::Socket;

/// The version that answers this connection.
async fn version_at(socket: &mut Socket) -> u32 {
    let answer = socket.ask("version here").await;
    let version = answer.strip_suffix(" here");
    version.and_then(|text| text.parse().ok()).unwrap()
}
