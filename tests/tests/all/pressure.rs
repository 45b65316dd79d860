//! Semantics 3 and 4: a slow guest stops the host reading that socket; a slow
//! reader fills its own bounded queue only, under each of the policies; sending
//! to a connection that is gone is an error value.

use std::time::Duration;

use holdfast_tests::setup::Setup;
use holdfast_tests::socket::{End, Socket};
use holdfast_tests::wait::found;
use tokio::sync::Mutex;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

in_both_forms!(
    a_slow_guest_stops_its_own_client_only,
    a_full_queue_refuses_messages,
    a_full_queue_drops_the_oldest,
    a_full_queue_closes_the_connection,
    sending_to_a_gone_connection_is_an_error,
);

const MESSAGE_BYTES: usize = 64 * 1024;

/// More than the kernel keeps for both ends of a connection.
const FLOOD_BYTES: usize = 64 << 20;

const FLOOD: usize = FLOOD_BYTES / MESSAGE_BYTES;

async fn a_slow_guest_stops_its_own_client_only(form: &str) {
    let host = Setup::new(form).start().await;
    let mut slow = Socket::open(&host, "/").await;
    let mut other = Socket::open(&host, "/").await;
    slow.send("sleep 20000").await;
    let mut sent_bytes = 0;
    loop {
        assert!(sent_bytes < FLOOD_BYTES, "the host went on reading");
        let message = Message::binary(vec![0; MESSAGE_BYTES]);
        // Once the buffers are full this never ends while the guest sleeps.
        let sending = slow.send_message(message);
        if timeout(Duration::from_secs(1), sending).await.is_err() {
            break;
        }
        sent_bytes += MESSAGE_BYTES;
    }
    assert_eq!(other.ask("echo there").await, "there");
}

/// Starts a host whose connections have small queues, and one that watches.
async fn small_queues(form: &str, policy: &str) -> (holdfast_tests::host::Host, Socket) {
    let host = Setup::new(form)
        .plugin("slow_consumer", &format!("\"{policy}\""))
        .plugin("on_error", "\"skip\"")
        .limit("queue_bytes_max", 1 << 20)
        .start()
        .await;
    let observer = Socket::watch(&host, "seen").await;
    (host, observer)
}

/// The next event that the observer is told of which begins with `word`.
async fn event(observer: &mut Socket, word: &str) -> String {
    loop {
        let line = observer.text().await;
        let (_, event) = line.split_once(' ').unwrap();
        if event.starts_with(word) {
            return event.to_owned();
        }
    }
}

async fn a_full_queue_refuses_messages(form: &str) {
    // Each fills the queue, all of them more than the kernel takes.
    const FLOODS: usize = 40;
    let (host, mut observer) = small_queues(form, "wait").await;
    let mut socket = Socket::open(&host, "/?observe=seen").await;
    let mut other = Socket::open(&host, "/").await;
    let id = socket.ask("id").await;
    for _ in 0..FLOODS {
        socket.send(&format!("flood {FLOOD} {MESSAGE_BYTES}")).await;
    }
    // Others see that bytes are waiting, and are not held up themselves.
    let other = Mutex::new(&mut other);
    found("a queue that is seen", || async {
        let state = other.lock().await.ask(&format!("state {id}")).await;
        (!state.ends_with("buffered=0")).then_some(())
    })
    .await;
    // Nothing that was queued is lost once the client reads.
    for _ in 0..FLOODS {
        let event = event(&mut observer, "flooded").await;
        let (count, error) = event["flooded ".len()..].split_once(": ").unwrap();
        assert!(error.starts_with("Full("), "{event}");
        for index in 0..count.parse().unwrap() {
            let text = socket.text().await;
            let expected: usize = text[..6].parse().unwrap();
            assert_eq!(expected, index, "{event}");
        }
    }
    assert_eq!(socket.ask("echo on").await, "on");
}

async fn a_full_queue_drops_the_oldest(form: &str) {
    let (host, mut observer) = small_queues(form, "drop-oldest").await;
    let mut socket = Socket::open(&host, "/?observe=seen").await;
    socket.send(&format!("flood {FLOOD} {MESSAGE_BYTES}")).await;
    let event = event(&mut observer, "flooded").await;
    assert_eq!(event, format!("flooded {FLOOD}"));
    let mut last = None;
    let mut count = 0;
    loop {
        let text = socket.text().await;
        if text.starts_with("flooded") {
            break;
        }
        let index: usize = text[..6].parse().unwrap();
        assert!(last < Some(index), "{index} came after {last:?}");
        last = Some(index);
        count += 1;
    }
    assert!(count < FLOOD, "none was dropped");
    assert_eq!(last, Some(FLOOD - 1), "the newest is kept");
}

async fn a_full_queue_closes_the_connection(form: &str) {
    let (host, mut observer) = small_queues(form, "close").await;
    let mut socket = Socket::open(&host, "/?observe=seen").await;
    socket.send(&format!("flood {FLOOD} {MESSAGE_BYTES}")).await;
    let flooded = event(&mut observer, "flooded").await;
    assert!(flooded.ends_with(": Gone"), "{flooded}");
    let (_, end) = socket.rest().await;
    assert!(matches!(end, End::Closed(1013, _)), "{end:?}");
    let close = event(&mut observer, "close").await;
    assert!(close.starts_with("close SlowConsumer 1013"), "{close}");
    assert_eq!(observer.ask("echo there").await, "there");
}

async fn sending_to_a_gone_connection_is_an_error(form: &str) {
    let host = Setup::new(form).start().await;
    let mut observer = Socket::watch(&host, "seen").await;
    let mut gone = Socket::open(&host, "/?observe=seen").await;
    let id = gone.ask("id").await;
    gone.close(1000, "").await;
    event(&mut observer, "close").await;
    let mut socket = Socket::open(&host, "/").await;
    for (command, answer) in [
        (format!("send {id} x"), "the connection is gone"),
        (format!("close {id} 1000"), "the connection is gone"),
        (format!("state {id}"), "none"),
        ("send 0123 x".to_owned(), "the connection is gone"),
        ("echo unharmed".to_owned(), "unharmed"),
    ] {
        assert_eq!(socket.ask(&command).await, answer, "{command}");
    }
}
