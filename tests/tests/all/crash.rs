//! The end of the process in the middle of work: none that was accepted is lost
//! when it is asked to end, and nothing is in the way when it was killed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use holdfast_tests::folder::Folder;
use holdfast_tests::process;
use holdfast_tests::raw::Raw;
use holdfast_tests::setup::Setup;
use holdfast_tests::socket::Socket;
use holdfast_tests::wait::until;
use tokio::net::TcpStream;

const CLIENTS: usize = 32;

/// What clients have seen.
#[derive(Default)]
struct Seen {
    answered: AtomicUsize,
    /// Requests that were sent and never answered.
    lost: AtomicUsize,
    is_over: AtomicBool,
}

/// Sends requests, each on a connection of its own, until nobody accepts.
async fn client(address: std::net::SocketAddr, seen: Arc<Seen>) {
    while !seen.is_over.load(Ordering::Relaxed) {
        let Ok(stream) = TcpStream::connect(address).await else {
            return;
        };
        let mut raw = Raw::over(stream);
        let request = b"POST /length HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\n12345";
        if !raw.try_send(request).await {
            // It was never taken.
            return;
        }
        match raw.try_head().await {
            Some(head) if head.starts_with("HTTP/1.1 200 ") => {
                seen.answered.fetch_add(1, Ordering::Relaxed);
            }
            _ => {
                seen.lost.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_under_load_loses_no_request() {
    let mut host = Setup::new("plain").start().await;
    let seen = Arc::<Seen>::default();
    let address = host.address();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| tokio::spawn(client(address, seen.clone())))
        .collect();
    until("load", || seen.answered.load(Ordering::Relaxed) > 1000).await;
    host.terminate();
    assert!(host.ended().await.success());
    seen.is_over.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.unwrap();
    }
    assert_eq!(seen.lost.load(Ordering::Relaxed), 0);
}

/// Here it is known that the guest has begun to handle each of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_lets_every_request_under_way_end() {
    const REQUESTS: usize = 100;
    let mut host = Setup::new("plain").start().await;
    let mut observer = Socket::watch(&host, "seen").await;
    let mut clients = Vec::new();
    for _ in 0..REQUESTS {
        let mut raw = Raw::connect(&host).await;
        raw.send(b"GET /sleep/3000?observe=seen HTTP/1.1\r\nhost: a\r\n\r\n")
            .await;
        clients.push(raw);
    }
    for _ in 0..REQUESTS {
        assert_eq!(observer.text().await, "request begins");
    }
    host.terminate();
    for raw in &mut clients {
        let answer = String::from_utf8(raw.rest().await).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        assert!(answer.contains("connection: close"), "{answer}");
        assert!(answer.ends_with("slept"), "{answer}");
    }
    assert!(host.ended().await.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_takes_no_change_that_was_told_of_if_none_may_be_lost() {
    let data = Folder::new();
    let mut told = 0;
    for _ in 0..3 {
        let setup = Setup::new("plain").host("keyvalue_sync_ms", 0);
        let mut host = setup.data(data.path()).start().await;
        let mut socket = Socket::open(&host, "/").await;
        let count: u64 = socket.ask("increment changes").await.parse().unwrap();
        // One more may be on the disk of which nobody was told.
        assert!(count == told + 1 || count == told + 2, "{count}, {told}");
        told = count;
        for _ in 0..20 {
            told = socket.ask("increment changes").await.parse().unwrap();
        }
        socket.send("increment changes").await;
        process::kill(host.pid());
        host.ended().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_under_load_leaves_nothing_in_the_way() {
    let data = Folder::new();
    for round in 0..3 {
        let mut host = Setup::new("plain").data(data.path()).start().await;
        let mut socket = Socket::open(&host, "/").await;
        // The store is whole. The last changes before the end may not have
        // reached the disk.
        let count: u32 = socket.ask("increment rounds").await.parse().unwrap();
        assert!((1..=round + 1).contains(&count), "{count} in round {round}");
        let seen = Arc::<Seen>::default();
        let address = host.address();
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| tokio::spawn(client(address, seen.clone())))
            .collect();
        until("load", || seen.answered.load(Ordering::Relaxed) > 200).await;
        process::kill(host.pid());
        host.ended().await;
        seen.is_over.store(true, Ordering::Relaxed);
        for client in clients {
            client.await.unwrap();
        }
    }
}
