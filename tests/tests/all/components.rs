//! Existing components: made with the SDKs of Spin and wasmCloud, or against bare
//! WASI, unaware of this host. `foreign` has what they do with HTTP.

use std::os::unix::fs::symlink;

use holdfast_tests::folder::Folder;
use holdfast_tests::host::Host;
use holdfast_tests::http::get;
use holdfast_tests::place::guest;
use holdfast_tests::setup::Setup;
use holdfast_tests::socket::Socket;

async fn said(host: &Host, path: &str) -> String {
    get(host, path).await.text().to_owned()
}

#[tokio::test]
async fn components_for_wasmcloud_and_for_earlier_spins_run() {
    for (name, hello) in [
        ("wasmcloud", "Hello from wasmCloud"),
        ("spin-0-2", "Hello from Spin before 0.3"),
    ] {
        let host = Setup::new(name).start().await;
        for _ in 0..3 {
            assert_eq!(said(&host, "/hello").await, hello);
        }
        assert_eq!(get(&host, "/nowhere").await.status, 404, "{name}");
    }
}

#[tokio::test]
async fn the_draft_of_keyvalue_keeps_what_the_later_one_reads() {
    let text = "
        [[plugin]]
        name = \"cloud\"
        component = \"{wasmcloud.wasm}\"
        [[plugin]]
        name = \"plain\"
        component = \"{plain.wasm}\"
        [[route]]
        path = \"/\"
        plugin = \"cloud\"
        [[route]]
        path = \"/socket\"
        plugin = \"plain\"
    ";
    let host = Setup::manifest(text).start().await;
    for (path, answer) in [
        ("/set/name/Ada", "set"),
        ("/get/name", "Ada"),
        ("/exists/name", "true"),
        ("/many/name/absent", "name=Ada none"),
        ("/delete/name", "deleted"),
        ("/exists/name", "false"),
        ("/increment/visits/40", "40"),
        ("/increment/visits/1", "41"),
    ] {
        assert_eq!(said(&host, path).await, answer, "{path}");
    }
    assert_eq!(get(&host, "/get/name").await.status, 404);
    let mut socket = Socket::open(&host, "/socket").await;
    assert_eq!(socket.ask("increment visits").await, "42");
    // A list goes on where the page before has ended, each key once.
    assert_eq!(said(&host, "/fill/2500").await, "2500");
    let keys = said(&host, "/keys").await;
    assert!(keys.starts_with("2501 keys on "), "{keys}");
    assert!(!keys.ends_with(" on 1 pages"), "{keys}");
}

#[tokio::test]
async fn settings_variables_and_the_log_are_those_of_the_plugin() {
    let host = Setup::new("wasmcloud")
        .plugin(
            "env",
            "{ PLACE = \"here\", SECRET = { env = \"OF_HOST\" } }",
        )
        .variable("OF_HOST", "hunter2")
        .config("greeting", "good evening")
        .start()
        .await;
    for (path, answer) in [
        ("/config/greeting", "good evening"),
        ("/env/PLACE", "here"),
        ("/env/SECRET", "hunter2"),
        ("/log/well", "logged"),
    ] {
        assert_eq!(said(&host, path).await, answer, "{path}");
    }
    // What the host has itself is no guest's.
    for path in ["/env/OF_HOST", "/env/PATH", "/config/PLACE"] {
        assert_eq!(get(&host, path).await.status, 404, "{path}");
    }
    host.logged(&["INFO", "well", "wasmcloud"]).await;
    assert!(!host.log().contains("hunter2"));
}

/// A folder with a file, links to it, and links that lead out.
fn public(folder: &Folder) {
    folder.write("public/page.txt", "a page");
    folder.write("secret.txt", "a secret");
    let public = folder.path().join("public");
    symlink("page.txt", public.join("inside")).unwrap();
    symlink("../secret.txt", public.join("up")).unwrap();
    symlink(folder.path().join("secret.txt"), public.join("absolute")).unwrap();
    symlink("..", public.join("parent")).unwrap();
}

#[tokio::test]
async fn granted_folders_can_be_read_and_nothing_else() {
    let folder = Folder::new();
    public(&folder);
    let granted = format!(
        "{{ \"/public\" = \"{}\" }}",
        folder.path().join("public").display()
    );
    for (name, path) in [
        ("wasmcloud", "/file/public/"),
        ("spin-0-2", "/file/public/"),
        ("wasip3", "/file/"),
    ] {
        let host = Setup::new(name).plugin("folders", &granted).start().await;
        for (file, expected) in [("page.txt", true), ("inside", true)] {
            let content = said(&host, &format!("{path}{file}")).await;
            assert_eq!(content == "a page", expected, "{name} {file}: {content}");
        }
        for file in ["up", "absolute", "parent/secret.txt", "%2e%2e/secret.txt"] {
            let content = said(&host, &format!("{path}{file}")).await;
            assert!(!content.contains("a secret"), "{name} {file}: {content}");
        }
        let host = Setup::new(name).start().await;
        let content = said(&host, &format!("{path}page.txt")).await;
        assert_ne!(content, "a page", "{name} without a grant");
    }
}

#[tokio::test]
async fn folders_are_read_only_and_few_files_are_open() {
    let folder = Folder::new();
    public(&folder);
    let granted = format!("{{ \"/\" = \"{}\" }}", folder.path().display());
    let host = Setup::new("wasmcloud")
        .plugin("folders", &granted)
        .limit("files_max", 10)
        .start()
        .await;
    assert_ne!(said(&host, "/write/public/new.txt").await, "written");
    assert_ne!(said(&host, "/write/public/page.txt").await, "written");
    assert!(!folder.path().join("public/new.txt").exists());
    assert_eq!(said(&host, "/file/public/page.txt").await, "a page");
    assert_eq!(said(&host, "/open/8/public/page.txt").await, "8");
    let opened = said(&host, "/open/20/public/page.txt").await;
    assert!(opened.starts_with("10 and then"), "{opened}");
    // They are closed with the instance that had them open.
    assert_eq!(said(&host, "/open/8/public/page.txt").await, "8");
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_an_error_at_the_start() {
    let setup = Setup::new("wasmcloud").plugin("folders", "{ \"/a\" = \"nowhere\" }");
    let text = setup.fails().await;
    assert!(text.contains("/nowhere can't be opened"), "{text}");
    assert!(text.contains("hint: make it"), "{text}");
}

#[tokio::test]
async fn the_command_line_grants_as_the_manifest_does() {
    let folder = Folder::new();
    public(&folder);
    let granted = format!("/public={}", folder.path().join("public").display());
    let arguments = ["--folder", &granted, "--env", "PLACE=here"];
    let host = Host::run(&guest("wasmcloud"), &arguments).await;
    assert_eq!(said(&host, "/file/public/page.txt").await, "a page");
    assert_eq!(said(&host, "/env/PLACE").await, "here");
}
