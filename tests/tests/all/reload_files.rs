//! How files may change: by a rename, in place, through symbolic links, for a
//! while not at all there; and what is never a reason to load anything.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::Path;

use holdfast_tests::build::{Build, put};
use holdfast_tests::folder::Folder;
use holdfast_tests::host::{Host, command};
use holdfast_tests::http::get;
use holdfast_tests::process::{hangup, output};
use holdfast_tests::setup::{FIXTURE, Setup};
use holdfast_tests::socket::Socket;
use holdfast_tests::wait::until;
use serde_json::Value;

const FORM: &str = "plain";

fn build(version: u32) -> Build {
    Build::new(FORM, version)
}

/// Lets the host look at its files, and returns what has changed.
async fn look(host: &Host) -> Vec<(String, String)> {
    let output = host.say(&["reload"]).await;
    let text = String::from_utf8(output.stdout).unwrap();
    let change = |line: &str| {
        let (name, rest) = line.split_once(": ")?;
        let what = rest.split(',').next()?;
        Some((name.to_owned(), what.to_owned()))
    };
    text.lines().filter_map(change).collect()
}

#[tokio::test]
async fn an_editor_writes_by_rename() {
    let host = Setup::of_build(&build(1)).start().await;
    let mut socket = Socket::open(&host, "/").await;
    // As vim does: the old file gets another name, a new one takes its place.
    let (component, backup) = (host.component(), host.component().with_extension("wasm~"));
    fs::rename(&component, &backup).unwrap();
    fs::write(&component, build(2).bytes()).unwrap();
    fs::remove_file(&backup).unwrap();
    host.serves(2).await;
    put(&component, build(3).bytes());
    host.serves(3).await;
    assert_eq!(socket.ask("echo still here").await, "still here");
    host.stop().await;
}

#[tokio::test]
async fn a_file_that_is_written_slowly_is_taken_when_it_is_whole() {
    let host = Setup::of_build(&build(1)).start().await;
    let new = build(2);
    let mut rest = new.bytes().iter();
    let mut file = OpenOptions::new()
        .write(true)
        .truncate(true)
        .open(host.component())
        .unwrap();
    // Another plugin comes meanwhile, and the host looks.
    put(&host.folder().join("other.wasm"), build(1).bytes());
    let other = "[[plugin]]\nname = \"other\"\ncomponent = \"other.wasm\"\n[[route]]";
    host.edit("[[route]]", other);
    until("the other plugin", || {
        file.write_all(&[*rest.next().unwrap()]).unwrap();
        host.log().contains("plugin=\"other\"")
    })
    .await;
    file.write_all(rest.as_slice()).unwrap();
    drop(file);
    host.serves(2).await;
    assert!(!host.log().contains("can't be loaded"), "{}", host.log());
    host.stop().await;
}

#[tokio::test]
async fn a_file_that_is_written_unnoticed_is_taken_when_it_is_whole() {
    let folder = Folder::new();
    let component = folder.write("fixture.wasm", build(1).bytes());
    // A name of the same file in a folder that is not watched.
    let elsewhere = Folder::new();
    let link = elsewhere.path().join("fixture.wasm");
    fs::hard_link(&component, &link).unwrap();
    let plugin =
        |name: &str| format!("[[plugin]]\nname = \"{name}\"\ncomponent = \"{name}.wasm\"\n");
    let route = "[[route]]\npath = \"/\"\nplugin = \"fixture\"\n";
    let start = format!("listen = \"127.0.0.1:0\"\n{}{route}", plugin("fixture"));
    let manifest = folder.write("holdfast.toml", &start);
    let host = Host::serve(&manifest, &[]).await;
    host.serves(1).await;
    let mut file = OpenOptions::new()
        .write(true)
        .truncate(true)
        .open(&link)
        .unwrap();
    // The host looks because of something else.
    folder.write("other.wasm", build(1).bytes());
    put(&manifest, start + &plugin("other"));
    until("the other plugin", || {
        host.log().contains("plugin=\"other\"")
    })
    .await;
    file.write_all(build(2).bytes()).unwrap();
    drop(file);
    host.serves(2).await;
    assert!(!host.log().contains("can't be loaded"), "{}", host.log());
    host.stop().await;
}

#[tokio::test]
async fn a_config_map_is_swapped_by_a_link() {
    let folder = Folder::new();
    let version = |version: u32, greeting: &str| {
        let name = format!("..v{version}");
        fs::create_dir(folder.path().join(&name)).unwrap();
        folder.write(&format!("{name}/{FIXTURE}.wasm"), build(version).bytes());
        let manifest = format!(
            "listen = \"127.0.0.1:0\"\n[[plugin]]\nname = \"{FIXTURE}\"\n\
             component = \"{FIXTURE}.wasm\"\nconfig = {{ greeting = \"{greeting}\" }}\n\
             [[route]]\npath = \"/\"\nplugin = \"{FIXTURE}\"\n"
        );
        folder.write(&format!("{name}/holdfast.toml"), manifest);
        symlink(&name, folder.path().join("..data_tmp")).unwrap();
        fs::rename(
            folder.path().join("..data_tmp"),
            folder.path().join("..data"),
        )
        .unwrap();
    };
    version(1, "one");
    for name in ["holdfast.toml", "fixture.wasm"] {
        symlink(Path::new("..data").join(name), folder.path().join(name)).unwrap();
    }
    let manifest = folder.path().join("holdfast.toml");
    let host = Host::serve(&manifest, &[]).await;
    host.serves(1).await;
    version(2, "two");
    host.serves(2).await;
    // Both at once: no generation had the one without the other.
    assert_eq!(get(&host, "/config/greeting").await.text(), "two");
    fs::remove_dir_all(folder.path().join("..v1")).unwrap();
    version(3, "three");
    host.serves(3).await;
    assert_eq!(get(&host, "/config/greeting").await.text(), "three");
    assert!(!host.log().contains("generation=4"), "{}", host.log());
    host.stop().await;
}

#[tokio::test]
async fn a_file_that_vanishes_is_served_on_and_may_come_back() {
    let host = Setup::of_build(&build(1)).start().await;
    fs::remove_file(host.component()).unwrap();
    let gone = host.becomes("an error", |it| it.error().is_some()).await;
    let error = gone.error().unwrap().to_string();
    assert!(error.contains("No such file"), "{error}");
    assert_eq!(get(&host, "/version").await.text(), "1");
    // The same comes back: nothing is loaded.
    put(&host.component(), build(1).bytes());
    let back = host.becomes("no error", |it| it.error().is_none()).await;
    assert_eq!(back.generation(), 1);
    // Another one comes back.
    fs::remove_file(host.component()).unwrap();
    host.becomes("an error", |it| it.error().is_some()).await;
    host.switch(FORM, 2).await;
    let lines = || host.log().matches("No such file").count();
    // The log comes a moment later than the status.
    until("a line for each time", || lines() >= 2).await;
    assert_eq!(lines(), 2, "{}", host.log());
    host.stop().await;
}

#[tokio::test]
async fn a_broken_file_is_tried_once_and_again_when_it_is_mended() {
    let host = Setup::of_build(&build(1)).start().await;
    put(&host.component(), "garbage");
    let broken = host.becomes("an error", |it| it.error().is_some()).await;
    let error: Value = broken.error().unwrap();
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("not WebAssembly")
    );
    assert!(error["hint"].as_str().unwrap().contains(".wasm"));
    assert_eq!(get(&host, "/version").await.text(), "1");
    // The same garbage again, under a new name.
    put(&host.component(), "garbage");
    host.edit("[[route]]", "# changed\n[[route]]");
    put(&host.component(), build(2).bytes());
    host.serves(2).await;
    let mended = host.fixture().await;
    assert_eq!((mended.generation(), mended.error()), (2, None));
    let lines = host.log().matches("can't be loaded").count();
    assert_eq!(lines, 1, "{}", host.log());
    host.stop().await;
}

#[tokio::test]
async fn the_same_content_is_no_new_generation() {
    let host = Setup::of_build(&build(1)).start().await;
    put(&host.component(), build(1).bytes());
    let changes = look(&host).await;
    assert!(
        changes.iter().all(|(_, what)| what == "as before"),
        "{changes:?}"
    );
    assert_eq!(look(&host).await, []);
    assert_eq!(host.fixture().await.generation(), 1);
    host.stop().await;
}

#[tokio::test]
async fn without_a_watcher_one_has_to_ask() {
    let folder = Folder::new();
    let component = folder.write("fixture.wasm", build(1).bytes());
    let host = Host::run(&component, &["--no-watch"]).await;
    put(&component, build(2).bytes());
    hangup(host.pid());
    host.serves(2).await;
    put(&component, build(3).bytes());
    // A host that was started for a component is found by it.
    let mut reload = command();
    reload.arg("reload").arg(&component);
    let output = output(reload).await;
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.contains("fixture: reloaded, generation 3"), "{text}");
    assert_eq!(get(&host, "/version").await.text(), "3");
    host.stop().await;
}
