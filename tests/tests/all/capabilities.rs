//! What guests can ask of the host.

use std::time::Duration;

use holdfast_tests::folder::Folder;
use holdfast_tests::host::Host;
use holdfast_tests::http::{get, post};
use holdfast_tests::place::guest;
use holdfast_tests::setup::Setup;
use holdfast_tests::socket::{End, Socket};
use holdfast_tests::upstream::Upstream;

in_both_forms!(
    attachments_change_by_compare_and_set,
    topics_reach_their_subscribers,
    a_request_can_reach_connections,
    connections_can_be_closed_by_others,
    settings_are_read,
    log_lines_name_plugin_and_tenant,
    keys_and_values_are_shared_by_all_instances,
    requests_go_to_allowed_hosts_only,
);

async fn attachments_change_by_compare_and_set(form: &str) {
    let host = Setup::new(form).start().await;
    let mut socket = Socket::open(&host, "/?note=a").await;
    for (command, answer) in [
        ("state me", "note=a version=0 buffered=0"),
        ("note b", "1"),
        ("state me", "note=b version=1 buffered=0"),
        ("note-at 1 c", "2"),
        ("note-at 1 d", "the attachment has changed, to version 2"),
        ("state me", "note=c version=2 buffered=0"),
    ] {
        assert_eq!(socket.ask(command).await, answer, "{command}");
    }
}

async fn topics_reach_their_subscribers(form: &str) {
    let host = Setup::new(form).start().await;
    let mut ada = Socket::open(&host, "/?note=ada&topic=room").await;
    let mut bob = Socket::open(&host, "/?note=bob").await;
    let mut eve = Socket::open(&host, "/?note=eve").await;
    assert_eq!(bob.ask("subscribe room").await, "subscribed");
    assert_eq!(bob.ask("subscribe room").await, "subscribed");
    assert_eq!(eve.ask("count room").await, "2");
    assert_eq!(eve.ask("subscribers room").await, "ada,bob");

    assert_eq!(eve.ask("publish room one").await, "queued=2 full=0");
    assert_eq!(ada.text().await, "one");
    assert_eq!(bob.text().await, "one");
    bob.send("publish-others room two").await;
    assert_eq!(bob.text().await, "queued=1 full=0");
    assert_eq!(ada.text().await, "two");

    assert_eq!(ada.ask("unsubscribe room").await, "unsubscribed");
    assert_eq!(ada.ask("unsubscribe room").await, "unsubscribed");
    assert_eq!(eve.ask("publish room three").await, "queued=1 full=0");
    assert_eq!(bob.text().await, "three");
    bob.close(1000, "").await;
    // The topic has gone with its last subscriber.
    holdfast_tests::wait::found("an empty topic", || async {
        let count = get(&host, "/count/room").await;
        (count.text() == "0").then_some(())
    })
    .await;
    assert_eq!(eve.ask("publish room four").await, "queued=0 full=0");
}

async fn a_request_can_reach_connections(form: &str) {
    let host = Setup::new(form).start().await;
    let mut socket = Socket::open(&host, "/?topic=news").await;
    let id = socket.ask("id").await;
    let response = post(&host, &format!("/send/{id}"), "to one").await;
    assert_eq!(response.status, 200, "{}", response.text());
    assert_eq!(socket.text().await, "to one");
    let response = post(&host, "/publish/news", "to all").await;
    assert_eq!(response.text(), "queued=1 full=0");
    assert_eq!(socket.text().await, "to all");
}

async fn connections_can_be_closed_by_others(form: &str) {
    let host = Setup::new(form).start().await;
    let mut one = Socket::open(&host, "/").await;
    let mut other = Socket::open(&host, "/").await;
    let id = one.ask("id").await;
    for (command, answer) in [
        (
            format!("close {id} 1005"),
            "an endpoint may not send this close code",
        ),
        (
            format!("close {id} 999"),
            "an endpoint may not send this close code",
        ),
        (
            format!("close {id} 4001 {}", "x".repeat(124)),
            "the reason for closing is over 123 bytes",
        ),
        (format!("close {id} 4001 begone"), "closing"),
    ] {
        assert_eq!(other.ask(&command).await, answer, "{command}");
    }
    assert_eq!(one.end().await, End::Closed(4001, "begone".to_owned()));
}

async fn settings_are_read(form: &str) {
    let host = Setup::new(form)
        .config("greeting", "good evening")
        .start()
        .await;
    let mut socket = Socket::open(&host, "/").await;
    assert_eq!(socket.ask("config greeting").await, "good evening");
    assert_eq!(socket.ask("config absent").await, "");
    assert_eq!(get(&host, "/config/greeting").await.text(), "good evening");
}

async fn log_lines_name_plugin_and_tenant(form: &str) {
    let host = Setup::new(form).tenant("acme").start().await;
    let mut socket = Socket::open(&host, "/").await;
    socket.send("log all is well").await;
    host.logged(&["INFO", "all is well", form, "acme"]).await;
    host.logged(&["to standard error: all is well", form, "acme"])
        .await;
}

async fn keys_and_values_are_shared_by_all_instances(form: &str) {
    let host = Setup::new(form).start().await;
    let mut sockets = Vec::new();
    for _ in 0..4 {
        sockets.push(Socket::open(&host, "/").await);
    }
    for _ in 0..5 {
        for socket in &mut sockets {
            socket.send("increment visits").await;
        }
    }
    let mut counts = Vec::new();
    for socket in &mut sockets {
        for _ in 0..5 {
            counts.push(socket.text().await.parse::<u32>().unwrap());
        }
    }
    counts.sort_unstable();
    assert_eq!(counts, (1..=20).collect::<Vec<_>>());
}

#[tokio::test]
async fn keys_and_values_survive_a_restart_in_a_data_folder() {
    let folder = Folder::new();
    let data = folder.path().join("data").display().to_string();
    for expected in ["1", "2", "3"] {
        let host = Host::run(&guest("plain"), &["--data", &data]).await;
        let mut socket = Socket::open(&host, "/").await;
        assert_eq!(socket.ask("increment visits").await, expected);
        host.stop().await;
    }
}

async fn requests_go_to_allowed_hosts_only(form: &str) {
    let upstream = Upstream::start("from afar", Duration::ZERO).await;
    let address = upstream.address();
    let path = format!("/fetch?url=http://{address}/");

    // Nothing is allowed by default.
    let host = Setup::new(form).start().await;
    let refused = get(&host, &path).await;
    assert_ne!(refused.text(), "200 from afar");
    assert_eq!(upstream.requests(), 0);

    // Another port is another host.
    let other = Setup::new(form).plugin("allow_http", "[\"127.0.0.1:1\"]");
    let host = other.start().await;
    assert_ne!(get(&host, &path).await.text(), "200 from afar");
    assert_eq!(upstream.requests(), 0);

    let allowed = Setup::new(form).plugin("allow_http", &format!("[\"{address}\"]"));
    let host = allowed.start().await;
    assert_eq!(get(&host, &path).await.text(), "200 from afar");
    assert_eq!(upstream.requests(), 1);
}

#[tokio::test]
async fn a_waiting_handler_waits_for_a_request_of_its_own() {
    let upstream = Upstream::start("from afar", Duration::from_millis(100)).await;
    let address = upstream.address();
    let host = Setup::new("waiting")
        .plugin("allow_http", &format!("[\"{address}\"]"))
        .start()
        .await;
    let mut socket = Socket::open(&host, "/").await;
    let answer = socket.ask(&format!("fetch http://{address}/")).await;
    assert_eq!(answer, "200 from afar");
}

#[tokio::test]
async fn a_tenant_has_no_way_to_reach_another() {
    let text = "
        [[plugin]]
        name = \"app\"
        tenant = \"acme\"
        component = \"{plain.wasm}\"
        [[plugin]]
        name = \"app\"
        tenant = \"umbrella\"
        component = \"{plain.wasm}\"
        [[route]]
        path = \"/acme\"
        plugin = \"app\"
        tenant = \"acme\"
        [[route]]
        path = \"/umbrella\"
        plugin = \"app\"
        tenant = \"umbrella\"
    ";
    let host = Setup::manifest(text).start().await;
    let mut ours = Socket::open(&host, "/acme?topic=room").await;
    let mut theirs = Socket::open(&host, "/umbrella").await;
    let id = ours.ask("id").await;
    for (command, answer) in [
        (format!("send {id} x"), "the connection is gone"),
        (format!("close {id} 1000"), "the connection is gone"),
        (format!("state {id}"), "none"),
        ("publish room x".to_owned(), "queued=0 full=0"),
        ("count room".to_owned(), "0"),
        ("increment shared".to_owned(), "1"),
    ] {
        assert_eq!(theirs.ask(&command).await, answer, "{command}");
    }
    assert_eq!(ours.ask("increment shared").await, "1");
}
