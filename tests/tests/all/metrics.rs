//! `GET /metrics`: what has happened is what is counted.

use holdfast_tests::admin::Admin;
use holdfast_tests::build::Build;
use holdfast_tests::folder::Folder;
use holdfast_tests::host::Host;
use holdfast_tests::http::{full, get, request, send};
use holdfast_tests::raw::{Raw, masked};
use holdfast_tests::setup::Setup;
use holdfast_tests::socket::{End, Socket, handshake};
use holdfast_tests::wait::found;
use http_body_util::BodyExt;
use tokio::net::TcpStream;

const FORM: &str = "plain";

/// A host, and where it keeps its admin file.
async fn start(setup: Setup) -> (Host, Admin, Folder) {
    let data = Folder::new();
    let host = setup.data(data.path()).start().await;
    let admin = Admin::of(data.path());
    (host, admin, data)
}

/// The value of a sample; 0 if there is none.
async fn sample(admin: &Admin, name: &str) -> f64 {
    let response = admin.ask("GET", "/metrics", "").await;
    assert_eq!(response.status, 200);
    assert!(response.header("content-type").starts_with("text/plain"));
    let mut lines = response.text().lines();
    let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.map_or(0.0, |value| value.parse().unwrap())
}

/// Waits until a sample has a value.
async fn becomes(admin: &Admin, name: &str, value: f64) {
    found(&format!("{name} {value}"), async || {
        (sample(admin, name).await == value).then_some(())
    })
    .await;
}

const EVENTS: &str = "holdfast_events_total{tenant=\"default\",plugin=\"fixture\"";

#[tokio::test]
async fn events_are_counted_by_what_has_come_of_them() {
    let setup = Setup::of_build(&Build::new(FORM, 1)).limit("event_timeout_ms", 200);
    let (host, admin, _data) = start(setup).await;
    for (path, status, times) in [
        ("/hello", 200, 3),
        ("/act/trap", 500, 2),
        ("/act/spin", 504, 1),
        ("/act/fail", 500, 1),
    ] {
        for _ in 0..times {
            assert_eq!(get(&host, path).await.status, status, "{path}");
        }
    }
    for (outcome, count) in [("ok", 3.0), ("trap", 2.0), ("timeout", 1.0)] {
        let name = format!("{EVENTS},kind=\"http\",outcome=\"{outcome}\"}}");
        becomes(&admin, &name, count).await;
    }
    let labels = "{tenant=\"default\",plugin=\"fixture\",kind=\"http\"}";
    let count = format!("holdfast_event_duration_seconds_count{labels}");
    becomes(&admin, &count, 7.0).await;
    let sum = format!("holdfast_event_duration_seconds_sum{labels}");
    assert!(sample(&admin, &sum).await >= 0.2, "one took its whole time");
    let labels = "{tenant=\"default\",plugin=\"fixture\",status=\"2xx\"}";
    let responses = format!("holdfast_http_responses_total{labels}");
    assert!(sample(&admin, &responses).await >= 3.0);
    host.stop().await;
}

#[tokio::test]
async fn sockets_are_counted_while_they_are_there() {
    let setup = Setup::of_build(&Build::new(FORM, 1))
        .limit("connections_max", 2)
        .limit("message_bytes_max", 1024);
    let (host, admin, _data) = start(setup).await;
    let labels = "{tenant=\"default\",plugin=\"fixture\"}";
    let connections = format!("holdfast_connections{labels}");
    let mut first = Socket::open(&host, "/").await;
    let _second = Socket::open(&host, "/").await;
    becomes(&admin, &connections, 2.0).await;
    let instances = format!("holdfast_instances{labels}");
    assert!(sample(&admin, &instances).await >= 1.0);
    let memory = format!("holdfast_instance_memory_bytes{labels}");
    assert!(sample(&admin, &memory).await >= 65_536.0);

    let refusal = Socket::offer(&host, handshake("/")).await.unwrap_err();
    assert_eq!(refusal.status(), 503);
    let limit = |name: &str| {
        let labels = "tenant=\"default\",plugin=\"fixture\"";
        format!("holdfast_limit_hits_total{{{labels},limit=\"{name}\"}}")
    };
    becomes(&admin, &limit("connections"), 1.0).await;
    first.send(&"x".repeat(2000)).await;
    assert!(matches!(first.end().await, End::Closed(1009, _)));
    becomes(&admin, &limit("message"), 1.0).await;
    becomes(&admin, &connections, 1.0).await;
    let opened = format!("{EVENTS},kind=\"open\",outcome=\"ok\"}}");
    becomes(&admin, &opened, 2.0).await;
    host.stop().await;
}

#[tokio::test]
async fn a_plugin_keeps_its_counts_when_it_is_reloaded() {
    let (host, admin, _data) = start(Setup::of_build(&Build::new(FORM, 1))).await;
    assert_eq!(get(&host, "/hello").await.status, 200);
    host.put(&Build::new(FORM, 2));
    host.ask(&["reload"]).await;
    assert_eq!(get(&host, "/hello").await.status, 200);
    let ok = format!("{EVENTS},kind=\"http\",outcome=\"ok\"}}");
    becomes(&admin, &ok, 2.0).await;
    let labels = "tenant=\"default\",plugin=\"fixture\"";
    let reloads = |result: &str| {
        let name = "holdfast_reloads_total";
        format!("{name}{{{labels},result=\"{result}\"}}")
    };
    becomes(&admin, &reloads("installed"), 2.0).await;
    host.ask(&["rollback", "fixture"]).await;
    becomes(&admin, &reloads("rolled_back"), 1.0).await;
    host.stop().await;
}

/// The name of the sample of a limit.
fn limit_hits(tenant: &str, plugin: &str, limit: &str) -> String {
    let name = "holdfast_limit_hits_total";
    format!("{name}{{tenant=\"{tenant}\",plugin=\"{plugin}\",limit=\"{limit}\"}}")
}

#[tokio::test]
async fn limits_that_somebody_has_run_into_are_counted() {
    let setup = Setup::of_build(&Build::new(FORM, 1))
        .plugin("allow_http", "[\"127.0.0.1:1\"]")
        .limit("keyvalue_value_bytes_max", 10)
        .limit("messages_per_second_max", 1)
        .limit("response_bytes_max", 100)
        .limit("outbound_per_second_max", 1)
        .limit("instances_max", 1);
    let (host, admin, _data) = start(setup).await;
    let hits = |limit: &str| limit_hits("default", "fixture", limit);
    let mut socket = Socket::open(&host, "/").await;
    socket.ask("keep 100").await;
    becomes(&admin, &hits("keyvalue"), 1.0).await;
    socket.ask("echo again").await;
    assert!(sample(&admin, &hits("messages_per_second")).await >= 1.0);

    // The answers of some are broken off.
    let begin = async |path: &str| {
        let request = request("GET", path, full(""));
        send(&host, request).await
    };
    let _ = begin("/events/100/1").await.unwrap().collect().await;
    becomes(&admin, &hits("response"), 1.0).await;
    let outbound = found("an outbound request too many", async || {
        get(&host, "/fetch?url=http://127.0.0.1:1/").await;
        let hits = sample(&admin, &hits("outbound")).await;
        (hits >= 1.0).then_some(hits)
    });
    outbound.await;

    let waiting = "holdfast_waiting_events{tenant=\"default\",plugin=\"fixture\"}";
    let before = sample(&admin, &hits("instances")).await;
    let sleeps = async { tokio::join!(begin("/act/sleep:1000"), begin("/act/sleep:1000")) };
    let sees = becomes(&admin, waiting, 1.0);
    let ((one, other), ()) = tokio::join!(sleeps, sees);
    assert!(one.unwrap().status() == 200 && other.unwrap().status() == 200);
    assert!(sample(&admin, &hits("instances")).await > before);
    becomes(&admin, waiting, 0.0).await;
    host.stop().await;
}

#[tokio::test]
async fn limits_of_a_tenant_are_counted_apart() {
    let manifest = "
[tenant.acme.limits]
handshakes_per_second_max = 1
connections_max = 100
[tenant.small.limits]
connections_max = 1
memory_bytes_max = 3000000
[[plugin]]
name = \"a\"
tenant = \"acme\"
component = \"{plain.wasm}\"
[[plugin]]
name = \"s\"
tenant = \"small\"
component = \"{plain.wasm}\"
[[route]]
path = \"/a\"
plugin = \"a\"
tenant = \"acme\"
[[route]]
path = \"/\"
plugin = \"s\"
tenant = \"small\"
";
    let (host, admin, _data) = start(Setup::manifest(manifest)).await;
    let mut sockets = Vec::new();
    let refused = found("a handshake too fast", async || {
        match Socket::offer(&host, handshake("/a")).await {
            Ok(socket) => {
                sockets.push(socket);
                None
            }
            Err(refusal) => Some(refusal.status()),
        }
    })
    .await;
    assert_eq!(refused, 503);
    becomes(&admin, &limit_hits("acme", "a", "handshakes"), 1.0).await;
    let mut one = Socket::open(&host, "/").await;
    assert!(Socket::offer(&host, handshake("/")).await.is_err());
    becomes(&admin, &limit_hits("small", "s", "tenant_connections"), 1.0).await;
    assert_eq!(one.ask("grow 8000000").await, "no memory");
    let memory = limit_hits("small", "s", "tenant_memory");
    assert!(sample(&admin, &memory).await >= 1.0);
    host.stop().await;
}

#[tokio::test]
async fn computing_is_counted_in_seconds() {
    let (host, admin, _data) = start(Setup::of_build(&Build::new(FORM, 1))).await;
    let name = "holdfast_cpu_seconds_total{tenant=\"default\",plugin=\"fixture\"}";
    let before = sample(&admin, name).await;
    assert_eq!(get(&host, "/act/compute:10000000").await.status, 200);
    let after = sample(&admin, name).await;
    assert!(after > before + 0.000_1, "{before} {after}");
    host.put(&Build::new(FORM, 2));
    host.ask(&["reload"]).await;
    assert!(
        sample(&admin, name).await >= after,
        "a new generation goes on"
    );
    becomes(&admin, "holdfast_refused_connections_total", 0.0).await;
    host.stop().await;
}

#[tokio::test]
async fn plugins_beyond_the_limit_are_added_up() {
    let plugins = "
[[plugin]]
name = \"a\"
component = \"{plain.wasm}\"
[[plugin]]
name = \"b\"
component = \"{plain.wasm}\"
[[plugin]]
name = \"c\"
component = \"{plain.wasm}\"
[[route]]
path = \"/\"
plugin = \"b\"
";
    let setup = Setup::manifest(plugins).host("admin.metrics_plugins_max", 1);
    let (host, admin, _data) = start(setup).await;
    assert_eq!(get(&host, "/hello").await.status, 200);
    let page = admin.ask("GET", "/metrics", "").await;
    assert!(page.text().contains("plugin=\"a\""));
    assert!(!page.text().contains("plugin=\"b\""), "{}", page.text());
    let labels = "{tenant=\"(other)\",plugin=\"(other)\",kind=\"http\",outcome=\"ok\"}";
    becomes(&admin, &format!("holdfast_events_total{labels}"), 1.0).await;
    becomes(&admin, "holdfast_plugins", 3.0).await;
    let without = admin.with_token("wrong").ask("GET", "/metrics", "").await;
    assert_eq!(without.status, 401);
    host.stop().await;
}

#[tokio::test]
async fn compressed_messages_and_their_windows_are_counted() {
    let setup = Setup::new("echo")
        .plugin("compression", "\"context\"")
        .limit("compress_bytes_min", 1);
    let (host, admin, _data) = start(setup).await;
    let offer = "sec-websocket-extensions: permessage-deflate; client_max_window_bits";
    let (mut raw, _) = Raw::websocket_with(&host, "/", offer).await;
    // `Hello`, as RFC 7692 has it (section 7.2.3.1).
    raw.send(&masked(0xc1, b"\xf2\x48\xcd\xc9\xc9\x07\x00"))
        .await;
    let answer = raw.frame().await.unwrap();
    let of_echo = "{tenant=\"default\",plugin=\"echo\"";
    let bytes = |direction: &str| {
        format!("holdfast_websocket_compressed_bytes_total{of_echo},direction=\"{direction}\"}}")
    };
    becomes(&admin, &bytes("in"), 7.0).await;
    let sent = sample(&admin, &bytes("out")).await;
    let is_compressed = answer.first & 0x40 != 0;
    assert_eq!(sent > 0.0, is_compressed, "{answer:?}");
    let windows = format!("holdfast_websocket_window_bytes{of_echo}}}");
    let kept = if is_compressed { 10.0 } else { 5.0 };
    becomes(&admin, &windows, kept).await;
    drop(raw);
    becomes(&admin, &windows, 0.0).await;
}

#[tokio::test]
async fn what_goes_wrong_before_there_is_a_request_is_counted() {
    let setup = Setup::new(FORM)
        .tls("")
        .host("connections_max", 3)
        .section("http2", "control_frames_per_second_max = 10");
    let (host, admin, _data) = start(setup).await;
    let tls = async || TcpStream::connect(host.secure_address()).await.unwrap();
    let failures = |kind: &str| format!("holdfast_tls_handshake_failures_total{{kind=\"{kind}\"}}");
    let mut raw = Raw::over(tls().await);
    raw.send(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    raw.rest().await;
    becomes(&admin, &failures("malformed"), 1.0).await;
    drop(tls().await);
    becomes(&admin, &failures("closed"), 1.0).await;

    // Over HTTP/2: a preface, SETTINGS, and more pings than there may be.
    let mut raw = Raw::connect(&host).await;
    let ping = b"\0\0\x08\x06\0\0\0\0\x0012345678";
    let flood = [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec(),
        ping.repeat(50),
    ];
    raw.try_send(&flood.concat()).await;
    raw.rest().await;
    becomes(&admin, "holdfast_http2_floods_total{kind=\"pings\"}", 1.0).await;

    let mut open = Vec::new();
    for _ in 0..4 {
        open.push(TcpStream::connect(host.address()).await.unwrap());
    }
    found("one too many", async || {
        let shed = sample(&admin, "holdfast_shed_connections_total").await;
        (shed >= 1.0).then_some(())
    })
    .await;
}
