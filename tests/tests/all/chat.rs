//! The chat by its wire protocol, as plugins/chat/README.md documents it, in every
//! language.

use holdfast_tests::host::Host;
use holdfast_tests::http::{get, post, request, whole};
use holdfast_tests::setup::Setup;
use holdfast_tests::socket::{Socket, handshake};
use serde_json::{Value, json};

use crate::languages::Language;

in_every_language!(
    a_message_reaches_everybody_in_the_room,
    a_post_from_outside_reaches_every_member,
    a_newcomer_sees_the_last_messages,
    what_is_wrong_is_said_and_changes_nothing,
    many_talk_at_once_and_nothing_is_lost,
);

/// A host that serves the chat of a language.
async fn start(language: &Language) -> Host {
    let component = language.component("chat").await;
    Setup::of_file("chat", &component).start().await
}

/// A client in a room.
struct Member {
    socket: Socket,
    /// Who was there already.
    met: Vec<Value>,
}

impl Member {
    /// Comes and does not join yet.
    async fn visit(host: &Host, room: &str) -> Self {
        let socket = Socket::open(host, &format!("/rooms/{room}")).await;
        let met = Vec::new();
        Self { socket, met }
    }

    /// Joins, and returns the welcome too.
    async fn join(host: &Host, room: &str, nick: &str) -> (Self, Value) {
        let mut member = Self::visit(host, room).await;
        member.say(json!({"type": "join", "nick": nick})).await;
        let mut early = Vec::new();
        let welcome = loop {
            let message = member.next().await;
            if message["type"] != "joined" {
                break message;
            }
            early.push(message["nick"].clone());
        };
        assert_eq!(welcome["type"], "welcome", "{welcome}");
        member.met = welcome["members"].as_array().unwrap().clone();
        assert!(early.iter().all(|nick| member.met.contains(nick)));
        (member, welcome)
    }

    async fn say(&mut self, message: Value) {
        self.socket.send(&message.to_string()).await;
    }

    async fn next(&mut self) -> Value {
        serde_json::from_str(&self.socket.text().await).unwrap()
    }

    /// Hears the next message, but for the announcement of one whom the welcome
    /// has listed: it may be under way still.
    async fn hear(&mut self) -> Value {
        loop {
            let message = self.next().await;
            if message["type"] != "joined" || !self.met.contains(&message["nick"]) {
                return message;
            }
        }
    }

    /// Hears the next message of a type.
    async fn hear_of(&mut self, kind: &str) -> Value {
        let message = self.hear().await;
        assert_eq!(message["type"], kind, "{message}");
        message
    }
}

async fn a_message_reaches_everybody_in_the_room(language: &Language) {
    let host = start(language).await;
    let (mut ada, welcome) = Member::join(&host, "lobby", "Ada").await;
    assert_eq!(welcome["room"], "lobby");
    assert_eq!(welcome["members"], json!(["Ada"]));
    assert_eq!(welcome["messages"], json!([]));

    let (mut grace, welcome) = Member::join(&host, "lobby", "Grace").await;
    assert_eq!(welcome["members"], json!(["Ada", "Grace"]));
    assert_eq!(ada.hear_of("joined").await["nick"], "Grace");
    let (mut outsider, _) = Member::join(&host, "elsewhere", "Eve").await;

    grace.say(json!({"type": "say", "text": "Hello <b>"})).await;
    for member in [&mut ada, &mut grace] {
        let message = member.hear_of("message").await;
        assert_eq!(message["nick"], "Grace");
        assert_eq!(message["text"], "Hello <b>");
        assert_eq!(message["id"], 1);
        assert!(message["time"].as_u64().unwrap() > 1_600_000_000_000);
    }
    grace.socket.close(1000, "").await;
    assert_eq!(ada.hear_of("left").await["nick"], "Grace");
    // Nothing of all this was heard elsewhere.
    outsider.say(json!({"type": "say", "text": "alone"})).await;
    assert_eq!(outsider.hear_of("message").await["text"], "alone");
}

async fn a_post_from_outside_reaches_every_member(language: &Language) {
    let host = start(language).await;
    let (mut ada, _) = Member::join(&host, "lobby", "Ada").await;
    let (mut grace, _) = Member::join(&host, "lobby", "Grace").await;
    ada.hear_of("joined").await;
    let path = "/rooms/lobby/messages";
    let response = post(&host, path, "from a shell").await;
    assert_eq!(response.status, 201, "{}", response.text());

    let body = json!({"nick": "build", "text": "green"}).to_string();
    let mut request = request("POST", path, holdfast_tests::http::full(body));
    let json_type = "application/json".parse().unwrap();
    request.headers_mut().insert("content-type", json_type);
    assert_eq!(whole(&host, request).await.status, 201);

    for member in [&mut ada, &mut grace] {
        let message = member.hear_of("message").await;
        assert_eq!(
            (&message["nick"], &message["text"]),
            (&json!("curl"), &json!("from a shell"))
        );
        let message = member.hear_of("message").await;
        assert_eq!(
            (&message["nick"], &message["text"]),
            (&json!("build"), &json!("green"))
        );
    }
}

async fn a_newcomer_sees_the_last_messages(language: &Language) {
    const HISTORY: usize = 50;
    let host = start(language).await;
    for count in 0..HISTORY + 5 {
        let response = post(&host, "/rooms/lobby/messages", count.to_string()).await;
        assert_eq!(response.status, 201);
    }
    let (_ada, welcome) = Member::join(&host, "lobby", "Ada").await;
    let texts: Vec<String> = welcome["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| message["text"].as_str().unwrap().to_owned())
        .collect();
    let expected: Vec<String> = (5..HISTORY + 5).map(|count| count.to_string()).collect();
    assert_eq!(texts, expected);

    let listed = get(&host, "/rooms/lobby/messages").await;
    let listed: Value = serde_json::from_str(listed.text()).unwrap();
    assert_eq!(listed["messages"], welcome["messages"]);
    let members = get(&host, "/rooms/lobby/members").await;
    let members: Value = serde_json::from_str(members.text()).unwrap();
    assert_eq!(members, json!({"members": ["Ada"]}));
}

async fn what_is_wrong_is_said_and_changes_nothing(language: &Language) {
    let host = start(language).await;
    let (mut ada, _) = Member::join(&host, "lobby", "Ada").await;
    let mut bob = Member::visit(&host, "lobby").await;
    for (message, code) in [
        (json!("hello"), "not-json"),
        (json!({"type": "dance"}), "unknown-type"),
        (json!({"type": "say", "text": "early"}), "not-joined"),
        (json!({"type": "join", "nick": "aDA"}), "nick-taken"),
        (json!({"type": "join", "nick": " "}), "bad-nick"),
        (json!({"type": "join", "nick": "a\u{202e}b"}), "bad-nick"),
    ] {
        bob.say(message.clone()).await;
        assert_eq!(bob.hear_of("error").await["code"], code, "{message}");
    }
    for (message, code) in [
        (json!({"type": "join", "nick": "Ada"}), "already-joined"),
        (json!({"type": "say", "text": ""}), "bad-text"),
        (json!({"type": "say", "text": "x".repeat(1001)}), "bad-text"),
        (json!({"type": "say", "text": "\u{1b}[2J"}), "bad-text"),
    ] {
        ada.say(message.clone()).await;
        assert_eq!(ada.hear_of("error").await["code"], code, "{message}");
    }
    assert_eq!(post(&host, "/rooms/lobby/messages", "").await.status, 400);
    let refusal = Socket::offer(&host, handshake("/rooms/a%20b")).await;
    assert_eq!(refusal.unwrap_err().status(), 404);
}

async fn many_talk_at_once_and_nothing_is_lost(language: &Language) {
    const MEMBERS: usize = 10;
    const MESSAGES: usize = 20;
    let host = start(language).await;
    let mut members = Vec::new();
    for count in 0..MEMBERS {
        let (member, _) = Member::join(&host, "lobby", &format!("m{count}")).await;
        members.push(member);
    }
    for count in 0..MESSAGES {
        for member in &mut members {
            member
                .say(json!({"type": "say", "text": count.to_string()}))
                .await;
        }
    }
    for member in &mut members {
        let mut ids = Vec::new();
        while ids.len() < MEMBERS * MESSAGES {
            let message = member.hear().await;
            if message["type"] == "message" {
                ids.push(message["id"].as_u64().unwrap());
            } else {
                assert_eq!(message["type"], "joined", "{message}");
            }
        }
        ids.sort_unstable();
        let all: Vec<u64> = (1..=(MEMBERS * MESSAGES) as u64).collect();
        assert_eq!(ids, all);
    }
}
