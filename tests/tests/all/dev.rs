//! `holdfast dev`: a project is edited while people use it.

use std::fs;

use holdfast_tests::browser::{Browser, Tab};
use holdfast_tests::bulk::bulky;
use holdfast_tests::folder::Folder;
use holdfast_tests::host::Host;
use holdfast_tests::http::{Response, full, get, request, whole};
use holdfast_tests::place;
use holdfast_tests::project::Project;
use holdfast_tests::socket::Socket;
use holdfast_tests::wait::until;
use serde_json::json;

const SOURCE: &str = "src/lib.rs";

/// What a browser gets.
async fn browse(host: &Host) -> Response {
    let mut request = request("GET", "/", full(""));
    let html = "text/html,application/xhtml+xml,*/*;q=0.8";
    request
        .headers_mut()
        .insert("accept", html.parse().unwrap());
    whole(host, request).await
}

async fn shows(tab: &mut Tab, text: &str) {
    let text = json!(text);
    tab.holds(&format!("document.body.innerText.includes({text})"))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn code_is_edited_under_an_open_socket() {
    let project = Project::new("websocket");
    let host = project.dev().await;
    let mut socket = Socket::open(&host, "/").await;
    assert_eq!(socket.text().await, "Hello! Say something.");
    assert_eq!(socket.ask("one").await, "1: you said one");

    project.replace(SOURCE, "you said", "we heard");
    let line = host
        .logged(&["src/lib.rs saved → built in", "serving new code"])
        .await;
    println!("{line}");
    assert_eq!(socket.ask("two").await, "2: we heard two");

    // It does not compile: the code from before serves, and people see why.
    project.replace(SOURCE, "+ 1;", "+ \"<b>one</b>\";");
    host.logged(&["src/lib.rs saved → not built"]).await;
    let log = host.log();
    assert!(log.contains("cannot add `&str` to `u64`"), "{log}");
    assert!(!log.contains('\u{1b}'), "colours are for terminals");
    assert_eq!(socket.ask("three").await, "3: we heard three");
    assert_eq!(get(&host, "/").await.status, 200);
    let page = browse(&host).await;
    assert_eq!(page.status, 500);
    assert!(page.text().contains("cannot add"), "{}", page.text());

    let browser = Browser::start().await;
    let url = format!("http://{}/", host.address());
    let mut tab = browser.open(&url, 900, 600).await;
    shows(&mut tab, "my-websocket can't be built").await;
    shows(&mut tab, "<b>one</b>").await;
    let folder = place::screenshots();
    tab.screenshot(&folder.join("dev-error-light.png")).await;
    let dark = json!({"features": [{"name": "prefers-color-scheme", "value": "dark"}]});
    tab.call("Emulation.setEmulatedMedia", dark).await;
    tab.screenshot(&folder.join("dev-error-dark.png")).await;

    // Another error, and in the end none: the page comes up to date by itself.
    project.replace(SOURCE, "+ \"<b>one</b>\";", "+ unheard_of;");
    shows(&mut tab, "unheard_of").await;
    project.replace(SOURCE, "+ unheard_of;", "+ 10;");
    tab.holds("document.title === 'my-websocket'").await;
    shows(&mut tab, "Connected").await;
    assert_eq!(socket.ask("four").await, "13: we heard four");
    assert_eq!(browse(&host).await.status, 200);
    drop(tab);
    drop(socket);
    host.stop().await;
}

/// The component is the one whose path is in `src/which`; with the path in
/// `stuck` there, the builder never ends.
const BUILDER: &str = r#"
echo $$ > pid
echo >> runs
[ "$(cat src/which)" = "$(cat stuck)" ] && sleep 600
cp "$(cat src/which)" a.wasm
"#;

const MANIFEST: &str = r#"
[dev]
build = "sh builder"
[[plugin]]
name = "a"
component = "a.wasm"
[[route]]
path = "/"
plugin = "a"
"#;

#[tokio::test]
async fn any_builder_will_do_and_ends_when_something_newer_is_saved() {
    let folder = Folder::new();
    fs::create_dir(folder.path().join("src")).unwrap();
    let [plain, waiting, stuck] =
        ["plain", "waiting", "echo"].map(|name| place::guest(name).display().to_string());
    let manifest = folder.write("holdfast.toml", MANIFEST);
    folder.write("builder", BUILDER);
    folder.write("stuck", &stuck);
    folder.write("src/which", &plain);
    let host = Host::dev(folder.path(), &[]).await;
    let mut socket = Socket::open(&host, "/").await;
    assert_eq!(socket.ask("echo one").await, "one");

    folder.write("src/which", &stuck);
    let runs = || {
        fs::read_to_string(folder.path().join("runs"))
            .unwrap()
            .len()
    };
    until("the second build", || runs() == 2).await;
    folder.write("src/which", &waiting);
    host.logged(&["src/which saved → built in", "serving new code"])
        .await;
    assert_eq!(socket.ask("echo two").await, "two");

    // The manifest takes effect as well, and so does what is wrong with it.
    folder.write("holdfast.toml", MANIFEST.replace("\"/\"", "\"/below\""));
    host.logged(&["holdfast.toml", "saved → built in", "in force"])
        .await;
    assert_eq!(get(&host, "/").await.text(), "There is nothing here.\n");
    fs::write(manifest, MANIFEST.replace("path", "paht")).unwrap();
    host.logged(&["holdfast.toml", "saved", "not served"]).await;
    let page = browse(&host).await;
    assert!(
        page.text().contains("did you mean `path`?"),
        "{}",
        page.text()
    );
    assert_eq!(socket.ask("echo three").await, "three");
    drop(socket);

    // The end of the host is that of the builder.
    let before = runs();
    folder.write("src/which", &stuck);
    until("a build", || runs() > before).await;
    let pid = fs::read_to_string(folder.path().join("pid")).unwrap();
    host.stop().await;
    // It may be a zombie, for which the first process has to wait.
    let status = format!("/proc/{}/status", pid.trim());
    until("the end of the builder", || {
        fs::read_to_string(&status).map_or(true, |text| text.contains("State:\tZ"))
    })
    .await;
}

#[tokio::test]
async fn what_takes_long_to_compile_is_said_meanwhile() {
    let folder = Folder::new();
    folder.write("holdfast.toml", MANIFEST);
    folder.write("builder", "cp src/component a.wasm");
    folder.write("src/component", fs::read(place::guest("plain")).unwrap());
    let host = Host::dev(folder.path(), &[]).await;
    // Another one each time, since what is in the cache takes no time.
    let salt = std::process::id() as i32;
    folder.write("src/component", bulky("plain", 600_000, salt));
    host.logged(&["INFO", "a component is being compiled"])
        .await;
    host.logged(&["INFO", "component compiled"]).await;
    host.logged(&["src/component saved → built in", "serving new code"])
        .await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_chat_works() {
    let project = Project::new("chat");
    let host = project.dev().await;
    let browser = Browser::start().await;
    let url = format!("http://{}/", host.address());
    let mut tab = browser.open(&url, 700, 500).await;
    tab.holds("document.querySelector('#status').textContent.startsWith('Choose')")
        .await;
    tab.type_into("#text", "Ada").await;
    tab.press_enter().await;
    shows(&mut tab, "1 here: Ada").await;
    tab.type_into("#text", "Hello <b>all</b>").await;
    tab.press_enter().await;
    shows(&mut tab, "Ada: Hello <b>all</b>").await;

    let mut socket = Socket::open(&host, "/rooms/lobby").await;
    let welcome = socket.ask(r#"{"type":"join","nick":"Grace"}"#).await;
    assert!(
        welcome.contains(r#""members":["Ada","Grace"]"#),
        "{welcome}"
    );
    assert!(
        welcome.contains(r#""text":"Hello <b>all</b>""#),
        "{welcome}"
    );
    let post = request("POST", "/rooms/lobby", full("from a shell"));
    assert_eq!(whole(&host, post).await.status, 201);
    assert!(socket.text().await.contains("from a shell"));
    shows(&mut tab, "guest: from a shell").await;
    drop(socket);
    shows(&mut tab, "Grace has left").await;
    tab.screenshot(&place::screenshots().join("new-chat.png"))
        .await;
    assert!(tab.complaints().is_empty(), "{:?}", tab.complaints());
    drop(tab);
    host.stop().await;
}
