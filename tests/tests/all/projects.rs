//! From `holdfast new` to a line that is edited, in every language.

use std::process::Command;

use holdfast_tests::folder::Folder;
use holdfast_tests::host::{Host, command};
use holdfast_tests::http::get;
use holdfast_tests::process::output;
use holdfast_tests::project::Project;
use holdfast_tests::setup::Setup;
use holdfast_tests::socket::Socket;
use holdfast_tests::wait::PATIENCE_WITH_BUILDERS;

use crate::languages::Language;

in_every_language!(
    a_new_project_is_edited_under_an_open_socket,
    a_new_project_is_built_and_served,
);

async fn a_new_project_is_edited_under_an_open_socket(language: &Language) {
    // There is more of this for Rust in the tests of `holdfast dev`.
    if language.name == "rust" || language.name != language.folder {
        return;
    }
    let project = Project::in_language(language.folder, "websocket");
    let variables = [("PATH".to_owned(), language.path())];
    let host = Host::dev(project.path(), &variables).await;
    let mut socket = Socket::open(&host, "/").await;
    assert_eq!(socket.text().await, "Hello! Say something.");
    assert_eq!(socket.ask("one").await, "1: you said one");

    let source = project.file_with("you said");
    project.replace(&source, "you said", "we heard");
    let words = [&*source, "saved → built in", "serving new code"];
    let line = host.logged_for(PATIENCE_WITH_BUILDERS, &words).await;
    println!("{line}");
    assert_eq!(socket.ask("two").await, "2: we heard two");
    let page = get(&host, "/").await;
    assert_eq!(page.status, 200);
    assert!(page.header("content-type").starts_with("text/html"));
    drop(socket);
    host.stop().await;
}

async fn a_new_project_is_built_and_served(language: &Language) {
    // Those in Rust are built by the tests of `holdfast new`.
    if language.name == "rust" || language.name != language.folder {
        return;
    }
    let project = Project::in_language(language.folder, "http");
    let mut build = command();
    build.arg("build").env("PATH", language.path());
    build.current_dir(project.path());
    let says = run(build).await;
    assert!(says.contains("plugin.wasm ("), "{says}");
    let component = project.path().join("plugin.wasm");
    crate::languages::compile(&component).await;
    let host = Setup::of_file("my-http", &component).start().await;
    let page = get(&host, "/").await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("Hello, world!"), "{}", page.text());
    assert_eq!(get(&host, "/elsewhere").await.status, 404);
}

/// Runs a command to its good end, however long it takes, and returns what it
/// prints.
async fn run(command: Command) -> String {
    let output = output(command).await;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (says, errors) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{says}{errors}");
    says
}

#[test]
fn what_is_missing_is_said_before_anything_is_built() {
    let folder = Folder::new();
    let plugin = "[[plugin]]\nname = \"a\"\ncomponent = \"plugin.wasm\"\n";
    let route = "[[route]]\npath = \"/\"\nplugin = \"a\"\n";
    let builder = "[dev]\nbuild = \"touch built\"\n";
    folder.write("holdfast.toml", format!("{builder}{plugin}{route}"));
    folder.write("package.json", "{}");
    for verb in ["build", "dev"] {
        let output = command()
            .arg(verb)
            .arg(folder.path())
            .env("PATH", folder.path())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        let says = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            says,
            "error: Node.js is not there: a project in JavaScript needs it\n  \
             hint: install Node.js: https://nodejs.org, or `sudo apt-get install nodejs npm` on \
             Debian\n"
        );
        assert!(!folder.path().join("built").exists());
    }
}
