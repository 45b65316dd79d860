//! Semantics 1 and 2: for one connection `accept` once, `open` once, messages in
//! order and one at a time, `close` exactly once, whatever happened; different
//! connections concurrently.

use std::time::{Duration, Instant};

use holdfast_tests::host::Host;
use holdfast_tests::raw::{Raw, masked};
use holdfast_tests::setup::Setup;
use holdfast_tests::socket::{End, Socket};

in_both_forms!(
    messages_come_in_order_one_at_a_time,
    messages_sent_before_the_101_come_after_open,
    close_comes_exactly_once,
    close_comes_once_after_a_failed_open,
    connections_run_concurrently,
);

/// The events of one connection as the observer has seen them, up to `close`.
/// The id in front of each is taken off.
async fn life(observer: &mut Socket) -> Vec<String> {
    let mut id = String::new();
    let mut events = Vec::new();
    loop {
        let line = observer.text().await;
        let (from, event) = line.split_once(' ').unwrap();
        if events.is_empty() {
            id = from.to_owned();
        }
        assert_eq!(from, id, "another connection's event: {line}");
        events.push(event.to_owned());
        if event.starts_with("close ") {
            return events;
        }
    }
}

/// A connection that lives and ends: what comes after it shows that the one
/// before has had no second `close`.
async fn nothing_is_left(host: &Host, observer: &mut Socket) {
    let mut socket = Socket::open(host, "/?observe=seen").await;
    socket.close(1000, "").await;
    let expected = ["accept", "open", "close Client 1000"];
    assert_eq!(life(observer).await, expected);
}

async fn messages_come_in_order_one_at_a_time(form: &str) {
    let host = Setup::new(form).start().await;
    let mut observer = Socket::watch(&host, "seen").await;
    let mut socket = Socket::open(&host, "/?observe=seen").await;
    let mut expected = vec!["accept".to_owned(), "open".to_owned()];
    // The first ones take longer, so that a later one could overtake them.
    for (count, pause_ms) in [40, 20, 10, 5, 0, 0, 0, 0].into_iter().enumerate() {
        for text in [format!("sleep {pause_ms}"), format!("echo {count}")] {
            socket.send(&text).await;
            expected.push(format!("receive> {text}"));
            expected.push(format!("receive< {text}"));
        }
    }
    for count in 0..8 {
        assert_eq!(socket.text().await, "slept");
        assert_eq!(socket.text().await, count.to_string());
    }
    let end = socket.close(1000, "done").await;
    assert_eq!(end, End::Closed(1000, "done".to_owned()));
    expected.push("close Client 1000 done".to_owned());
    assert_eq!(life(&mut observer).await, expected);
    nothing_is_left(&host, &mut observer).await;
}

async fn messages_sent_before_the_101_come_after_open(form: &str) {
    let host = Setup::new(form).start().await;
    let mut observer = Socket::watch(&host, "seen").await;
    let mut raw = Raw::connect(&host).await;
    // An impatient client: handshake and first message in one packet.
    let mut bytes = b"GET /?observe=seen&accept=sleep:50 HTTP/1.1\r\nhost: a\r\n\
        connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
        sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        .to_vec();
    bytes.extend(masked(0x81, b"echo early"));
    raw.send(&bytes).await;
    assert!(raw.head().await.starts_with("HTTP/1.1 101"));
    assert_eq!(raw.frame().await.unwrap().payload, b"early");
    drop(raw);
    let expected = [
        "accept",
        "open",
        "receive> echo early",
        "receive< echo early",
        "close ConnectionLost 1006",
    ];
    assert_eq!(life(&mut observer).await, expected);
}

/// Ways to end a connection: the last message, and how its `close` event begins.
const ENDS: [(&str, &[&str]); 6] = [
    ("go away", &["close Client 1001 gone"]),
    ("vanish", &["close ConnectionLost 1006"]),
    ("break the protocol", &["close Error 1002"]),
    (
        "leave 4000 enough",
        &[
            "receive> leave 4000 enough",
            "receive< leave 4000 enough",
            "close Server 4000 enough",
        ],
    ),
    ("trap", &["receive> trap", "close Error 1011"]),
    ("fail", &["receive> fail", "close Error 1011"]),
];

async fn close_comes_exactly_once(form: &str) {
    let host = Setup::new(form).start().await;
    let mut observer = Socket::watch(&host, "seen").await;
    for (how, expected) in ENDS {
        let mut socket = Socket::open(&host, "/?observe=seen").await;
        match how {
            "go away" => drop(socket.close(1001, "gone").await),
            "vanish" => drop(socket),
            "break the protocol" => {
                let unmasked = [0x81, 0x01, b'x'];
                let tcp = socket.tcp();
                tokio::io::AsyncWriteExt::write_all(tcp, &unmasked)
                    .await
                    .unwrap();
                socket.end().await;
            }
            text => {
                socket.send(text).await;
                socket.end().await;
            }
        }
        let events = life(&mut observer).await;
        assert_eq!(events[..2], ["accept", "open"], "{how}");
        let rest = &events[2..];
        assert_eq!(rest.len(), expected.len(), "{how}: {rest:?}");
        for (event, expected) in rest.iter().zip(expected) {
            assert!(event.starts_with(expected), "{how}: {rest:?}");
        }
        nothing_is_left(&host, &mut observer).await;
    }
}

async fn close_comes_once_after_a_failed_open(form: &str) {
    let host = Setup::new(form).start().await;
    let mut observer = Socket::watch(&host, "seen").await;
    for word in ["trap", "fail"] {
        let mut socket = Socket::open(&host, &format!("/?observe=seen&open={word}")).await;
        assert!(matches!(socket.end().await, End::Closed(1011, _)));
        let events = life(&mut observer).await;
        assert_eq!(events[..2], ["accept", "open"]);
        assert!(events[2].starts_with("close Error 1011"), "{events:?}");
        assert_eq!(events.len(), 3);
    }
    // A `close` that fails is still the only one.
    for word in ["trap", "fail"] {
        let mut socket = Socket::open(&host, &format!("/?observe=seen&close={word}")).await;
        socket.close(1000, "").await;
        let expected = ["accept", "open", "close Client 1000"];
        assert_eq!(life(&mut observer).await, expected);
        nothing_is_left(&host, &mut observer).await;
    }
}

async fn connections_run_concurrently(form: &str) {
    let pause = Duration::from_secs(10);
    let host = Setup::new(form).start().await;
    let mut slow = Socket::open(&host, "/").await;
    let mut quick = Socket::open(&host, "/").await;
    let start = Instant::now();
    slow.send(&format!("sleep {}", pause.as_millis())).await;
    for count in 0..100 {
        let answer = quick.ask(&format!("echo {count}")).await;
        assert_eq!(answer, count.to_string());
    }
    assert!(start.elapsed() < pause, "the quick one has waited");
}
