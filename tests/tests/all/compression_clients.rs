//! Other people's clients: Python's `websockets`, Node's `ws`, curl.

use std::process::Command;

use holdfast_tests::host::Host;
use holdfast_tests::place;
use holdfast_tests::process::{output, run};
use holdfast_tests::setup::Setup;
use holdfast_tests::wait::patiently;

/// What a program says that ends well.
async fn said(command: Command) -> String {
    let output = run(command).await;
    let said = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&said).into_owned()
}

async fn python(host: &Host, expected: &str) {
    let mut python = Command::new(place::client("python/bin/python"));
    python.arg(place::scripts().join("echo.py"));
    python.arg(format!("ws://{}/", host.address()));
    assert_eq!(run_with(python, expected).await, "passed\n");
}

async fn node(host: &Host, expected: &str) {
    let mut node = Command::new("node");
    node.env("MODULES", place::client("node/package.json"));
    node.arg(place::scripts().join("echo.mjs"));
    node.arg(format!("ws://{}/", host.address()));
    assert_eq!(run_with(node, expected).await, "passed\n");
}

async fn run_with(mut command: Command, expected: &str) -> String {
    command.arg(expected);
    said(command).await
}

#[tokio::test]
async fn clients_of_python_and_node_talk_to_a_host_that_compresses() {
    for compression in ["shared", "context"] {
        let setup = Setup::new("echo").plugin("compression", &format!("\"{compression}\""));
        let host = setup.limit("compress_bytes_min", 1).start().await;
        for expected in ["deflate", "plain"] {
            python(&host, expected).await;
            node(&host, expected).await;
        }
    }
}

#[tokio::test]
async fn clients_of_python_and_node_talk_to_a_host_that_does_not() {
    let host = Setup::new("echo").start().await;
    python(&host, "plain").await;
    node(&host, "plain").await;
}

#[tokio::test]
async fn curl_sends_requests_and_offers_a_handshake() {
    let host = Setup::new("plain").start().await;
    let address = host.address();
    let url = move |path: &str| format!("http://{address}{path}");
    let mut get = Command::new("curl");
    get.args(["--silent", "--fail"]).arg(url("/hello"));
    assert!(said(get).await.contains("hello"));
    let mut post = Command::new("curl");
    post.args(["--silent", "--fail", "--data-binary", "12345"]);
    post.args(["--header", "expect: 100-continue"])
        .arg(url("/length"));
    assert_eq!(said(post).await, "5");
    let mut offer = Command::new("curl");
    offer.args(["--silent", "--include", "--no-buffer", "--max-time", "1"]);
    for field in [
        "connection: upgrade",
        "upgrade: websocket",
        "sec-websocket-version: 13",
        "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
    ] {
        offer.args(["--header", field]);
    }
    offer.arg(url("/"));
    // It does not end well: the socket stays open.
    let offered = patiently("curl", output(offer)).await;
    let head = String::from_utf8_lossy(&offered.stdout);
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
}
