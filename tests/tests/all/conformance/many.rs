//! Many connections and requests at once.

use futures_util::future::join_all;
use holdfast_tests::host::Host;
use holdfast_tests::http::{get, post};
use holdfast_tests::socket::Socket;
use tokio_tungstenite::tungstenite::Message;

use super::group::{keep, start};
use crate::languages::Language;

const CONNECTIONS: usize = 50;
const MESSAGES: usize = 20;
const REQUESTS: usize = 50;

/// Connections with messages under way on all of them, each in its order, and
/// requests that count together.
pub(super) async fn run(language: &Language) {
    let host = start(language, "127.0.0.1:1").await;
    let opening = (0..CONNECTIONS).map(|number| talk(&host, number));
    let posting = (0..REQUESTS).map(|_| post(&host, "/increment/together", ""));
    let ((), counts) = tokio::join!(async { drop(join_all(opening).await) }, join_all(posting));
    let mut counts: Vec<usize> = counts
        .iter()
        .map(|response| response.text().parse().expect("a number"))
        .collect();
    counts.sort_unstable();
    assert_eq!(counts, (1..=REQUESTS).collect::<Vec<_>>());
    assert_eq!(get(&host, "/hello").await.text(), "hello");
    keep(language, "many", &["many at once"], &[], &[]);
}

/// Sends everything before it hears anything.
async fn talk(host: &Host, number: usize) {
    let mut socket = Socket::open(host, &format!("/{number}")).await;
    for count in 0..MESSAGES {
        socket.send(&format!("echo {number} says {count}")).await;
        let binary = Message::binary(vec![count as u8; number]);
        socket.send_message(binary).await;
    }
    for count in 0..MESSAGES {
        assert_eq!(socket.text().await, format!("{number} says {count}"));
        match socket.message().await {
            Some(Ok(Message::Binary(bytes))) => assert_eq!(bytes, vec![count as u8; number]),
            other => panic!("expected bytes, got {other:?}"),
        }
    }
    assert_eq!(socket.ask("attachment").await, format!("0 /{number}"));
}
