use holdfast_core::limits::RawLimits;
use holdfast_core::{Edge, MessageRef, TenantId};

use crate::support::client::Client;
use crate::support::native::TENANT;
use crate::support::server::{Options, Server};
use crate::support::until;

#[tokio::test]
async fn a_message_reaches_all_subscribers_on_all_loops_but_the_sender() {
    let options = Options {
        loops: 2,
        ..Options::default()
    };
    let server = options.start();
    let mut clients = Vec::new();
    for _ in 0..20 {
        clients.push(Client::connect(server.address, "/rich").await);
    }
    until("all are in", || server.hub.count(TENANT, "news") == 20).await;
    for round in 0..20 {
        let text = format!("round {round}");
        let (sender, others) = clients.split_first_mut().unwrap();
        assert_eq!(sender.ask(&format!("tell news {text}")).await, "told 19");
        for client in others {
            assert_eq!(client.text().await, text);
        }
        clients.rotate_left(1);
    }
    drop(clients);
    until("all are out", || server.hub.count(TENANT, "news") == 0).await;
    until("all have ended", || server.connection_count() == 0).await;
}

#[tokio::test]
async fn subscriptions_have_limits_and_ends() {
    let options = Options {
        limits: RawLimits {
            topics_per_connection_max: Some(2),
            topic_bytes_max: Some(5),
            ..RawLimits::default()
        },
        ..Options::default()
    };
    let server = options.start();
    let mut client = Client::connect(server.address, "/").await;
    for (message, answer) in [
        ("join a", "Ok(())"),
        ("join a", "Ok(())"),
        ("join b", "Ok(())"),
        ("join c", "Err(TooMany(2))"),
        ("join ", "Err(InvalidName(5))"),
        ("join abcdef", "Err(InvalidName(5))"),
        ("leave a", ""),
        ("join c", "Ok(())"),
    ] {
        match answer {
            "" => client.send(message).await,
            answer => assert_eq!(client.ask(message).await, answer, "{message}"),
        }
    }
    let counts = ["a", "b", "c"].map(|topic| server.hub.count(TENANT, topic));
    assert_eq!(counts, [0, 1, 1]);
    client.0.close(None).await.unwrap();
    client.closed().await;
    until("none is left", || server.hub.count(TENANT, "b") == 0).await;
}

#[tokio::test]
async fn another_tenant_finds_neither_topic_nor_connection() {
    let other = TenantId(2);
    let server = Server::start();
    let mut client = Client::connect(server.address, "/rich").await;
    assert_eq!(client.ask("hello").await, "hello");
    let id = server.record.id_of("accept /rich");
    let hub = &server.hub;
    assert!(hub.get(TENANT, id).is_some());
    assert!(hub.get(other, id).is_none());
    let text = MessageRef::Text("psst");
    assert!(hub.send(other, id, text).is_err());
    assert!(hub.close(other, id, 1000, "").is_err());
    assert!(hub.set_attachment(other, id, b"", None).is_err());
    assert!(hub.subscribe(other, id, "news").is_err());
    assert_eq!(hub.count(other, "news"), 0);
    assert_eq!(hub.publish(other, "news", text, None).queued, 0);
    let subscribers = hub.subscribers(TENANT, "news", 10);
    assert_eq!(subscribers, [(id, "card".into())]);
    assert!(hub.subscribers(TENANT, "news", 0).is_empty());
    assert_eq!(client.ask("still").await, "still");
}
