//! The admin listener, and the verbs that ask it.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use holdfast_tests::build::{Build, put};
use holdfast_tests::folder::Folder;
use holdfast_tests::host::Host;
use holdfast_tests::http::{full, request};
use holdfast_tests::setup::{FIXTURE, Setup};
use http::Request;
use http_body_util::BodyExt;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

const FORM: &str = "plain";

/// A host that keeps what it keeps in a folder, and its admin file there.
async fn start(data: &Folder) -> (Host, PathBuf) {
    let component = data.write("fixture.wasm", Build::new(FORM, 1).bytes());
    let path = data.path().display().to_string();
    let host = Host::run(&component, &["--data", &path]).await;
    (host, data.path().join("admin.json"))
}

fn read(file: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

/// Asks; returns the status and the body.
async fn ask(file: &Path, request: Request<holdfast_tests::http::Body>) -> (u16, Value) {
    let url = read(file)["url"].as_str().unwrap().to_owned();
    let address = url.strip_prefix("http://").unwrap().to_owned();
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .unwrap();
    tokio::spawn(connection);
    let (head, body) = sender.send_request(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (head.status.as_u16(), serde_json::from_slice(&body).unwrap())
}

fn with_token(
    file: &Path,
    method: &str,
    path: &str,
    body: &'static str,
) -> Request<holdfast_tests::http::Body> {
    let token = read(file)["token"].as_str().unwrap().to_owned();
    let mut request = request(method, path, full(body));
    let value = format!("Bearer {token}").parse().unwrap();
    request.headers_mut().insert("authorization", value);
    request
}

#[tokio::test]
async fn only_those_with_the_token_are_answered() {
    let data = Folder::new();
    let (host, file) = start(&data).await;
    let mode = std::fs::metadata(&file).unwrap().mode() & 0o777;
    assert_eq!(mode, 0o600);
    let (status, body) = ask(&file, request("GET", "/v1/health", full(""))).await;
    assert_eq!((status, &body["status"]), (200, &"ok".into()));
    for path in ["/v1/status", "/v1/absent"] {
        let (status, body) = ask(&file, request("GET", path, full(""))).await;
        assert_eq!(status, 401, "{body}");
        assert!(
            body["error"].is_string() && body["hint"].is_string(),
            "{body}"
        );
    }
    let mut wrong = with_token(&file, "GET", "/v1/status", "");
    let value = "Bearer 0000".parse().unwrap();
    wrong.headers_mut().insert("authorization", value);
    assert_eq!(ask(&file, wrong).await.0, 401);

    let rollback = format!("/v1/tenants/default/plugins/{FIXTURE}/rollback");
    for (method, path, body, expected) in [
        ("GET", "/v1/status", "", 200),
        ("POST", "/v1/reload", "", 200),
        ("POST", "/v1/status", "", 405),
        ("GET", "/v1/absent", "", 404),
        (
            "POST",
            "/v1/tenants/default/plugins/absent/promote",
            "",
            404,
        ),
        ("POST", &rollback, "", 409),
        ("POST", &rollback, "{", 400),
        ("POST", &rollback, "{\"digst\":\"0\"}", 400),
    ] {
        let (status, answer) = ask(&file, with_token(&file, method, path, body)).await;
        assert_eq!(status, expected, "{method} {path} {body}: {answer}");
        assert!(status == 200 || answer["hint"].is_string(), "{answer}");
    }
    host.stop().await;
    assert!(!file.exists(), "it goes with the host");
}

#[tokio::test]
async fn a_large_body_is_refused() {
    let data = Folder::new();
    let (host, file) = start(&data).await;
    let path = format!("/v1/tenants/default/plugins/{FIXTURE}/rollback");
    let mut request = with_token(&file, "POST", &path, "");
    *request.body_mut() = full(vec![b' '; 70_000]);
    assert_eq!(ask(&file, request).await.0, 400);
    host.stop().await;
}

#[tokio::test]
async fn a_token_may_be_chosen_and_the_listener_left_out() {
    let host = Setup::of_build(&Build::new(FORM, 1))
        .variable("HOLDFAST_ADMIN_TOKEN", "chosen-by-an-operator")
        .start()
        .await;
    let wrong = host
        .say(&["status", "--token", "another-one-than-that"])
        .await;
    let errors = String::from_utf8_lossy(&wrong.stderr);
    assert!(errors.contains("the token is missing or wrong"), "{errors}");
    host.ask(&["status", "--token", "chosen-by-an-operator"])
        .await;
    host.stop().await;

    let folder = Folder::new();
    let component = folder.write("fixture.wasm", Build::new(FORM, 1).bytes());
    let host = Host::run(&component, &["--no-admin"]).await;
    let output = holdfast_tests::host::command()
        .arg("status")
        .arg(&component)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains("no host of this user serves"), "{errors}");
    assert!(errors.contains("hint: "), "{errors}");
    host.stop().await;
}

#[tokio::test]
async fn a_status_is_for_people() {
    let host = Setup::of_build(&Build::new(FORM, 1)).start().await;
    put(&host.component(), "garbage");
    let output = host.say(&["reload"]).await;
    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        errors.contains("not everything could be loaded"),
        "{errors}"
    );
    let text = host.ask(&["status"]).await;
    for words in [
        "PLUGIN   GENERATION  DIGEST        ROLE    CONNECTIONS  EVENTS  FAILED  AGE",
        "fixture  1           ",
        "stable  0            0       0       ",
        "it is not WebAssembly",
        "  hint: give the .wasm file",
    ] {
        assert!(text.contains(words), "no {words:?} in\n{text}");
    }
    host.switch(FORM, 2).await;
    let text = host.ask(&["rollback", FIXTURE]).await;
    assert!(
        text.contains("fixture: rolled back, generation 3"),
        "{text}"
    );
    assert_eq!(host.ask(&["reload"]).await, "nothing has changed\n");
    host.serves(1).await;
    let again = host.say(&["rollback", FIXTURE]).await;
    let errors = String::from_utf8_lossy(&again.stderr);
    assert!(errors.contains("every earlier generation"), "{errors}");
    let promoted = host.say(&["promote", FIXTURE]).await;
    let errors = String::from_utf8_lossy(&promoted.stderr);
    assert!(errors.contains("has no canary"), "{errors}");
    host.stop().await;
}
