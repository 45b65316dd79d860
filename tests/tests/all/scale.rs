//! Many idle connections.

use holdfast_tests::process::{raise_file_limit, threads};
use holdfast_tests::setup::Setup;
use holdfast_tests::socket::Socket;

const CONNECTIONS: usize = 10_000;
const THREADS_MAX: u64 = 9;

/// Handshakes under way at once.
const OPENING_MAX: usize = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_idle_websockets_need_fewer_than_ten_threads() {
    raise_file_limit();
    let host = Setup::new("echo").alone().start().await;
    let mut sockets = Vec::with_capacity(CONNECTIONS);
    while sockets.len() < CONNECTIONS {
        let opening = (0..OPENING_MAX).map(|_| Socket::open(&host, "/"));
        sockets.extend(futures_util::future::join_all(opening).await);
    }
    let count = threads(host.pid());
    assert!(count <= THREADS_MAX, "{count} threads");
    for (index, socket) in sockets.iter_mut().enumerate() {
        let text = index.to_string();
        assert_eq!(socket.ask(&text).await, text);
    }
    let count = threads(host.pid());
    assert!(count <= THREADS_MAX, "{count} threads");
}
