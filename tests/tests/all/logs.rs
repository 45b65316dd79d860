//! The log: as JSON, over the admin listener, and what it says of requests.

use holdfast_tests::admin::Admin;
use holdfast_tests::build::Build;
use holdfast_tests::folder::Folder;
use holdfast_tests::host::Host;
use holdfast_tests::http::{Response, full, get, request, whole};
use holdfast_tests::setup::Setup;
use holdfast_tests::socket::{Socket, handshake};
use holdfast_tests::wait::{found, patiently};
use http_body_util::BodyExt;
use serde_json::Value;

const TENANTS: &str = "
[[admin.tokens]]
name = \"acme\"
role = \"read-only\"
tenant = \"acme\"
env = \"TEST_TOKEN_OF_ACME\"
[[plugin]]
name = \"chat\"
tenant = \"acme\"
component = \"{waiting.wasm}\"
[[plugin]]
name = \"chat\"
tenant = \"other\"
component = \"{plain.wasm}\"
[[route]]
path = \"/a\"
plugin = \"chat\"
tenant = \"acme\"
[[route]]
path = \"/o\"
plugin = \"chat\"
tenant = \"other\"
";

const TOKEN: &str = "reader-of-acme-12";

async fn start(setup: Setup) -> (Host, Admin, Folder) {
    let data = Folder::new();
    let setup = setup.variable("HOLDFAST_LOG_FORMAT", "json");
    let host = setup.data(data.path()).start().await;
    let admin = Admin::of(data.path());
    (host, admin, data)
}

async fn tenants() -> (Host, Admin, Folder) {
    start(Setup::manifest(TENANTS).variable("TEST_TOKEN_OF_ACME", TOKEN)).await
}

/// The lines that are kept.
async fn lines(admin: &Admin, query: &str) -> Vec<Value> {
    let answer = admin.ask("GET", &format!("/v1/logs{query}"), "").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), "application/x-ndjson");
    let lines = answer.text().lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Waits for a line with this message.
async fn line(admin: &Admin, message: &str) -> Value {
    found(&format!("the line `{message}`"), async || {
        let lines = lines(admin, "").await;
        lines.into_iter().find(|line| line["message"] == message)
    })
    .await
}

/// Sends a request that is called so.
async fn named(host: &Host, path: &str, id: &str) -> Response {
    let mut request = request("GET", path, full(""));
    request
        .headers_mut()
        .insert("x-request-id", id.parse().unwrap());
    whole(host, request).await
}

#[tokio::test]
async fn a_tenants_token_sees_its_own_lines() {
    let (host, admin, _data) = tenants().await;
    let mut own = Socket::open(&host, "/a").await;
    let mut other = Socket::open(&host, "/o").await;
    own.send("log of acme").await;
    other.send("log of other").await;
    line(&admin, "of other").await;
    line(&admin, "of acme").await;
    let all = lines(&admin, "").await;
    let has = |lines: &[Value], tenant: &str| lines.iter().any(|it| it["tenant"] == tenant);
    assert!(has(&all, "acme") && has(&all, "other"));
    assert!(
        all.iter().any(|line| line["tenant"].is_null()),
        "the host's own"
    );

    let reader = admin.with_token(TOKEN);
    for query in ["", "?plugin=chat", "?tenant=acme", "?level=info"] {
        let seen = lines(&reader, query).await;
        assert!(!seen.is_empty(), "{query}");
        assert!(seen.iter().all(|line| line["tenant"] == "acme"), "{query}");
    }
    assert!(lines(&reader, "?level=error").await.is_empty());
    assert!(lines(&reader, "?plugin=nothing").await.is_empty());
    for tenant in ["other", "nobody"] {
        let path = format!("/v1/logs?tenant={tenant}");
        assert_eq!(reader.ask("GET", &path, "").await.status, 404);
    }
    for bad in ["tenant=a%20b", "level=loud", "follow=yes", "more=1"] {
        let path = format!("/v1/logs?{bad}");
        assert_eq!(admin.ask("GET", &path, "").await.status, 400, "{bad}");
    }
    host.stop().await;
}

#[tokio::test]
async fn lines_are_followed_as_they_come() {
    let (host, admin, _data) = tenants().await;
    let path = "/v1/logs?follow=true&tenant=acme&level=info";
    let mut following = admin.send("GET", path, full("")).await.into_body();
    let mut socket = Socket::open(&host, "/a").await;
    for number in 0..3 {
        let text = format!("line {number}");
        socket.send(&format!("log {text}")).await;
        loop {
            let frame = patiently("a line", following.frame())
                .await
                .unwrap()
                .unwrap();
            let line: Value = serde_json::from_slice(frame.data_ref().unwrap()).unwrap();
            assert_eq!(line["tenant"], "acme");
            if line["message"] == *text {
                break;
            }
        }
    }
    host.stop().await;
}

#[tokio::test]
async fn lines_say_of_what_they_tell() {
    for form in ["plain", "waiting"] {
        let (host, admin, _data) = start(Setup::of_build(&Build::new(form, 1))).await;
        let mut socket = Socket::open(&host, "/").await;
        let mut other = Socket::open(&host, "/").await;
        let id = socket.ask("id").await;
        let others = other.ask("id").await;
        socket.send("log mine").await;
        other.send("log yours").await;
        let mine = line(&admin, "mine").await;
        assert_eq!(mine["connection"], *id, "{form}");
        assert_eq!(line(&admin, "yours").await["connection"], *others, "{form}");
        assert_eq!(mine["generation"], 1);
        assert_eq!(mine["plugin"], "fixture");
        assert_eq!(mine["tenant"], "default");
        assert!(mine["request_id"].is_null());

        assert_eq!(named(&host, "/log/hello", "from-a-test").await.status, 200);
        let hello = line(&admin, "hello").await;
        assert_eq!(hello["request_id"], "from-a-test", "{form}");
        assert!(hello["connection"].is_null(), "{form}");
        assert_eq!(named(&host, "/act/fail", "it-fails").await.status, 500);
        let failed = line(&admin, "the handler failed: told to fail").await;
        assert_eq!(failed["request_id"], "it-fails");
        assert_eq!(failed["generation"], 1);
        host.stop().await;
    }
}

#[tokio::test]
async fn a_request_has_one_id_for_everybody() {
    let (host, _admin, _data) = start(Setup::of_build(&Build::new("plain", 1))).await;
    let seen = named(&host, "/headers", "abc-123").await;
    assert!(
        seen.text().contains("x-request-id: abc-123"),
        "{}",
        seen.text()
    );
    assert_eq!(seen.header("x-request-id"), "abc-123");
    let made = get(&host, "/headers").await;
    let id = made.header("x-request-id").to_owned();
    assert_eq!(id.len(), 32);
    assert!(made.text().contains(&format!("x-request-id: {id}")));
    assert_ne!(get(&host, "/headers").await.header("x-request-id"), id);
    for bad in ["a b", "a\"b", &"x".repeat(129)] {
        let answer = named(&host, "/headers", bad).await;
        assert_eq!(answer.header("x-request-id").len(), 32, "{bad}");
    }
    assert_eq!(
        get(&host, "/status/404").await.header("x-request-id").len(),
        32
    );
    let mut request = handshake("/");
    request
        .headers_mut()
        .insert("x-request-id", "a-socket".parse().unwrap());
    let socket = Socket::offer(&host, request).await.unwrap();
    assert_eq!(socket.header("x-request-id"), "a-socket");
    let refusal = Socket::offer(&host, handshake("/?reject=403")).await;
    let refusal = refusal.unwrap_err();
    assert_eq!(refusal.headers()["x-request-id"].len(), 32);
    host.stop().await;
}

#[tokio::test]
async fn the_verbs_show_lines_and_tenants() {
    let (host, admin, data) = tenants().await;
    Socket::open(&host, "/o").await.send("log something").await;
    line(&admin, "something").await;
    let data = data.path().display().to_string();
    let all = host.ask(&["logs", "--data", &data]).await;
    assert!(all.contains("plugin loaded"), "{all}");
    let few = host
        .ask(&[
            "logs", "--data", &data, "--tenant", "other", "--level", "info",
        ])
        .await;
    assert!(few.contains(" guest: something "), "{few}");
    assert!(!few.contains("acme"), "{few}");
    let json = host
        .ask(&["logs", "--data", &data, "--json", "--plugin", "chat"])
        .await;
    let first: Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    assert_eq!(first["plugin"], "chat");
    let table = host.ask(&["tenants", "--data", &data]).await;
    let rows: Vec<Vec<_>> = table
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(
        rows,
        [
            ["TENANT", "HOSTS", "PLUGINS"],
            ["acme", "any", "chat"],
            ["other", "any", "chat"]
        ]
    );
    host.stop().await;
}
