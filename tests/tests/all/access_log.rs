//! The access log: what it says of requests and WebSockets, and that nobody waits
//! for it.

use std::fs::{File, OpenOptions};
use std::path::Path;
use std::process::Command;

use holdfast_tests::admin::Admin;
use holdfast_tests::folder::Folder;
use holdfast_tests::host::Host;
use holdfast_tests::http::get;
use holdfast_tests::process::hangup;
use holdfast_tests::raw::{Raw, masked};
use holdfast_tests::setup::Setup;
use holdfast_tests::socket::Socket;
use holdfast_tests::wait::{found, until};
use serde_json::Value;

const FILE: &str = "access.log";

fn logging(format: &str) -> Setup {
    let keys = format!("format = \"{format}\"\npath = \"{FILE}\"");
    Setup::new("plain").section("access_log", &keys)
}

/// Waits for so many lines, and returns them.
async fn lines(file: &Path, count: usize) -> Vec<String> {
    found(&format!("{count} lines"), async || {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        // The last of them may be there in part.
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        let lines: Vec<_> = text[..whole].lines().map(str::to_owned).collect();
        (lines.len() >= count).then_some(lines)
    })
    .await
}

async fn objects(host: &Host, count: usize) -> Vec<Value> {
    let lines = lines(&host.folder().join(FILE), count).await;
    let objects = lines.iter().map(|line| serde_json::from_str(line).unwrap());
    objects.collect()
}

/// Waits until some line of the log has this in a field.
async fn object(host: &Host, key: &str, value: impl Into<Value>) -> Value {
    let value = value.into();
    found(&format!("a line with {key}: {value}"), async || {
        let mut objects = objects(host, 0).await.into_iter();
        objects.find(|object| object[key] == value)
    })
    .await
}

/// Sends bytes, and reads until the host ends the connection.
async fn talk(host: &Host, bytes: &[u8]) -> String {
    let mut raw = Raw::connect(host).await;
    raw.send(bytes).await;
    String::from_utf8(raw.rest().await).unwrap()
}

#[tokio::test]
async fn lines_in_the_combined_format_can_hold_anything() {
    let host = logging("combined").start().await;
    let request = b"GET /hello?a=\\x%22 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\
        x-request-id: it-1\r\nreferer: http://a/\"b\r\n\
        user-agent: evil\" 200 \xe9\t\\ x\r\n\r\n";
    assert!(talk(&host, request).await.ends_with("hello"));
    let head = b"HEAD /nothing HTTP/1.1\r\n\r\n";
    assert!(talk(&host, head).await.starts_with("HTTP/1.1 400"));
    let lines = lines(&host.folder().join(FILE), 2).await;
    let (first, rest) = lines[0].split_once(" - - [").unwrap();
    assert_eq!(first, "127.0.0.1");
    let (time, rest) = rest.split_once("] ").unwrap();
    assert!(time.ends_with(" +0000") && time.len() == 26, "{time}");
    let (rest, duration) = rest.split_once(" duration_ms=").unwrap();
    assert!(duration.parse::<f64>().unwrap() > 0.0);
    assert_eq!(
        rest,
        r#""GET /hello?a=\x5Cx%22 HTTP/1.1" 200 5 "http://a/\x22b" "#.to_owned()
            + r#""evil\x22 200 \xE9\x09\x5C x" request_id=it-1 tenant=default plugin=plain"#
    );
    let expected = "\"HEAD /nothing HTTP/1.1\" 400 0 \"-\" \"-\" request_id=";
    assert!(lines[1].contains(expected), "{}", lines[1]);
}

#[tokio::test]
async fn each_request_has_a_line_whoever_answers() {
    let host = logging("json")
        .limit("body_bytes_max", 10)
        .limit("connections_max", 1)
        .host("connections_max", 1000)
        .start()
        .await;
    get(&host, "/hello").await;
    let post = "POST /length HTTP/1.1\r\nhost: a\r\ncontent-length: 11\r\n\r\n";
    assert!(talk(&host, post.as_bytes()).await.contains(" 413 "));
    let smuggled = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n\
        transfer-encoding: chunked\r\n\r\n0\r\n\r\n";
    assert!(talk(&host, smuggled.as_bytes()).await.contains(" 400 "));
    let fields = "x: y\r\n".repeat(200);
    let many = format!("GET / HTTP/1.1\r\nhost: a\r\n{fields}\r\n");
    assert!(talk(&host, many.as_bytes()).await.contains(" 431 "));
    let _open = Socket::open(&host, "/").await;
    let handshake = "GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
        sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    assert!(talk(&host, handshake.as_bytes()).await.contains(" 503 "));
    let objects = objects(&host, 5).await;
    let statuses: Vec<_> = objects.iter().map(|it| it["status"].as_u64()).collect();
    assert_eq!(statuses, [200, 413, 400, 431, 503].map(Some));
    assert_eq!(objects[0]["target"], "/hello");
    assert_eq!(objects[0]["bytes"], 5);
    assert_eq!(objects[0]["protocol"], "HTTP/1.1");
    assert!(objects[2]["target"].is_null(), "nothing was read");
    assert_eq!(objects[4]["plugin"], "plain");
}

#[tokio::test]
async fn a_client_that_goes_away_has_a_line() {
    let host = logging("json").start().await;
    let mut raw = Raw::connect(&host).await;
    raw.send(b"GET /sleep/600000 HTTP/1.1\r\nhost: a\r\n\r\n")
        .await;
    let before = objects(&host, 0).await;
    assert!(before.is_empty(), "{before:?}");
    // The guest is at work by then, or will never be.
    assert_eq!(get(&host, "/hello").await.text(), "hello");
    drop(raw);
    let gone = object(&host, "status", 499).await;
    assert_eq!(gone["target"], "/sleep/600000");
}

#[tokio::test]
async fn a_websocket_has_a_line_at_its_end() {
    let host = logging("json").start().await;
    let mut raw = Raw::websocket(&host, "/chat?x").await;
    raw.send(&masked(0x81, b"echo hello")).await;
    assert_eq!(raw.frame().await.unwrap().payload, b"hello");
    assert!(objects(&host, 0).await.is_empty(), "it is open");
    raw.send(&masked(0x88, &4001_u16.to_be_bytes())).await;
    raw.rest().await;
    let line = object(&host, "status", 101).await;
    for (key, value) in [
        ("target", "/chat?x".into()),
        ("plugin", "plain".into()),
        ("messages_in", 1.into()),
        ("messages_out", 1.into()),
        ("bytes_in", Value::from(16 + 8)),
        ("bytes_out", (7 + 4).into()),
        ("close_code", 4001.into()),
        ("close_cause", "client".into()),
    ] {
        assert_eq!(line[key], value, "{key}: {line}");
    }
    // One that just vanishes.
    drop(Raw::websocket(&host, "/").await);
    let line = object(&host, "close_code", 1006).await;
    assert_eq!(line["close_cause"], "connection-lost");
}

#[tokio::test]
async fn the_client_is_the_one_for_whom_a_proxy_asks() {
    let host = logging("json")
        .section("proxies", "trusted = [\"127.0.0.0/8\"]")
        .start()
        .await;
    let request = b"GET /hello HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\
        x-forwarded-for: 192.0.2.7\r\n\r\n";
    talk(&host, request).await;
    assert_eq!(objects(&host, 1).await[0]["remote"], "192.0.2.7");
}

#[tokio::test]
async fn a_tenant_may_be_left_out() {
    let manifest = "
        [access_log]
        format = \"json\"
        path = \"access.log\"
        [tenant.quiet]
        access_log = false
        [[plugin]]
        name = \"one\"
        tenant = \"quiet\"
        component = \"{plain.wasm}\"
        [[route]]
        path = \"/\"
        plugin = \"one\"
        tenant = \"quiet\"
        ";
    let host = Setup::manifest(manifest).start().await;
    assert_eq!(get(&host, "/hello").await.text(), "hello");
    drop(Raw::websocket(&host, "/").await);
    host.edit("access_log = false", "access_log = true");
    found("the change", async || {
        get(&host, "/hello").await;
        (!objects(&host, 0).await.is_empty()).then_some(())
    })
    .await;
    assert_eq!(objects(&host, 1).await[0]["target"], "/hello");
}

#[tokio::test]
async fn a_file_that_was_moved_is_left_at_a_signal() {
    let host = logging("combined").start().await;
    let file = host.folder().join(FILE);
    get(&host, "/hello").await;
    lines(&file, 1).await;
    let moved = host.folder().join("access.log.1");
    std::fs::rename(&file, &moved).unwrap();
    get(&host, "/hello").await;
    lines(&moved, 2).await;
    hangup(host.pid());
    until("a new file", || file.exists()).await;
    get(&host, "/hello").await;
    assert_eq!(lines(&file, 1).await.len(), 1);
    assert_eq!(lines(&moved, 2).await.len(), 2);
}

#[tokio::test]
async fn standard_output_takes_it_too_and_all_of_it() {
    let setup = Setup::new("plain").section("access_log", "format = \"combined\"");
    let mut host = setup.start().await;
    for _ in 0..50 {
        get(&host, "/hello").await;
    }
    host.terminate();
    assert!(host.ended().await.success());
    until("the last line", || {
        host.log().matches("\"GET /hello HTTP/1.1\" 200 5").count() == 50
    })
    .await;
}

#[tokio::test]
async fn nobody_waits_for_a_log_that_nobody_reads() {
    const LINE_BYTES: usize = 30_000;
    let data = Folder::new();
    let pipe = data.path().join("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let reader: File = OpenOptions::new()
        .read(true)
        .write(true)
        .open(&pipe)
        .unwrap();
    let keys = format!("format = \"json\"\npath = \"{}\"", pipe.display());
    let host = Setup::new("plain")
        .section("access_log", &keys)
        .data(data.path())
        .start()
        .await;
    let admin = Admin::of(data.path());
    let request = format!(
        "GET /hello HTTP/1.1\r\nhost: a\r\nuser-agent: {}\r\n\r\n",
        "x".repeat(LINE_BYTES)
    );
    let mut raw = Raw::connect(&host).await;
    for _ in 0..(6 << 20) / LINE_BYTES {
        raw.send(request.as_bytes()).await;
        assert!(raw.response(false).await.0.contains(" 200 "));
    }
    let metrics = admin.ask("GET", "/metrics", "").await;
    let lost = metrics.text().lines().find_map(|line| {
        let count = line.strip_prefix("holdfast_access_log_lost_lines_total ")?;
        count.parse::<u64>().ok()
    });
    assert!(lost.unwrap() > 0, "{}", metrics.text());
    drop(reader);
}

#[tokio::test]
async fn a_file_that_cannot_be_opened_is_an_error_at_the_start() {
    let setup = Setup::new("plain").section(
        "access_log",
        "format = \"json\"\npath = \"nowhere/access.log\"",
    );
    let text = setup.fails().await;
    assert!(text.contains("can't write the access log"), "{text}");
    assert!(text.contains("hint: "), "{text}");
}
