//! The command line: what bad input gets, what the verbs print.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};

use holdfast_tests::folder::Folder;
use holdfast_tests::host::{Host, command};
use holdfast_tests::http::get;
use holdfast_tests::place;
use holdfast_tests::socket::Socket;

/// Set it to write what the host says into the `.err` files, and look at the
/// difference before you commit it.
const BLESS: &str = "HOLDFAST_BLESS";

/// Runs every case in the folder `bad` and compares what it prints with the
/// `.err` file of the same name. A case is one of
///
/// - `NAME.toml`: `holdfast serve NAME.toml`;
/// - `NAME.wat`: `holdfast run NAME.wasm`, with the text assembled;
/// - `NAME.args`: any command line, an argument a line.
///
/// `good.wasm`, `empty.wasm`, `garbage.wasm`, `truncated.wasm` and
/// `trailing.wasm`, which goes on after its end, are there for all of them.
#[test]
fn bad_input_gets_one_clear_sentence() {
    let folder = Folder::new();
    fs::copy(place::guest("echo"), folder.path().join("good.wasm")).unwrap();
    folder.write("empty.wasm", "");
    folder.write("garbage.wasm", "This is no component.");
    let component = wat::parse_str("(component (core module (func)))").unwrap();
    folder.write("truncated.wasm", &component[..component.len() - 1]);
    folder.write("trailing.wasm", [component.as_slice(), b"garbage"].concat());
    let mut cases: Vec<_> = fs::read_dir(place::bad())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension != "err"))
        .collect();
    cases.sort();
    assert!(!cases.is_empty());
    let mut differences = String::new();
    for case in cases {
        let said = transcript(run_case(&case, &folder));
        // Some paths are shown from the root on.
        let said = said.replace(&format!("{}/", folder.path().display()), "");
        let golden = case.with_extension("err");
        if std::env::var_os(BLESS).is_some() {
            fs::write(&golden, &said).unwrap();
        }
        let expected = fs::read_to_string(&golden).unwrap_or_default();
        if said != expected {
            let name = case.file_name().unwrap().display();
            differences += &format!("--- {name}, expected\n{expected}--- said\n{said}");
        }
    }
    assert!(differences.is_empty(), "{differences}");
}

fn run_case(case: &Path, folder: &Folder) -> Output {
    let text = fs::read_to_string(case).unwrap();
    let stem = case.file_stem().unwrap().to_str().unwrap();
    let mut command = command();
    command.current_dir(folder.path());
    match case.extension().and_then(|extension| extension.to_str()) {
        Some("toml") => {
            folder.write(&format!("{stem}.toml"), text);
            command.arg("serve").arg(format!("{stem}.toml"));
        }
        Some("wat") => {
            let name = format!("{stem}.wasm");
            folder.write(&name, wat::parse_str(&text).unwrap());
            command
                .arg("run")
                .arg(name)
                .args(["--listen", "127.0.0.1:0"]);
        }
        _ => {
            command.args(text.lines());
        }
    }
    command.output().unwrap()
}

/// Standard error, and the exit code in a line of its own.
fn transcript(output: Output) -> String {
    let mut text = String::from_utf8(output.stderr).unwrap();
    text += &format!("exit code: {}\n", output.status.code().unwrap());
    text
}

#[test]
fn a_port_in_use_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let output = command()
        .arg("run")
        .arg(place::guest("echo"))
        .args(["--listen", &address])
        .output()
        .unwrap();
    let text = transcript(output);
    assert!(text.starts_with("error: "), "{text}");
    assert!(text.contains(&address), "{text}");
    assert!(text.contains("in use"), "{text}");
    assert!(text.contains("\n  hint: "), "{text}");
    assert!(text.ends_with("exit code: 1\n"), "{text}");
}

#[tokio::test]
async fn run_needs_no_manifest() {
    let arguments = ["--config", "greeting=good evening", "--config", "a=b=c"];
    let host = Host::run(&place::guest("plain"), &arguments).await;
    assert_eq!(get(&host, "/config/greeting").await.text(), "good evening");
    assert_eq!(get(&host, "/config/a").await.text(), "b=c");
    let mut socket = Socket::open(&host, "/").await;
    assert_eq!(socket.ask("echo hello").await, "hello");
    drop(socket);
    host.stop().await;
}

fn printed(arguments: &mut Command) -> String {
    let output = arguments.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}{errors}");
    text
}

#[test]
fn inspect_says_what_a_component_is() {
    for (guest, words) in [
        (
            "plain",
            [
                "websocket-handler-sync@0.1.0",
                "wasi:http/handler@0.3",
                "linked        directly",
            ],
        ),
        (
            "waiting",
            [
                "websocket-handler@0.1.0",
                "wasi:http/handler@0.3",
                "linked        as a component",
            ],
        ),
        (
            "wstd",
            [
                "wasi:http/incoming-handler@0.2",
                "wasi:io/streams@0.2",
                "linked        as a component",
            ],
        ),
        (
            "echo",
            [
                "websocket-handler-sync@0.1.0",
                "holdfast:websocket/connections",
                "linked        directly",
            ],
        ),
    ] {
        let text = printed(command().arg("inspect").arg(place::guest(guest)));
        for word in words {
            assert!(text.contains(word), "{guest}: no {word} in\n{text}");
        }
        assert!(text.contains("ms"), "no compile time in\n{text}");
    }
}

#[test]
fn inspect_says_who_provides_what_is_missing() {
    let folder = Folder::new();
    let text = fs::read_to_string(place::bad().join("imports-of-others.wat")).unwrap();
    let file = folder.write("others.wasm", wat::parse_str(&text).unwrap());
    let output = command().arg("inspect").arg(file).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<_> = text.lines().collect();
    for words in [
        ["fermyon:spin/key-value@2.0.0", "`wasi:keyvalue/store"],
        ["wasmcloud:messaging/consumer@0.2.0", "wasmCloud's own"],
        ["wasi:http/types@0.2.0-rc-2023-11-10", "a draft"],
    ] {
        let has = |line: &&&str| words.iter().all(|word| line.contains(word));
        assert!(
            lines.iter().any(|line| has(&line)),
            "no {words:?} in {text}"
        );
    }
    let text = printed(command().arg("inspect").arg(place::guest("wasmcloud")));
    for words in [
        "what `config` grants",
        "what `env` grants",
        "what `folders` grants",
    ] {
        assert!(text.contains(words), "no {words} in {text}");
    }
}

#[test]
fn help_has_examples() {
    let text = printed(command().arg("--help"));
    for verb in ["run", "serve", "inspect"] {
        assert!(text.contains(verb), "{text}");
        let text = printed(command().args([verb, "--help"]));
        assert!(text.contains("Example"), "{text}");
    }
}

#[test]
fn colours_are_for_terminals() {
    let coloured = |choice: &str| {
        let arguments = ["--color", choice, "run", "absent.wasm"];
        let output = command().args(arguments).output().unwrap();
        output.stderr.contains(&0x1b)
    };
    assert!(!coloured("never"));
    assert!(!coloured("auto"));
}
