//! Components that are deployed by upload.

use std::path::Path;

use holdfast_tests::admin::Admin;
use holdfast_tests::build::Build;
use holdfast_tests::folder::Folder;
use holdfast_tests::host::{Host, command};
use holdfast_tests::http::{full, get};
use holdfast_tests::setup::Setup;
use holdfast_tests::socket::Socket;
use serde_json::Value;

const FORM: &str = "plain";
const COMPONENT: &str = "/v1/tenants/default/plugins/fixture/component";
const DEPLOY: &str = "/v1/tenants/default/plugins/fixture/deploy";

fn build(version: u32) -> Vec<u8> {
    Build::new(FORM, version).bytes().to_vec()
}

/// A manifest in the folder, for a host that can be started again.
fn manifest(folder: &Folder) {
    folder.write("fixture.wasm", build(1));
    let text = "listen = \"127.0.0.1:0\"
[load]
component_bytes_max = 4000000
[[plugin]]
name = \"fixture\"
component = \"fixture.wasm\"
[[route]]
path = \"/\"
plugin = \"fixture\"
";
    folder.write("holdfast.toml", text);
}

async fn serve(folder: &Folder) -> (Host, Admin) {
    let data = folder.path().join("data").display().to_string();
    let manifest = folder.path().join("holdfast.toml");
    let host = Host::serve(&manifest, &["--data", &data]).await;
    let admin = Admin::of(Path::new(&data));
    (host, admin)
}

async fn version(host: &Host) -> String {
    get(host, "/version").await.text().to_owned()
}

/// Asks for a deployment; returns the status and the answer.
async fn put(admin: &Admin, component: impl Into<bytes::Bytes>) -> (u16, Value) {
    let answer = admin.ask("PUT", COMPONENT, component).await;
    let body = serde_json::from_slice(&answer.body).unwrap();
    (answer.status.as_u16(), body)
}

#[tokio::test]
async fn an_uploaded_component_serves_until_its_file_changes() {
    let folder = Folder::new();
    manifest(&folder);
    let (host, admin) = serve(&folder).await;
    let mut socket = Socket::open(&host, "/?note=mine").await;
    let (status, change) = put(&admin, build(2)).await;
    assert_eq!((status, &change["what"]), (200, &"deployed".into()));
    assert_eq!(version(&host).await, "2");
    let state = socket.ask("state me").await;
    assert!(state.starts_with("note=mine"), "{state}");
    let (status, change) = put(&admin, build(2)).await;
    assert_eq!((status, &change["what"]), (200, &"noted".into()));

    let reload = admin.ask("POST", "/v1/reload", "").await;
    assert_eq!(reload.status, 200);
    assert_eq!(version(&host).await, "2", "the file has not changed");
    host.stop().await;

    let (host, admin) = serve(&folder).await;
    assert_eq!(version(&host).await, "2", "after a restart");
    folder.write("fixture.wasm", build(3));
    admin.ask("POST", "/v1/reload", "").await;
    assert_eq!(version(&host).await, "3");
    host.stop().await;
    let (host, admin) = serve(&folder).await;
    assert_eq!(version(&host).await, "3");

    put(&admin, build(4)).await;
    host.stop().await;
    folder.write("fixture.wasm", build(5));
    let (host, _) = serve(&folder).await;
    assert_eq!(version(&host).await, "5", "it has changed meanwhile");
    host.stop().await;
}

#[tokio::test]
async fn one_goes_back_from_what_was_deployed() {
    let folder = Folder::new();
    manifest(&folder);
    let (host, admin) = serve(&folder).await;
    put(&admin, build(2)).await;
    let (_, third) = put(&admin, build(3)).await;
    let third = third["digest"].as_str().unwrap().to_owned();
    let rollback = "/v1/tenants/default/plugins/fixture/rollback";
    assert_eq!(admin.ask("POST", rollback, "").await.status, 200);
    assert_eq!(version(&host).await, "2");
    host.stop().await;
    let (host, admin) = serve(&folder).await;
    assert_eq!(version(&host).await, "2", "after a restart");

    let digest = |digest: &str| format!("{{\"digest\":\"{digest}\"}}");
    let deployed = admin.ask("POST", DEPLOY, digest(&third[..8])).await;
    assert_eq!(deployed.status, 200, "{}", deployed.text());
    assert_eq!(version(&host).await, "3");
    let unknown = admin.ask("POST", DEPLOY, digest("0000")).await;
    assert_eq!(unknown.status, 404, "{}", unknown.text());

    assert_eq!(admin.ask("POST", rollback, "").await.status, 200);
    assert_eq!(version(&host).await, "2");
    host.stop().await;
}

#[tokio::test]
async fn what_can_not_serve_changes_nothing() {
    let folder = Folder::new();
    manifest(&folder);
    let (host, admin) = serve(&folder).await;
    let absent = "/v1/tenants/default/plugins/absent/component";
    let other = "/v1/tenants/other/plugins/fixture/component";
    for (path, body, expected) in [
        (COMPONENT, b"garbage".to_vec(), 422),
        (COMPONENT, Vec::new(), 422),
        (COMPONENT, vec![0; 4_000_001], 413),
        (absent, build(2), 404),
        (other, build(2), 404),
    ] {
        let answer = admin.ask("PUT", path, body).await;
        assert_eq!(answer.status, expected, "{path}: {}", answer.text());
        let answer: Value = serde_json::from_slice(&answer.body).unwrap();
        assert!(answer["hint"].is_string(), "{answer}");
    }
    host.stop().await;

    let host = Setup::of_build(&Build::new(FORM, 1)).start().await;
    let component = folder.write("new.wasm", build(2));
    let component = component.display().to_string();
    let output = host
        .say(&["deploy", &component, "--plugin", "fixture"])
        .await;
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains("no folder in which to keep"), "{errors}");
    assert_eq!(version(&host).await, "1");
    host.stop().await;
}

#[tokio::test]
async fn the_command_line_deploys() {
    let folder = Folder::new();
    manifest(&folder);
    let (host, _) = serve(&folder).await;
    let component = folder.write("new.wasm", build(7));
    let output = command()
        .arg("deploy")
        .arg(component)
        .args(["--plugin", "fixture"])
        .arg(folder.path().join("holdfast.toml"))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("fixture: deployed"), "{text}");
    assert_eq!(version(&host).await, "7");
    host.stop().await;
}

/// Kills hosts in the middle of deployments, each a little later than the one
/// before: what serves then is the component before or the one after.
#[tokio::test]
async fn a_host_that_is_killed_serves_the_old_or_the_new() {
    let folder = Folder::new();
    manifest(&folder);
    let mut old = 1;
    for round in 0..20 {
        let (host, admin) = serve(&folder).await;
        let serving: u32 = version(&host).await.parse().unwrap();
        assert!(serving == old || serving == old + 1, "{serving}, {old}");
        old = serving;
        let body = full(build(old + 1));
        let deploying = tokio::spawn(async move { admin.try_send("PUT", COMPONENT, body).await });
        // A moment that differs, so that the kill meets each step.
        tokio::time::sleep(std::time::Duration::from_millis(round * 7)).await;
        drop(host);
        let _ = deploying.await;
    }
    let (host, admin) = serve(&folder).await;
    let (status, _) = put(&admin, build(100)).await;
    assert_eq!(status, 200);
    assert_eq!(version(&host).await, "100");
    host.stop().await;
}

#[tokio::test]
async fn without_its_settings_a_plugin_gets_nothing_new() {
    let data = Folder::new();
    let setup = Setup::of_build(&Build::new(FORM, 1)).file("greeting", "Hello");
    let setup = setup.plugin("config", "{ greeting = { file = \"greeting\" } }");
    let host = setup.data(data.path()).start().await;
    let admin = Admin::of(data.path());
    std::fs::remove_file(host.folder().join("greeting")).unwrap();
    admin.ask("POST", "/v1/reload", "").await;
    let (status, answer) = put(&admin, build(2)).await;
    assert_eq!(status, 409, "{answer}");
    assert_eq!(version(&host).await, "1");
    host.stop().await;
}
