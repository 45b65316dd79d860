//! Conformance of HTTP/2, by h2spec (<https://github.com/summerwind/h2spec>).

use std::net::SocketAddr;
use std::process::Command;

use holdfast_tests::place;
use holdfast_tests::process::output;
use holdfast_tests::setup::Setup;
use holdfast_tests::wait::patiently;

/// An answer of some bytes, for the cases about windows, which comes when the
/// request has ended: some cases expect that a stream is not over before.
const PATH: &str = "/publish/h2spec";

/// Without TLS the port speaks HTTP/1.1 as well, which is what anything but the
/// preface of HTTP/2 is taken for (RFC 9113, section 3.4): the answer is a 400 in
/// HTTP/1.1, and then the connection is closed. h2spec tries to read that 400 as a
/// frame.
const NOT_A_PREFACE: &str = "× 2: Sends invalid connection preface";

/// Runs all of it, and returns what it prints.
async fn run(address: SocketAddr, extra: &[&str]) -> Option<String> {
    let mut command = Command::new(place::tool("h2spec")?);
    command.args(["--host", &address.ip().to_string()]);
    command.args(["--port", &address.port().to_string()]);
    command
        .args(["--path", PATH, "--timeout", "5", "--strict"])
        .args(extra);
    let output = patiently("h2spec", output(command)).await;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Some(text)
}

#[tokio::test]
async fn http2_conforms_over_tls_and_without() {
    let host = Setup::new("plain").tls("").start().await;
    let Some(text) = run(host.secure_address(), &["--tls", "--insecure"]).await else {
        return;
    };
    assert!(text.contains("146 tests, 146 passed"), "{text}");
    let text = run(host.address(), &[]).await.unwrap();
    assert!(text.contains("146 tests, 145 passed"), "{text}");
    let (_, failed) = text.split_once("Failures:").unwrap();
    assert!(failed.contains(NOT_A_PREFACE), "{text}");
    assert_eq!(failed.matches('×').count(), 1, "{text}");
    host.stop().await;
}
