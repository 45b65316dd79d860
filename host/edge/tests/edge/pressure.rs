use holdfast_core::edge::SendError;
use holdfast_core::limits::{RawLimits, SlowConsumer};
use holdfast_core::{ConnectionId, Edge, MessageRef};

use crate::support::client::{Client, Raw, frame};
use crate::support::native::TENANT;
use crate::support::server::{Options, Server};
use crate::support::until;

const QUEUE_BYTES_MAX: u64 = 64 << 10;
const MESSAGE_BYTES: usize = 8 << 10;
/// Heads of frames, and pings, which are queued however full it is.
const CONTROL_BYTES: u64 = 256;

fn server(slow_consumer: SlowConsumer) -> Server {
    let options = Options {
        limits: RawLimits {
            queue_bytes_max: Some(QUEUE_BYTES_MAX),
            control_frames_per_second_max: Some(0),
            ..RawLimits::default()
        },
        slow_consumer,
        ..Options::default()
    };
    options.start()
}

fn send(server: &Server, id: ConnectionId, index: usize) -> Result<u64, SendError> {
    let text = format!("{index} {}", "x".repeat(MESSAGE_BYTES));
    server.hub.send(TENANT, id, MessageRef::Text(&text))
}

/// The number at the start of a message.
async fn index(client: &mut Client) -> usize {
    let text = client.text().await;
    let (index, filler) = text.split_once(' ').unwrap();
    assert_eq!(filler.len(), MESSAGE_BYTES, "a message has been cut");
    index.parse().unwrap()
}

#[tokio::test]
async fn wait_refuses_messages_and_stops_reading() {
    let server = server(SlowConsumer::Wait);
    let mut client = Client::connect(server.address, "/").await;
    let id = server.record.id_of("accept /");
    let mut sent = 0;
    // Full for good: the kernel takes nothing any more.
    let mut refused = 0;
    until("the queue stays full", || {
        refused += 1;
        loop {
            match send(&server, id, sent) {
                Ok(_) => (sent, refused) = (sent + 1, 0),
                Err(SendError::Full(bytes)) => {
                    let most = QUEUE_BYTES_MAX + MESSAGE_BYTES as u64 + CONTROL_BYTES;
                    assert!((QUEUE_BYTES_MAX..most).contains(&bytes), "{bytes}");
                    return refused > 50;
                }
                Err(error) => panic!("{error}"),
            }
        }
    })
    .await;
    client.send("note read").await;
    let mut neighbour = Client::connect(server.address, "/").await;
    assert_eq!(neighbour.ask("unharmed").await, "unharmed");
    assert!(
        !server.record.has("read"),
        "the host reads from a client that does not"
    );
    for expected in 0..sent {
        assert_eq!(index(&mut client).await, expected);
    }
    until("the host reads again", || server.record.has("read")).await;
    assert_eq!(server.hub.get(TENANT, id).unwrap().buffered_bytes, 0);
}

#[tokio::test]
async fn what_waits_for_clients_is_counted() {
    let server = server(SlowConsumer::Wait);
    let waiting = || server.queue_bytes();
    let mut slow = Client::connect(server.address, "/").await;
    let id = server.record.id_of("accept /");
    let mut sent = 0;
    until("the kernel takes no more", || {
        while send(&server, id, sent).is_ok() {
            sent += 1;
        }
        waiting() >= QUEUE_BYTES_MAX
    })
    .await;
    let buffered = || server.hub.get(TENANT, id).map_or(0, |it| it.buffered_bytes);
    until("all of it is counted", || {
        // The kernel may take some more after all, and even everything.
        while send(&server, id, sent).is_ok() {
            sent += 1;
        }
        let bytes = buffered();
        bytes > 0 && waiting() == bytes && buffered() == bytes
    })
    .await;
    for expected in 0..sent {
        assert_eq!(index(&mut slow).await, expected);
    }
    until("nothing waits", || waiting() == 0).await;
    until("the kernel takes no more", || {
        let _ = send(&server, id, sent);
        waiting() >= QUEUE_BYTES_MAX
    })
    .await;
    drop(slow);
    until("nobody waits", || server.connection_count() == 0).await;
    assert_eq!(waiting(), 0);
}

#[tokio::test]
async fn drop_oldest_keeps_the_latest_in_order_and_whole() {
    const COUNT: usize = 4096;
    let server = server(SlowConsumer::DropOldest);
    let mut client = Client::connect(server.address, "/").await;
    let id = server.record.id_of("accept /");
    for index in 0..COUNT {
        let bytes = send(&server, id, index).unwrap();
        // What is being written can't be dropped.
        assert!(bytes < 3 * QUEUE_BYTES_MAX, "{bytes}");
    }
    let mut received = vec![index(&mut client).await];
    while received.last() != Some(&(COUNT - 1)) {
        received.push(index(&mut client).await);
    }
    assert!(received.is_sorted());
    assert!(received.len() < COUNT);
}

#[tokio::test]
async fn close_ends_the_connection_with_1013() {
    let server = server(SlowConsumer::Close);
    let mut client = Client::connect(server.address, "/").await;
    let id = server.record.id_of("accept /");
    let mut sent = 0;
    while send(&server, id, sent).is_ok() {
        sent += 1;
        assert!(sent < 100_000, "the queue has no end");
    }
    assert_eq!(client.closed().await, (1013, "slow consumer".to_owned()));
    let event = "close SlowConsumer 1013 slow consumer [] 0";
    until("its close event", || server.record.has(event)).await;
}

#[tokio::test]
async fn a_queue_takes_one_more_message_of_any_size() {
    let server = server(SlowConsumer::Close);
    let mut client = Client::connect(server.address, "/").await;
    client.send("flood 1 500000").await;
    assert_eq!(client.text().await.len(), 500_002);
    client.send("flood 1 2000000").await;
    until("refused", || {
        server.record.has("flooded 0 TooLarge(1048576)")
    })
    .await;
    assert_eq!(client.ask("still here").await, "still here");
}

#[tokio::test]
async fn pings_of_a_client_that_does_not_read_take_no_memory() {
    let server = server(SlowConsumer::Close);
    let mut raw = Raw::upgrade(server.address, "/").await;
    let id = server.record.id_of("accept /");
    let pings = frame(0x89, &[b'p'; 125]).repeat(1000);
    for _ in 0..100 {
        raw.send(&pings).await;
        let buffered = server.hub.get(TENANT, id).unwrap().buffered_bytes;
        assert!(buffered < 1000, "{buffered}");
    }
    raw.send(frame(0x81, b"note read")).await;
    until("the host has read on", || server.record.has("read")).await;
    assert_eq!(raw.bytes(127).await[..3], [0x8a, 125, b'p']);
}
