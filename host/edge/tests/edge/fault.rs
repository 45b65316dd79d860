use crate::support::client::{Client, HANDSHAKE, Raw};
use crate::support::server::Server;

const BROWSER: &str = "Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n";
const PAGE: &str = "<!doctype html><title>The build failed</title>";

/// Head, in lower case, and body of the answer to a request with these fields.
async fn ask(server: &Server, line: &str, fields: &str) -> (String, String) {
    let mut raw = Raw::connect(server.address).await;
    raw.send(format!(
        "{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{fields}\r\n"
    ))
    .await;
    let answer = String::from_utf8(raw.rest().await).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_ascii_lowercase(), body.to_owned())
}

#[tokio::test]
async fn only_who_wants_html_gets_the_fault_page() {
    let server = Server::start();
    server.hub.set_fault_page(Some(PAGE.into()));
    for (line, fields, expected) in [
        ("GET /hello", BROWSER, PAGE),
        ("GET /no/such/route", BROWSER, PAGE),
        ("HEAD /hello", BROWSER, ""),
        ("POST /hello", BROWSER, "hello"),
        ("GET /hello", "Accept: */*\r\n", "hello"),
        ("GET /hello", "", "hello"),
    ] {
        let (head, body) = ask(&server, line, fields).await;
        assert_eq!(body, expected, "{line} {fields}");
        let is_page = expected != "hello";
        assert_eq!(head.starts_with("http/1.1 500 "), is_page, "{head}");
        let html = "content-type: text/html; charset=utf-8";
        assert_eq!(head.contains(html), is_page, "{head}");
        assert_eq!(head.contains("cache-control: no-store"), is_page, "{head}");
    }
    server.hub.set_fault_page(None);
    let (_, body) = ask(&server, "GET /hello", BROWSER).await;
    assert_eq!(body, "hello");
}

#[tokio::test]
async fn a_handshake_never_gets_the_fault_page() {
    let server = Server::start();
    let mut open = Client::connect(server.address, "/").await;
    server.hub.set_fault_page(Some(PAGE.into()));
    let mut raw = Raw::connect(server.address).await;
    raw.send(format!("GET / HTTP/1.1\r\n{HANDSHAKE}{BROWSER}\r\n"))
        .await;
    assert!(raw.head().await.starts_with("HTTP/1.1 101 "));
    assert_eq!(open.ask("still served").await, "still served");
}
