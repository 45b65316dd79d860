use std::time::Duration;

use holdfast_core::limits::{OnError, RawLimits};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use futures_util::SinkExt;

use crate::support::client::{Client, Raw, frame};
use crate::support::server::{Options, Server};
use crate::support::{soon, until};

#[tokio::test]
async fn events_come_in_order_and_close_once() {
    let server = Server::start();
    let mut client = Client::connect(server.address, "/rich").await;
    for index in 0..300 {
        client.send(&format!("note {index}")).await;
    }
    client.0.close(None).await.unwrap();
    assert_eq!(client.closed().await, (1005, String::new()));
    until("it has ended", || server.record.events().len() == 303).await;
    let mut expected = vec!["accept /rich".to_owned(), "open card".to_owned()];
    expected.extend((0..300).map(|index| index.to_string()));
    expected.push("close Client 1005  [card] 0".to_owned());
    assert_eq!(server.record.events(), expected);
}

#[tokio::test]
async fn echoes_of_every_size() {
    let server = Server::start();
    let mut client = Client::connect(server.address, "/").await;
    for len in [0, 1, 125, 126, 0xffff, 0x1_0000, 1 << 20] {
        let text = "x".repeat(len);
        assert!(client.ask(&text).await == text, "{len}");
        client.0.send(Message::binary(text.clone())).await.unwrap();
        assert!(client.receive().await.into_data() == text, "{len}");
    }
}

#[tokio::test]
async fn many_messages_at_once_are_answered_in_order() {
    let server = Server::start();
    let mut raw = Raw::upgrade(server.address, "/").await;
    let (mut sent, mut expected) = (Vec::new(), Vec::new());
    for index in 0..5000 {
        let text = format!("{index:04}");
        sent.extend(frame(0x81, text.as_bytes()));
        expected.extend(b"\x81\x04");
        expected.extend(text.as_bytes());
    }
    raw.send(sent).await;
    assert!(raw.bytes(expected.len()).await == expected);
}

#[tokio::test]
async fn messages_wait_while_one_is_handled_but_others_can_send() {
    let server = Server::start();
    let mut slow = Client::connect(server.address, "/rich").await;
    let mut other = Client::connect(server.address, "/").await;
    slow.send("wait").await;
    slow.send("note next").await;
    until("the guest waits", || server.record.has("waiting")).await;
    assert_eq!(other.ask("tell news hello").await, "told 1");
    assert_eq!(slow.text().await, "hello");
    assert!(!server.record.has("next"));
    server.record.gate.open();
    until("the next has come", || server.record.has("next")).await;
    let events = server.record.events();
    let waited = events.iter().position(|event| event == "waited");
    let next = events.iter().position(|event| event == "next");
    assert!(waited < next);
}

/// What a client sends, and the code and event that follow.
#[tokio::test]
async fn breaches_of_the_protocol_have_their_codes() {
    let server = Server::start();
    let large = (2u32 << 20).to_be_bytes();
    for (sent, code, event) in [
        (b"\x81\x01x".to_vec(), 1002, "Error"),
        (frame(0xc1, b"x"), 1002, "Error"),
        (frame(0x83, b"x"), 1002, "Error"),
        (frame(0x80, b"x"), 1002, "Error"),
        (frame(0x09, b"x"), 1002, "Error"),
        (frame(0x88, b"\x03"), 1002, "Error"),
        (frame(0x88, &1005u16.to_be_bytes()), 1002, "Error"),
        (frame(0x81, b"\xff"), 1007, "Error"),
        (frame(0x88, b"\x03\xe8\xff"), 1007, "Error"),
        (
            [b"\x82\xff\0\0\0\0", &large[..], &[0; 4]].concat(),
            1009,
            "Limit",
        ),
    ] {
        let mut raw = Raw::upgrade(server.address, "/").await;
        raw.send(&sent).await;
        let header = raw.bytes(4).await;
        assert_eq!(header[0], 0x88, "{sent:?}");
        assert_eq!(header[2..], u16::to_be_bytes(code), "{sent:?}");
        drop(raw);
        until("it has ended", || server.connection_count() == 0).await;
        until("its close event", || {
            let events = server.record.events();
            let start = format!("close {event} {code} ");
            events.last().is_some_and(|last| last.starts_with(&start))
        })
        .await;
    }
}

#[tokio::test]
async fn a_clients_close_is_echoed() {
    let server = Server::start();
    for (payload, event) in [
        (&b""[..], "close Client 1005  [] 0"),
        (b"\x03\xe8", "close Client 1000  [] 0"),
        (b"\x0f\xa0bye", "close Client 4000 bye [] 0"),
    ] {
        let mut raw = Raw::upgrade(server.address, "/").await;
        raw.send(frame(0x88, payload)).await;
        let mut expected = vec![0x88, payload.len() as u8];
        expected.extend(payload);
        // The server ends the connection first (RFC 6455, section 7.1.1).
        assert_eq!(raw.rest().await, expected);
        until("its close event", || server.record.has(event)).await;
    }
}

#[tokio::test]
async fn a_handlers_close_sends_what_is_queued_first() {
    let server = Server::start();
    let mut client = Client::connect(server.address, "/").await;
    client.send("flood 3 10").await;
    client.send("close 4001 enough").await;
    for index in 0..3 {
        assert!(client.text().await.starts_with(&index.to_string()));
    }
    assert_eq!(client.closed().await, (4001, "enough".to_owned()));
    let event = "close Server 4001 enough [] 0";
    until("its close event", || server.record.has(event)).await;
    assert!(server.record.has("Ok(())"));
}

#[tokio::test]
async fn a_client_that_never_answers_a_close_is_left() {
    let options = Options {
        limits: RawLimits {
            close_timeout_ms: Some(50),
            ..RawLimits::default()
        },
        ..Options::default()
    };
    let server = options.start();
    let mut raw = Raw::upgrade(server.address, "/").await;
    raw.send(frame(0x81, b"close 1000")).await;
    assert_eq!(raw.rest().await, b"\x88\x02\x03\xe8");
    until("its close event", || {
        server.record.has("close Server 1000  [] 0")
    })
    .await;
}

#[tokio::test]
async fn failed_events_close_the_connection_as_documented() {
    let server = Server::start();
    for (message, code, cause) in [
        ("trap", 1011, "Error"),
        ("timeout", 1011, "Error"),
        ("no-handler", 1011, "Error"),
        ("fail", 1011, "Error"),
        ("overloaded", 1013, "Limit"),
    ] {
        let mut neighbour = Client::connect(server.address, "/").await;
        let mut client = Client::connect(server.address, "/").await;
        client.send("disrupted").await;
        assert_eq!(client.ask("it was skipped").await, "it was skipped");
        client.send(message).await;
        let (sent, reason) = client.closed().await;
        assert_eq!(sent, code, "{message}");
        assert!(!reason.contains("secret"));
        let event = format!("close {cause} {code} {reason} [] 0");
        until(&event, || server.record.has(&event)).await;
        assert_eq!(neighbour.ask("still here").await, "still here");
    }
}

#[tokio::test]
async fn a_failed_message_may_be_skipped() {
    let options = Options {
        on_error: OnError::Skip,
        ..Options::default()
    };
    let server = options.start();
    let mut client = Client::connect(server.address, "/").await;
    client.send("fail").await;
    assert_eq!(client.ask("next").await, "next");
}

#[tokio::test]
async fn a_client_that_vanishes_is_lost() {
    let server = Server::start();
    let raw = Raw::upgrade(server.address, "/").await;
    until("it is open", || server.record.has("open")).await;
    drop(raw);
    let event = "close ConnectionLost 1006  [] 0";
    until("its close event", || server.record.has(event)).await;
    until("it is not counted", || server.connection_count() == 0).await;
}

#[tokio::test]
async fn attachments_are_compared_and_set() {
    let server = Server::start();
    let mut client = Client::connect(server.address, "/rich").await;
    assert_eq!(client.ask("attach one").await, "Ok(1) Err(Conflict(1))");
    assert_eq!(client.ask("attach two").await, "Ok(2) Err(Conflict(2))");
    client.send(&format!("attach {}", "x".repeat(5000))).await;
    assert!(client.text().await.starts_with("Err(TooLarge(4096)) "));
    assert_eq!(client.ask("attach three").await, "Ok(4) Err(Conflict(4))");
    client.0.close(None).await.unwrap();
    let event = "close Client 1005  [three] 0";
    until("its close event", || server.record.has(event)).await;
}

#[tokio::test]
async fn pings_are_answered_between_fragments() {
    let server = Server::start();
    let mut raw = Raw::upgrade(server.address, "/").await;
    raw.send([frame(0x02, b"ab"), frame(0x89, b"p"), frame(0x80, b"cd")].concat())
        .await;
    assert_eq!(raw.bytes(9).await, b"\x8a\x01p\x82\x04abcd");
}

#[tokio::test]
async fn a_silent_client_is_pinged_and_then_closed() {
    let options = Options {
        limits: RawLimits {
            idle_timeout_ms: Some(200),
            ..RawLimits::default()
        },
        ..Options::default()
    };
    let server = options.start();
    // This one answers pings as long as somebody reads.
    let mut alive = Client::connect(server.address, "/").await;
    let reader = tokio::spawn(async move {
        let pinged = tokio::time::timeout(Duration::from_millis(800), alive.closed()).await;
        assert!(pinged.is_err(), "a client that answers is not idle");
        assert_eq!(alive.ask("here").await, "here");
    });
    let mut silent = Raw::upgrade(server.address, "/").await;
    assert_eq!(silent.bytes(2).await, b"\x89\x00");
    let close = silent.bytes(4).await;
    assert_eq!(close[2..], 1001u16.to_be_bytes());
    drop(silent);
    let event = "close Idle 1001 idle for too long [] 0";
    until("its close event", || server.record.has(event)).await;
    soon("the other", reader).await.unwrap();
}

#[tokio::test]
async fn a_slow_guest_is_not_the_clients_silence() {
    let options = Options {
        limits: RawLimits {
            idle_timeout_ms: Some(50),
            ..RawLimits::default()
        },
        ..Options::default()
    };
    let server = options.start();
    let mut client = Client::connect(server.address, "/").await;
    client.send("wait").await;
    until("the guest waits", || server.record.has("waiting")).await;
    let read = tokio::time::timeout(Duration::from_millis(300), client.closed()).await;
    assert!(read.is_err(), "nothing is closed while the guest works");
    server.record.gate.open();
    until("the guest is done", || server.record.has("waited")).await;
}

#[tokio::test]
async fn codes_and_reasons_that_may_not_be_sent_are_refused() {
    let server = Server::start();
    let mut client = Client::connect(server.address, "/").await;
    client.send("close 1006").await;
    until("refused", || server.record.has("Err(InvalidCode)")).await;
    client
        .send(&format!("close 1000 {}", "x".repeat(124)))
        .await;
    until("refused", || server.record.has("Err(ReasonTooLong)")).await;
    let frame = CloseFrame {
        code: 1000.into(),
        reason: "done".into(),
    };
    client.0.close(Some(frame)).await.unwrap();
    assert_eq!(client.closed().await, (1000, "done".to_owned()));
}
