//! `holdfast new`: what it writes builds, passes its own tests, and is laid out
//! as rustfmt does it.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use holdfast_tests::folder::Folder;
use holdfast_tests::host::command;
use holdfast_tests::project::Project;

fn builds_and_passes_its_tests(template: &str) {
    let project = Project::new(template);
    project.cargo(&["fmt", "--check", "--package", &format!("my-{template}")]);
    project.cargo(&["test"]);
    project.cargo(&["clippy", "--", "-D", "warnings"]);
    project.build();
}

#[test]
fn a_new_http_project_is_good() {
    builds_and_passes_its_tests("http");
}

#[test]
fn a_new_websocket_project_is_good() {
    builds_and_passes_its_tests("websocket");
}

#[test]
fn a_new_chat_project_is_good() {
    builds_and_passes_its_tests("chat");
}

#[test]
fn nothing_is_written_over() {
    let folder = Folder::new();
    let new = |name: &str| {
        let output = command()
            .args(["new", name])
            .current_dir(folder.path())
            .output();
        let output = output.unwrap();
        (
            output.status.success(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    fs::create_dir(folder.path().join("empty")).unwrap();
    assert!(new("empty").0);
    let before = fs::read_to_string(folder.path().join("empty/src/lib.rs")).unwrap();
    let (is_good, says) = new("empty");
    assert!(
        !is_good && says.contains("there is something already"),
        "{says}"
    );
    let after = fs::read_to_string(folder.path().join("empty/src/lib.rs")).unwrap();
    assert_eq!(before, after);

    folder.write("file", "mine");
    let (is_good, says) = new("file");
    assert!(
        !is_good && says.contains("there is something already"),
        "{says}"
    );
}

#[test]
fn scripts_of_a_new_project_can_be_run() {
    let folder = Folder::new();
    let output = command()
        .args(["new", "mine", "--lang", "js"])
        .current_dir(folder.path())
        .output();
    assert!(output.unwrap().status.success());
    let sdk = folder.path().join("mine/holdfast-sdk");
    let mode = |name: &str| fs::metadata(sdk.join(name)).unwrap().permissions().mode();
    assert_eq!(mode("bin/holdfast-build.js") & 0o100, 0o100);
    assert_eq!(mode("package.json") & 0o111, 0);
}
