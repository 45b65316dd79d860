//! What can be asked of the admin listener: tenants, plugins, connections,
//! topics, drains. Each answer is held against the OpenAPI document.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use holdfast_tests::admin::Admin;
use holdfast_tests::build::Build;
use holdfast_tests::folder::Folder;
use holdfast_tests::host::Host;
use holdfast_tests::http::get;
use holdfast_tests::schema::document;
use holdfast_tests::setup::{FIXTURE, Setup};
use holdfast_tests::socket::{End, Socket, handshake};
use holdfast_tests::wait::found;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

const PLUGIN: &str = "/v1/tenants/default/plugins/fixture";

async fn start(setup: Setup) -> (Host, Admin, Folder) {
    let data = Folder::new();
    let host = setup.data(data.path()).start().await;
    let admin = Admin::of(data.path());
    (host, admin, data)
}

async fn fixture() -> (Host, Admin, Folder) {
    start(Setup::of_build(&Build::new("plain", 1))).await
}

/// Asks, and returns the status and the answer.
async fn ask(admin: &Admin, method: &str, path: &str, body: Value) -> (u16, Value) {
    let body = match body {
        Value::Null => String::new(),
        body => body.to_string(),
    };
    let answer = admin.ask(method, path, body).await;
    let value = serde_json::from_slice(&answer.body).unwrap();
    (answer.status.as_u16(), value)
}

/// Asks for something that is there.
async fn read(admin: &Admin, path: &str) -> Value {
    let (status, value) = ask(admin, "GET", path, Value::Null).await;
    assert_eq!(status, 200, "{path}: {value}");
    value
}

/// All entries of a list, page by page.
async fn pages(admin: &Admin, path: &str, entries: &str, limit: usize) -> Vec<Value> {
    let mut all = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = read(admin, &format!("{path}?limit={limit}{cursor}")).await;
        let found = page[entries].as_array().unwrap();
        assert!(found.len() <= limit);
        all.extend(found.clone());
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}

const TENANTS: &str = "
[tenant.acme]
hosts = [\"acme.example\"]
[tenant.acme.limits]
connections_max = 7
[[plugin]]
name = \"a\"
tenant = \"acme\"
component = \"{plain.wasm}\"
[plugin.limits]
events_max = 77
[plugin.config]
key = \"open-sesame\"
[[plugin]]
name = \"b\"
tenant = \"acme\"
component = \"{plain.wasm}\"
[[plugin]]
name = \"c\"
tenant = \"other\"
component = \"{plain.wasm}\"
[[route]]
path = \"/\"
plugin = \"a\"
tenant = \"acme\"
";

#[tokio::test]
async fn tenants_and_plugins_show_what_is_in_force() {
    let (host, admin, _data) = start(Setup::manifest(TENANTS)).await;
    for limit in [1, 2, 3] {
        let tenants = pages(&admin, "/v1/tenants", "tenants", limit).await;
        let names: Vec<_> = tenants.iter().map(|it| it["name"].clone()).collect();
        assert_eq!(names, ["acme", "other"]);
    }
    let acme = read(&admin, "/v1/tenants/acme").await;
    assert_eq!(acme["plugins"], json!(["a", "b"]));
    assert_eq!(acme["hosts"], json!(["acme.example"]));
    assert_eq!(acme["limits"]["connections_max"], 7);
    assert_eq!(acme["limits"]["weight"], 100);
    let plugin = read(&admin, "/v1/tenants/acme/plugins/a").await;
    assert_eq!(plugin["limits"]["events_max"], 77);
    assert_eq!(plugin["limits"]["queue_bytes_max"], 1 << 20);
    assert_eq!(plugin["limits"]["messages_per_second_max"], Value::Null);
    assert_eq!(plugin["slow_consumer"], "close");
    assert_eq!(plugin["generations"][0]["number"], 1);
    assert_eq!(plugin["draining"], false);
    for path in [
        "/v1/tenants",
        "/v1/tenants/acme",
        "/v1/tenants/acme/plugins/a",
        "/v1/status",
    ] {
        let answer = admin.ask("GET", path, "").await;
        assert!(!answer.text().contains("open-sesame"), "{path}");
    }
    for path in ["/v1/tenants/nobody", "/v1/tenants/acme/plugins/c"] {
        assert_eq!(ask(&admin, "GET", path, Value::Null).await.0, 404, "{path}");
    }
    for query in ["limit=0", "limit=x", "other=1", "limit=1&limit=1"] {
        let path = format!("/v1/tenants?{query}");
        assert_eq!(
            ask(&admin, "GET", &path, Value::Null).await.0,
            400,
            "{path}"
        );
    }
    let (status, _) = ask(&admin, "GET", "/v1/tenants?cursor=%", Value::Null).await;
    assert_eq!(status, 422);
    host.stop().await;
}

#[tokio::test]
async fn the_document_is_served_as_it_is_kept() {
    let (host, admin, _data) = fixture().await;
    assert_eq!(read(&admin, "/v1/openapi.json").await, *document());
    host.stop().await;
}

#[tokio::test]
async fn connections_are_listed_page_by_page() {
    let (host, admin, _data) = fixture().await;
    let path = format!("{PLUGIN}/connections");
    assert_eq!(
        pages(&admin, &path, "connections", 2).await,
        Vec::<Value>::new()
    );
    let mut sockets = Vec::new();
    let mut ids = BTreeSet::new();
    for _ in 0..5 {
        let mut socket = Socket::open(&host, "/?topic=news").await;
        ids.insert(socket.ask("id").await);
        sockets.push(socket);
    }
    for limit in [1, 2, 5, 6] {
        let found = pages(&admin, &path, "connections", limit).await;
        assert_eq!(found.len(), 5, "none is there twice");
        let listed = found.iter().map(|it| it["id"].as_str().unwrap().to_owned());
        assert_eq!(listed.collect::<BTreeSet<_>>(), ids, "by {limit}");
    }
    assert_eq!(read(&admin, &path).await["count"], 5);
    let id = ids.first().unwrap();
    let one = read(&admin, &format!("{path}/{id}")).await;
    assert_eq!(one["topics"], json!(["news"]));
    assert_eq!(one["closing"], false);
    let nobody = "0".repeat(32);
    let (status, _) = ask(&admin, "GET", &format!("{path}/{nobody}"), Value::Null).await;
    assert_eq!(status, 404);
    drop(sockets);
    host.stop().await;
}

#[tokio::test]
async fn a_connection_is_sent_to_and_closed() {
    let (host, admin, _data) = fixture().await;
    let mut socket = Socket::open(&host, "/").await;
    let id = socket.ask("id").await;
    let path = format!("{PLUGIN}/connections/{id}");
    let send = format!("{path}/send");
    let text = json!({ "message": { "text": "from above" } });
    assert_eq!(ask(&admin, "POST", &send, text).await.0, 200);
    assert_eq!(socket.text().await, "from above");
    let binary = json!({ "message": { "binary": "AAEC" } });
    assert_eq!(ask(&admin, "POST", &send, binary).await.0, 200);
    let message = socket.message().await.unwrap().unwrap();
    assert_eq!(message, Message::binary(vec![0, 1, 2]));
    for bad in [
        json!({}),
        json!({ "message": {} }),
        json!({ "message": { "text": "a", "binary": "" } }),
        json!({ "message": { "binary": "?" } }),
        json!({ "message": { "text": "a" }, "more": 1 }),
        Value::Null,
    ] {
        let (status, _) = ask(&admin, "POST", &send, bad.clone()).await;
        assert_eq!(status, 400, "{bad}");
    }

    let close = format!("{path}/close");
    let long = "ü".repeat(62);
    for (body, expected) in [
        (json!({ "code": 1005 }), 400),
        (json!({ "code": 70_000 }), 400),
        (json!({ "code": 1000, "reason": long }), 422),
        (json!({ "code": 4001, "reason": "enough" }), 200),
    ] {
        let (status, answer) = ask(&admin, "POST", &close, body).await;
        assert_eq!(status, expected, "{answer}");
    }
    assert_eq!(socket.end().await, End::Closed(4001, "enough".into()));
    found("the connection's end", async || {
        let (status, _) = ask(&admin, "GET", &path, Value::Null).await;
        (status == 404).then_some(())
    })
    .await;
    let text = json!({ "message": { "text": "too late" } });
    assert_eq!(ask(&admin, "POST", &send, text).await.0, 404);
    assert_eq!(ask(&admin, "POST", &close, Value::Null).await.0, 404);
    host.stop().await;
}

#[tokio::test]
async fn topics_are_listed_and_published_to() {
    let (host, admin, _data) = fixture().await;
    let path = "/v1/tenants/default/topics";
    assert_eq!(read(&admin, path).await["count"], 0);
    let mut one = Socket::open(&host, "/?topic=a").await;
    one.ask("subscribe b/c d").await;
    let mut other = Socket::open(&host, "/?topic=a").await;
    assert_eq!(other.ask("count a").await, "2");
    for limit in [1, 2, 3] {
        let topics = pages(&admin, path, "topics", limit).await;
        let expected = [
            json!({ "name": "a", "subscribers": 2 }),
            json!({ "name": "b/c", "subscribers": 1 }),
        ];
        assert_eq!(topics, expected, "by {limit}");
    }
    let publish = "/v1/tenants/default/topics/publish";
    let news = json!({ "topic": "a", "message": { "text": "news" } });
    let (status, delivery) = ask(&admin, "POST", publish, news).await;
    assert_eq!(status, 200);
    assert_eq!(delivery, json!({ "queued": 2, "full": 0 }));
    assert_eq!(one.text().await, "news");
    assert_eq!(other.text().await, "news");
    let nobody = json!({ "topic": "nobody", "message": { "text": "news" } });
    let (_, delivery) = ask(&admin, "POST", publish, nobody).await;
    assert_eq!(delivery["queued"], 0);
    host.stop().await;
}

#[tokio::test]
async fn a_drained_plugin_lets_its_sockets_go_one_after_the_other() {
    let (host, admin, _data) = fixture().await;
    let mut sockets = Vec::new();
    for _ in 0..20 {
        sockets.push(Socket::open(&host, "/").await);
    }
    let start = Instant::now();
    let window = json!({ "window_ms": 1000 });
    let drain = format!("{PLUGIN}/drain");
    let (status, answer) = ask(&admin, "POST", &drain, window).await;
    assert_eq!((status, &answer["connections"]), (200, &json!(20)));
    let refusal = Socket::offer(&host, handshake("/")).await.unwrap_err();
    assert_eq!(refusal.status(), 503);
    assert_eq!(refusal.headers()["retry-after"], "1");
    assert_eq!(get(&host, "/hello").await.status, 200, "requests go on");
    for socket in &mut sockets {
        let end = socket.end().await;
        assert_eq!(end, End::Closed(1001, "the plugin is drained".into()));
    }
    assert!(start.elapsed() >= Duration::from_millis(900), "spread out");
    let plugin = read(&admin, PLUGIN).await;
    assert_eq!(plugin["draining"], true);

    let undrain = format!("{PLUGIN}/undrain");
    let (status, _) = ask(&admin, "POST", &undrain, Value::Null).await;
    assert_eq!(status, 200);
    let socket = Socket::open(&host, "/").await;
    let bad = json!({ "window_ms": 3_600_001 });
    assert_eq!(ask(&admin, "POST", &drain, bad).await.0, 400);
    drop(socket);
    host.stop().await;
}

#[tokio::test]
async fn a_deploy_ends_a_drain() {
    let (host, admin, _data) = fixture().await;
    let drain = format!("{PLUGIN}/drain");
    for version in [2, 3] {
        let (status, _) = ask(&admin, "POST", &drain, Value::Null).await;
        assert_eq!(status, 200);
        let refusal = Socket::offer(&host, handshake("/")).await.unwrap_err();
        assert_eq!(refusal.status(), 503);
        let build = Build::new("plain", version);
        if version == 2 {
            let path = format!("{PLUGIN}/component");
            let answer = admin.ask("PUT", &path, build.bytes().to_vec()).await;
            assert_eq!(answer.status, 200);
        } else {
            host.put(&build);
            host.ask(&["reload"]).await;
        }
        Socket::open(&host, "/").await;
    }
    ask(&admin, "POST", &drain, Value::Null).await;
    host.ask(&["rollback", FIXTURE]).await;
    Socket::open(&host, "/").await;
    host.stop().await;
}

#[tokio::test]
async fn a_host_that_shuts_down_is_not_ready() {
    let (mut host, admin, _data) = fixture().await;
    assert_eq!(read(&admin, "/v1/ready").await, json!({ "ready": true }));
    // It waits for this client's close frame.
    let mut socket = Socket::open(&host, "/").await;
    host.terminate();
    found("not ready", async || {
        let (status, _) = ask(&admin, "GET", "/v1/ready", Value::Null).await;
        (status == 503).then_some(())
    })
    .await;
    assert!(matches!(socket.end().await, End::Closed(1001, _)));
    assert!(host.ended().await.success());
}
