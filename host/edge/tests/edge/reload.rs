use std::collections::BTreeMap;

use holdfast_core::Edge;
use holdfast_core::edge::{AttachmentError, Migrated};
use holdfast_core::limits::RawLimits;

use crate::support::client::Client;
use crate::support::native::TENANT;
use crate::support::server::{Options, PLUGIN, Server};
use crate::support::until;

#[tokio::test]
async fn a_connection_is_moved_before_its_next_event() {
    let server = Server::start();
    let mut client = Client::connect(server.address, "/rich").await;
    let mut silent = Client::connect(server.address, "/").await;
    assert_eq!(client.ask("who").await, "1 0 card");
    let count = |counts: &[(u32, u32)]| BTreeMap::from_iter(counts.iter().copied());
    let counts = || server.hub.generation_counts(PLUGIN);
    assert_eq!(counts(), count(&[(1, 2)]));
    server.reload(&RawLimits::default());
    assert_eq!(client.ask("who").await, "2 1 new card");
    assert_eq!(client.ask("who").await, "2 1 new card", "moved once");
    assert_eq!(counts(), count(&[(1, 1), (2, 1)]));
    // Topics stay, and so does who is not addressed.
    assert_eq!(silent.ask("tell news hello").await, "told 1");
    assert_eq!(client.text().await, "hello");
    let _third = Client::connect(server.address, "/").await;
    assert_eq!(counts(), count(&[(2, 3)]));
}

#[tokio::test]
async fn a_stale_migration_changes_nothing() {
    let server = Server::start();
    let mut client = Client::connect(server.address, "/rich").await;
    assert_eq!(client.ask("attach one").await, "Ok(1) Err(Conflict(1))");
    let id = server.record.id_of("accept /rich");
    let second = server.reload(&RawLimits {
        attachment_bytes_max: Some(5),
        ..RawLimits::default()
    });
    let adopt = |attachment: &str, expected| {
        let attachment = attachment.to_owned().into();
        let migrated = Migrated {
            attachment,
            expected,
        };
        server.hub.adopt(id, &second, Some(migrated))
    };
    assert_eq!(adopt("stale", 0), Err(AttachmentError::Conflict(1)));
    assert_eq!(adopt("too large", 1), Err(AttachmentError::TooLarge(5)));
    assert_eq!(
        server.hub.generation_counts(PLUGIN),
        BTreeMap::from([(1, 1)])
    );
    assert_eq!(server.hub.get(TENANT, id).unwrap().attachment, "one");
    assert_eq!(adopt("two", 1), Ok(2));
    assert_eq!(client.ask("who").await, "2 2 two");
}

#[tokio::test]
async fn limits_hold_from_the_move_on() {
    let server = Server::start();
    let mut client = Client::connect(server.address, "/").await;
    let long = "x".repeat(200);
    for topic in ["a", "b"] {
        assert_eq!(client.ask(&format!("join {topic}")).await, "Ok(())");
    }
    client.send("flood 3 50").await;
    until("taken", || server.record.has("flooded 3")).await;
    for _ in 0..3 {
        client.text().await;
    }
    server.reload(&RawLimits {
        topics_per_connection_max: Some(1),
        topic_bytes_max: Some(2),
        attachment_bytes_max: Some(10),
        queue_bytes_max: Some(40),
        message_bytes_max: Some(100),
        ..RawLimits::default()
    });
    assert_eq!(client.ask("join c").await, "Err(TooMany(1))");
    assert_eq!(client.ask("join abc").await, "Err(InvalidName(2))");
    assert_eq!(server.hub.count(TENANT, "b"), 1, "what it has it keeps");
    let attached = client.ask("attach 12345678901").await;
    assert!(attached.starts_with("Err(TooLarge(10)) "), "{attached}");
    client.send("flood 3 50").await;
    until("refused", || server.record.has("flooded 1 Full(54)")).await;
    client.text().await;
    client.send(&long).await;
    let reason = "the message is too large".to_owned();
    assert_eq!(client.closed().await, (1009, reason));
}

#[tokio::test]
async fn limits_can_grow() {
    let options = Options {
        limits: RawLimits {
            message_bytes_max: Some(10),
            connections_max: Some(1),
            ..RawLimits::default()
        },
        ..Options::default()
    };
    let server = options.start();
    let mut client = Client::connect(server.address, "/").await;
    server.reload(&RawLimits::default());
    assert_eq!(client.ask("short").await, "short");
    let long = "x".repeat(200);
    assert_eq!(client.ask(&long).await, long);
    Client::connect(server.address, "/").await;
}

#[tokio::test]
async fn a_shorter_idle_time_out_is_kept() {
    let server = Server::start();
    let mut client = Client::connect(server.address, "/").await;
    server.reload(&RawLimits {
        idle_timeout_ms: Some(100),
        ..RawLimits::default()
    });
    assert_eq!(client.ask("who").await, "2 1 new ");
    // It does not read, so it does not answer pings.
    let event = "close Idle 1001 idle for too long [new ] 0";
    until("closed", || server.record.has(event)).await;
}
