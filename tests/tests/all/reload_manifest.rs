//! What a changed manifest does beyond what `swap/manifest.rs` shows.

use holdfast_tests::build::{Build, put};
use holdfast_tests::host::Host;
use holdfast_tests::http::get;
use holdfast_tests::setup::Setup;
use holdfast_tests::socket::Socket;
use holdfast_tests::wait::found;

const FORM: &str = "plain";

async fn start() -> Host {
    Setup::of_build(&Build::new(FORM, 1)).start().await
}

/// A plugin and its route, to be put before the other routes.
fn plugin(name: &str) -> String {
    format!(
        "[[plugin]]\nname = \"{name}\"\ncomponent = \"{name}.wasm\"\n\
         [[route]]\npath = \"/{name}\"\nplugin = \"{name}\"\n[[route]]"
    )
}

#[tokio::test]
async fn a_plugin_is_added_and_its_component_may_come_later() {
    let host = start().await;
    let mut socket = Socket::open(&host, "/").await;
    host.edit("[[route]]", &plugin("version"));
    // Status comes last, when the routes are in force.
    found("the plugin that is missing", async || {
        host.status().await.find("version")?.error()
    })
    .await;
    // Not the plugin of the shorter route.
    assert_eq!(get(&host, "/version").await.status, 404);
    assert_eq!(get(&host, "/hello").await.text(), "hello");
    put(
        &host.folder().join("version.wasm"),
        Build::new(FORM, 5).bytes(),
    );
    found("the plugin that has come", async || {
        let plugin = host.status().await.plugin("version");
        plugin.error().is_none().then_some(())
    })
    .await;
    host.serves(5).await;
    assert_eq!(socket.ask("echo still here").await, "still here");
    assert_eq!(host.fixture().await.generation(), 1);
    host.stop().await;
}

#[tokio::test]
async fn routes_lead_elsewhere() {
    let host = start().await;
    let mut socket = Socket::open(&host, "/").await;
    host.edit("path = \"/\"", "path = \"/version\"");
    host.say(&["reload"]).await;
    assert_eq!(get(&host, "/hello").await.status, 404);
    assert_eq!(get(&host, "/version").await.text(), "1");
    assert_eq!(socket.ask("echo still here").await, "still here");
    assert_eq!(host.fixture().await.generation(), 1);
    host.stop().await;
}

#[tokio::test]
async fn what_needs_a_restart_is_said() {
    let host = start().await;
    host.edit(
        "listen = \"127.0.0.1:0\"",
        "listen = \"127.0.0.1:1\"\nthreads = 7",
    );
    let line = host.logged(&["needs a restart"]).await;
    assert!(line.contains("listen, threads"), "{line}");
    found("the same in the status", async || {
        let text = host.ask(&["status"]).await;
        text.contains("needs a restart: listen, threads")
            .then_some(())
    })
    .await;

    host.edit(
        "[[route]]",
        "[plugin.limits]\nmemory_bytes_max = 1073741824\n[[route]]",
    );
    let line = host.logged(&["can't be loaded"]).await;
    assert!(line.contains("`memory_bytes_max` is 1073741824"), "{line}");
    assert!(line.contains("restart the host"), "{line}");
    host.becomes("an error", |it| it.error().is_some()).await;
    // New code comes all the same when the limit is mended.
    host.edit("1073741824", "67108864");
    let mended = host.becomes("a new generation", |it| it.generation() == 2);
    assert_eq!(mended.await.error(), None);
    host.stop().await;
}

#[tokio::test]
async fn a_manifest_that_vanishes_is_in_force_on() {
    let host = start().await;
    std::fs::rename(host.manifest(), host.folder().join("away")).unwrap();
    host.logged(&["the manifest is not in force", "No such file"])
        .await;
    host.switch(FORM, 2).await;
    std::fs::rename(host.folder().join("away"), host.manifest()).unwrap();
    found("no error", async || {
        host.status().await.manifest_error().is_none().then_some(())
    })
    .await;
    assert_eq!(host.fixture().await.generation(), 2);
    host.stop().await;
}
