//! The manifest changes under open sockets.

use holdfast_tests::build::{Build, put};
use holdfast_tests::host::Host;
use holdfast_tests::http::get;
use holdfast_tests::setup::Setup;
use holdfast_tests::socket::{End, Socket};
use holdfast_tests::wait::{found, until};

in_both_forms!(
    a_removed_plugin_says_good_bye,
    changed_limits_and_settings_apply_to_open_sockets,
    a_manifest_with_errors_changes_nothing,
);

const GUEST: &str = "
[[plugin]]
name = \"guest\"
component = \"fixture.wasm\"
[[route]]
path = \"/guest\"
plugin = \"guest\"
";

/// A host to which a second plugin of the same component is added, at `/guest`.
async fn two(form: &str) -> Host {
    let host = Setup::of_build(&Build::new(form, 1)).start().await;
    let manifest = std::fs::read_to_string(host.manifest()).unwrap();
    put(&host.manifest(), manifest + GUEST);
    found("the second plugin", async || {
        host.status().await.find("guest")
    })
    .await;
    host
}

async fn a_removed_plugin_says_good_bye(form: &str) {
    let host = two(form).await;
    let mut unrelated = Socket::open(&host, "/?note=mine").await;
    let mut sockets = Vec::new();
    for _ in 0..20 {
        sockets.push(Socket::open(&host, "/guest?observe=log").await);
    }
    host.edit(GUEST, "");
    for socket in &mut sockets {
        assert!(matches!(socket.end().await, End::Closed(1001, _)));
    }
    found("the plugin to be gone", async || {
        let status = host.status().await;
        status.find("guest").is_none().then_some(())
    })
    .await;
    // Its code has heard of every end.
    let closes = || host.log().matches(" close Deploy 1001").count();
    until("a line for each end", || closes() >= sockets.len()).await;
    assert_eq!(closes(), sockets.len(), "{}", host.log());
    let state = unrelated.ask("state me").await;
    assert_eq!(state, "note=mine version=0 buffered=0");
    assert_eq!(host.fixture().await.generation(), 1, "it was left alone");
    host.stop().await;
}

async fn changed_limits_and_settings_apply_to_open_sockets(form: &str) {
    let host = Setup::of_build(&Build::new(form, 1))
        .config("greeting", "good morning")
        .limit("message_bytes_max", 1000)
        .start()
        .await;
    let mut socket = Socket::open(&host, "/").await;
    assert_eq!(socket.ask("config greeting").await, "good morning");
    host.edit("good morning", "good evening");
    found("the new greeting", async || {
        let answer = get(&host, "/config/greeting").await;
        (answer.text() == "good evening").then_some(())
    })
    .await;
    assert_eq!(socket.ask("config greeting").await, "good evening");
    host.edit("message_bytes_max = 1000", "message_bytes_max = 100");
    host.becomes("the new limits", |plugin| plugin.generation() == 3)
        .await;
    // It has them from its next event on.
    assert_eq!(socket.ask("echo short").await, "short");
    socket.send(&format!("echo {}", "x".repeat(500))).await;
    assert!(matches!(socket.end().await, End::Closed(1009, _)));
    host.stop().await;
}

async fn a_manifest_with_errors_changes_nothing(form: &str) {
    let host = Setup::of_build(&Build::new(form, 1)).start().await;
    let mut socket = Socket::open(&host, "/").await;
    for (old, new) in [
        ("[[plugin]]", "[[plugin]"),
        ("component =", "compotent ="),
        ("path = \"/\"", "path = \"nowhere\""),
        ("fixture.wasm", "absent.wasm"),
    ] {
        host.edit(old, new);
        found("the error", async || {
            let status = host.status().await;
            let plugin = status
                .plugin("fixture")
                .error()
                .map(|error| error.to_string());
            status.manifest_error().or(plugin)
        })
        .await;
        assert_eq!(socket.ask("echo on").await, "on", "{new}");
        assert_eq!(get(&host, "/version").await.text(), "1", "{new}");
        host.edit(new, old);
        found("the error to go", async || {
            let status = host.status().await;
            let plugin = status.plugin("fixture").error();
            (status.manifest_error().is_none() && plugin.is_none()).then_some(())
        })
        .await;
    }
    host.stop().await;
}
