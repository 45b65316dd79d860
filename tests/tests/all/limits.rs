//! Every limit of the manifest, at its edge.

use std::time::{Duration, Instant};

use bytes::Bytes;
use holdfast_tests::host::Host;
use holdfast_tests::http::{get, post, request, send, streamed};
use holdfast_tests::raw::Raw;
use holdfast_tests::setup::Setup;
use holdfast_tests::socket::{End, Socket, handshake};
use holdfast_tests::wait::{PATIENCE, found};
use tokio_tungstenite::tungstenite::Message;

in_both_forms!(
    event_timeout_ms_ends_an_event_that_waits,
    events_max_turns_further_events_away,
    events_max_takes_no_close_event_away,
    memory_bytes_max_makes_growth_fail,
    instances_max_makes_events_wait,
    instance_uses_max_replaces_an_instance,
    instance_idle_ms_drops_an_instance,
    message_bytes_max_holds_both_ways,
    attachment_bytes_max_is_an_error_value,
    topic_limits_are_error_values,
    keyvalue_bytes_max_is_an_error_value,
);

async fn event_timeout_ms_ends_an_event_that_waits(form: &str) {
    let host = Setup::new(form)
        .limit("event_timeout_ms", 300)
        .start()
        .await;
    assert_eq!(get(&host, "/sleep/60000").await.status, 504);
    let mut socket = Socket::open(&host, "/").await;
    socket.send("sleep 60000").await;
    assert!(matches!(socket.end().await, End::Closed(1011, _)));
}

async fn events_max_turns_further_events_away(form: &str) {
    let host = Setup::new(form).limit("events_max", 1).start().await;
    let mut observer = settled(&host, "/?topic=seen").await;
    let mut other = settled(&host, "/").await;
    // It is turned away itself as long as the event before it is not over.
    let busy = found("a free place", || async {
        let response = get(&host, "/sleep/3000?observe=seen").await;
        (response.status == 200).then_some(response)
    });
    let rest = async {
        assert_eq!(observer.text().await, "request begins");
        let response = get(&host, "/hello").await;
        assert_eq!(response.status, 503);
        assert!(!response.header("retry-after").is_empty());
        let refusal = Socket::offer(&host, handshake("/")).await.unwrap_err();
        assert_eq!(refusal.status(), 503);
        other.send("echo x").await;
        assert!(matches!(other.end().await, End::Closed(1013, _)));
    };
    let (response, ()) = tokio::join!(busy, rest);
    assert_eq!(response.text(), "slept");
    settled(&host, "/").await;
}

/// One that computes has begun as well, though it has never waited.
#[tokio::test]
async fn events_max_counts_who_computes() {
    let host = Setup::new("hostile")
        .limit("events_max", 1)
        .limit("event_timeout_ms", 3000)
        .start()
        .await;
    // It is turned away itself as long as one of the others is under way.
    let busy = found("a free place", || async {
        (get(&host, "/act/spin").await.status == 504).then_some(())
    });
    let rest = found("a refusal", || async {
        (get(&host, "/hello").await.status == 503).then_some(())
    });
    let ((), ()) = tokio::join!(busy, rest);
    found("a free place", || async {
        (get(&host, "/hello").await.status == 200).then_some(())
    })
    .await;
}

/// A connection whose handshake and `open` are over, on a host which runs but
/// one event at a time.
async fn settled(host: &Host, path: &str) -> Socket {
    found("a settled connection", || async {
        let mut socket = Socket::offer(host, handshake(path)).await.ok()?;
        socket.try_send("echo settled").await;
        let answer = socket.message().await?;
        matches!(answer, Ok(Message::Text(_))).then_some(socket)
    })
    .await
}

async fn memory_bytes_max_makes_growth_fail(form: &str) {
    let host = Setup::new(form)
        .limit("memory_bytes_max", 16 << 20)
        .start()
        .await;
    let mut socket = Socket::open(&host, "/").await;
    assert_eq!(socket.ask("grow 1000000").await, "grown");
    assert_eq!(socket.ask("grow 20000000").await, "no memory");
    assert_eq!(socket.ask("echo on").await, "on");
}

#[tokio::test]
async fn table_elements_max_keeps_large_tables_out() {
    let host = Setup::new("plain").limit("table_elements_max", 1);
    let error = host.fails().await;
    assert!(error.contains("table"), "{error}");
}

async fn instances_max_makes_events_wait(form: &str) {
    let pause = Duration::from_secs(1);
    let host = Setup::new(form)
        .limit("instances_max", 1)
        .limit("instance_events_max", 1)
        .start()
        .await;
    let mut first = Socket::open(&host, "/?observe=seen").await;
    let mut second = Socket::open(&host, "/").await;
    let mut observer = Socket::watch(&host, "seen").await;
    let start = Instant::now();
    first.send(&format!("sleep {}", pause.as_millis())).await;
    assert!(observer.text().await.contains("receive>"));
    assert_eq!(second.ask("echo after").await, "after");
    assert!(start.elapsed() >= pause, "{:?}", start.elapsed());
    assert_eq!(first.text().await, "slept");
}

#[tokio::test]
async fn instance_events_max_lets_one_instance_run_several_events() {
    let pause = Duration::from_secs(10);
    let host = Setup::new("waiting")
        .host("threads", 1)
        .limit("instances_max", 1)
        .limit("instance_events_max", 2)
        .start()
        .await;
    let mut slow = Socket::open(&host, "/?observe=seen").await;
    let mut quick = Socket::open(&host, "/").await;
    let start = Instant::now();
    slow.send(&format!("sleep {}", pause.as_millis())).await;
    for _ in 0..10 {
        assert_eq!(quick.ask("echo on").await, "on");
    }
    assert!(start.elapsed() < pause, "{:?}", start.elapsed());
}

async fn instance_uses_max_replaces_an_instance(form: &str) {
    let host = Setup::new(form)
        .limit("instances_max", 1)
        .limit("instance_uses_max", 3)
        .start()
        .await;
    let mut socket = Socket::open(&host, "/").await;
    for _ in 0..10 {
        let uses: u32 = socket.ask("uses").await.parse().unwrap();
        assert!(uses <= 3, "{uses}");
    }
}

async fn instance_idle_ms_drops_an_instance(form: &str) {
    let host = Setup::new(form)
        .limit("instances_max", 1)
        .limit("instance_idle_ms", 50)
        .start()
        .await;
    let mut socket = Socket::open(&host, "/").await;
    let deadline = Instant::now() + PATIENCE;
    socket.ask("uses").await;
    // Time has to pass here: it is the limit that is being tested.
    loop {
        tokio::time::sleep(Duration::from_millis(500)).await;
        if socket.ask("uses").await == "1" {
            break;
        }
        assert!(Instant::now() < deadline, "the instance is still there");
    }
}

#[tokio::test]
async fn connections_max_turns_further_clients_away() {
    let host = Setup::new("plain")
        .limit("connections_max", 1)
        .start()
        .await;
    let mut only = Socket::open(&host, "/").await;
    let refusal = Socket::offer(&host, handshake("/")).await.unwrap_err();
    assert_eq!(refusal.status(), 503);
    assert!(refusal.headers().contains_key("retry-after"));
    only.close(1000, "").await;
    found("a free place", || async {
        Socket::offer(&host, handshake("/")).await.ok()
    })
    .await;
}

async fn message_bytes_max_holds_both_ways(form: &str) {
    let host = Setup::new(form)
        .limit("message_bytes_max", 1000)
        .start()
        .await;
    let mut socket = Socket::open(&host, "/").await;
    let largest = Message::binary(vec![7; 1000]);
    socket.send_message(largest.clone()).await;
    assert_eq!(socket.message().await.unwrap().unwrap(), largest);
    let answer = socket.ask("send-bytes 1001").await;
    assert_eq!(answer, "the message is over 1000 bytes");
    socket.send_message(Message::binary(vec![7; 1001])).await;
    assert!(matches!(socket.end().await, End::Closed(1009, _)));
}

async fn attachment_bytes_max_is_an_error_value(form: &str) {
    let host = Setup::new(form)
        .limit("attachment_bytes_max", 100)
        .start()
        .await;
    let mut socket = Socket::open(&host, "/").await;
    let answer = socket.ask(&format!("note {}", "x".repeat(101))).await;
    assert_eq!(answer, "the attachment is over 100 bytes");
    assert_eq!(socket.ask("note short").await, "1");
}

async fn topic_limits_are_error_values(form: &str) {
    let host = Setup::new(form)
        .limit("topics_per_connection_max", 2)
        .limit("topic_bytes_max", 10)
        .start()
        .await;
    let mut socket = Socket::open(&host, "/").await;
    for (command, answer) in [
        ("subscribe 12345678901", "a topic's name has 1 to 10 bytes"),
        ("subscribe ", "a topic's name has 1 to 10 bytes"),
        ("subscribe 1234567890", "subscribed"),
        ("subscribe b", "subscribed"),
        ("subscribe c", "it has 2 topics already"),
        ("subscribe b", "subscribed"),
        ("unsubscribe b", "unsubscribed"),
        ("subscribe c", "subscribed"),
    ] {
        assert_eq!(socket.ask(command).await, answer, "{command}");
    }
}

async fn keyvalue_bytes_max_is_an_error_value(form: &str) {
    let host = Setup::new(form)
        .limit("keyvalue_bytes_max", 1000)
        .start()
        .await;
    let mut socket = Socket::open(&host, "/").await;
    assert_eq!(socket.ask("keep 500").await, "kept");
    let answer = socket.ask("keep 1001").await;
    assert!(answer.contains("its limit is 1000 bytes"), "{answer}");
    // What makes room is always allowed.
    assert_eq!(socket.ask("keep 1").await, "kept");
}

#[tokio::test]
async fn idle_timeout_ms_pings_and_then_closes_a_silent_client() {
    let host = Setup::new("plain")
        .limit("idle_timeout_ms", 1000)
        .start()
        .await;
    let mut observer = Socket::watch(&host, "seen").await;
    let mut silent = Raw::websocket(&host, "/?observe=seen").await;
    // The observer answers pings by waiting for messages.
    for begin in ["accept", "open", "close Idle"] {
        let line = observer.text().await;
        let (_, event) = line.split_once(' ').unwrap();
        assert!(event.starts_with(begin), "{line}");
    }
    let ping = silent.frame().await.unwrap();
    assert_eq!(ping.first, 0x89);
    assert!(silent.close_code().await.is_some());
    assert_eq!(observer.ask("echo here").await, "here");
}

#[tokio::test]
async fn close_timeout_ms_ends_a_client_that_does_not_answer() {
    let host = Setup::new("plain")
        .limit("close_timeout_ms", 200)
        .start()
        .await;
    let mut raw = Raw::websocket(&host, "/").await;
    let close = holdfast_tests::raw::masked(0x81, b"leave 4000");
    raw.send(&close).await;
    // Reads to the end of the connection, and sends nothing.
    assert_eq!(raw.close_code().await, Some(4000));
}

#[tokio::test]
async fn body_bytes_max_is_a_413() {
    let host = Setup::new("plain")
        .limit("body_bytes_max", 1000)
        .start()
        .await;
    assert_eq!(post(&host, "/length", vec![0; 1000]).await.text(), "1000");
    assert_eq!(post(&host, "/length", vec![0; 1001]).await.status, 413);

    let (sender, body) = streamed();
    let sending = send(&host, request("POST", "/length", body));
    let pieces = async {
        for _ in 0..11 {
            // Fails once the host has answered.
            let _ = sender.send(Bytes::from(vec![0; 100])).await;
        }
        drop(sender);
    };
    let (answer, ()) = tokio::join!(sending, pieces);
    assert_eq!(answer.unwrap().status(), 413);
    assert_eq!(get(&host, "/hello").await.status, 200);
}

async fn events_max_takes_no_close_event_away(form: &str) {
    let host = Setup::new(form).limit("events_max", 1).start().await;
    let mut observer = settled(&host, "/?topic=seen").await;
    let mut leaving = settled(&host, "/?observe=left").await;
    assert_eq!(observer.ask("subscribe left").await, "subscribed");
    let busy = found("a free place", || async {
        let response = get(&host, "/sleep/1000?observe=seen").await;
        (response.status == 200).then_some(response)
    });
    let rest = async {
        assert_eq!(observer.text().await, "request begins");
        leaving.close(1000, "").await;
    };
    tokio::join!(busy, rest);
    let event = observer.text().await;
    assert!(event.ends_with("close Client 1000"), "{event}");
}
