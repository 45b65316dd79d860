//! Which responses are encoded, and what they say.

use holdfast_tests::decode::whole;
use holdfast_tests::http::get;
use holdfast_tests::http2::Client;
use holdfast_tests::setup::Setup;
use holdfast_tests::wait::patiently;
use http::Request;

use super::{CODINGS, answer, setup, text};

const HTML: (&str, &str) = ("answer-content-type", "text/html; charset=utf-8");

in_both_forms!(
    a_response_is_sent_as_the_client_would_have_it,
    what_is_not_worth_it_stays_as_it_is,
);

async fn a_response_is_sent_as_the_client_would_have_it(form: &str) {
    let host = setup(form).start().await;
    let text = text();
    for (accepted, coding) in [
        ("gzip", "gzip"),
        ("br", "br"),
        ("zstd", "zstd"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, deflate, br", "br"),
        ("gzip;q=1, br;q=0.9, zstd;q=0.1", "gzip"),
        ("*", "zstd"),
        ("zstd;q=0, *", "br"),
        ("identity;q=0.5, gzip;q=0.4", ""),
        ("deflate", ""),
        ("", ""),
    ] {
        for path in ["/answer", "/answer/stream"] {
            let fields = [
                ("accept-encoding", accepted),
                HTML,
                ("answer-etag", "\"tag\""),
                ("answer-accept-ranges", "bytes"),
                ("answer-vary", "cookie"),
            ];
            let response = answer(&host, "POST", path, &text, &fields).await;
            assert_eq!(response.status, 200);
            assert_eq!(response.header("content-encoding"), coding, "{accepted}");
            let vary = response.headers.get_all("vary").iter();
            let vary: Vec<_> = vary.map(|it| it.to_str().unwrap()).collect();
            assert_eq!(vary, ["cookie", "accept-encoding"], "{accepted}");
            assert!(
                whole(coding, &response.body) == text.as_bytes(),
                "{accepted}"
            );
            if coding.is_empty() {
                assert_eq!(response.header("etag"), "\"tag\"");
                assert_eq!(response.header("accept-ranges"), "bytes");
                continue;
            }
            assert_eq!(response.header("etag"), "W/\"tag\"");
            assert_eq!(response.header("accept-ranges"), "");
            assert_eq!(response.header("content-length"), "");
            assert!(response.body.len() < text.len() / 2);
        }
    }
}

async fn what_is_not_worth_it_stays_as_it_is(form: &str) {
    let host = setup(form).start().await;
    let text = text();
    for fields in [
        &[][..],
        &[("answer-content-type", "image/png")],
        &[HTML, ("answer-content-encoding", "br")],
        &[HTML, ("answer-content-encoding", "x-own")],
        &[HTML, ("answer-cache-control", "max-age=1, no-transform")],
        &[HTML, ("cache-control", "no-transform")],
        &[HTML, ("answer-content-digest", "sha-256=:x:")],
        &[
            HTML,
            ("answer-status", "206"),
            ("answer-content-range", "bytes 0-1/2"),
        ],
    ] {
        let fields = [fields, &[("accept-encoding", "gzip, br, zstd")]].concat();
        let response = answer(&host, "POST", "/answer", &text, &fields).await;
        let own = fields.iter().find(|it| it.0 == "answer-content-encoding");
        let own = own.map_or("", |it| it.1);
        assert_eq!(response.header("content-encoding"), own, "{fields:?}");
        assert!(response.text() == text, "{fields:?}");
    }
    let fields = [HTML, ("accept-encoding", "gzip")];
    // Bodies too short to gain anything, and none.
    for body in ["x".repeat(1023), String::new()] {
        let response = answer(&host, "POST", "/answer", &body, &fields).await;
        assert_eq!(response.header("content-encoding"), "");
        assert_eq!(response.text(), body);
    }
    for status in ["204", "304"] {
        let fields = [&fields[..], &[("answer-status", status)]].concat();
        let response = answer(&host, "GET", "/answer", "", &fields).await;
        assert_eq!(response.status.as_str(), status);
        assert_eq!(response.header("content-encoding"), "");
        assert_eq!(response.text(), "");
    }
    // Errors are responses like others.
    let fields = [&fields[..], &[("answer-status", "500")]].concat();
    let response = answer(&host, "POST", "/answer", &text, &fields).await;
    assert_eq!(response.status, 500);
    assert_eq!(response.header("content-encoding"), "gzip");
}

#[tokio::test]
async fn the_answer_to_a_head_says_the_same() {
    let host = setup("waiting").start().await;
    for coding in CODINGS {
        let fields = [
            HTML,
            ("accept-encoding", coding),
            ("answer-content-length", "5000"),
            ("answer-etag", "\"tag\""),
        ];
        let response = answer(&host, "HEAD", "/answer", "", &fields).await;
        assert_eq!(response.header("content-encoding"), coding);
        assert_eq!(response.header("content-length"), "");
        assert_eq!(response.header("etag"), "W/\"tag\"");
        assert_eq!(response.header("vary"), "accept-encoding");
        assert_eq!(response.text(), "");
    }
    let fields = [
        HTML,
        ("accept-encoding", "gzip"),
        ("answer-content-length", "9"),
    ];
    let response = answer(&host, "HEAD", "/answer", "", &fields).await;
    assert_eq!(response.header("content-encoding"), "");
    assert_eq!(response.header("content-length"), "9");
}

#[tokio::test]
async fn nothing_is_encoded_unless_somebody_asks_for_it() {
    for (setup, types) in [
        (Setup::new("waiting"), ["", "", ""]),
        (
            Setup::new("waiting").plugin("encode", "false"),
            ["", "", ""],
        ),
        (
            Setup::new("waiting").plugin(
                "encode",
                "{ encodings = [\"gzip\"], bytes_min = 10, types = [\"text/*\", \"*+x\"] }",
            ),
            ["gzip", "gzip", ""],
        ),
    ] {
        let host = setup.start().await;
        for (media, coding) in ["text/css", "a/b+x", "application/json"].iter().zip(types) {
            let fields = [
                ("accept-encoding", "gzip, br, zstd"),
                ("answer-content-type", media),
            ];
            let response = answer(&host, "POST", "/answer", &"x".repeat(10), &fields).await;
            assert_eq!(response.header("content-encoding"), coding, "{media}");
            let is_varied = !response.header("vary").is_empty();
            assert_eq!(is_varied, !coding.is_empty());
        }
    }
}

#[tokio::test]
async fn streams_of_http2_are_encoded_alike() {
    let host = setup("waiting").start().await;
    let stream = holdfast_tests::http::connect(&host).await;
    let (mut client, _connection) = Client::over(stream).await;
    let text = text();
    for coding in CODINGS {
        let request = Request::post("http://a/answer/stream")
            .header("accept-encoding", coding)
            .header(HTML.0, HTML.1);
        let request = request.body(()).unwrap();
        let (response, mut sender) = client.send(request, false).await.unwrap();
        sender.send_data(text.clone().into(), true).unwrap();
        assert_eq!(response.headers()["content-encoding"], coding);
        assert!(!response.headers().contains_key("content-length"));
        let mut body = response.into_body();
        let mut bytes = Vec::new();
        while let Some(data) = patiently("a piece", body.data()).await {
            let data = data.unwrap();
            body.flow_control().release_capacity(data.len()).unwrap();
            bytes.extend(data);
        }
        assert!(whole(coding, &bytes) == text.as_bytes());
    }
}

#[tokio::test]
async fn a_reload_changes_what_is_encoded() {
    let host = setup("waiting").start().await;
    let fields = [HTML, ("accept-encoding", "gzip")];
    let text = text();
    let coding = async || {
        let response = answer(&host, "POST", "/answer", &text, &fields).await;
        response.header("content-encoding").to_owned()
    };
    assert_eq!(coding().await, "gzip");
    let manifest = host.folder().join("holdfast.toml");
    let old = std::fs::read_to_string(&manifest).unwrap();
    std::fs::write(&manifest, old.replace("encode = true", "encode = false")).unwrap();
    holdfast_tests::wait::found("another generation", async || {
        coding().await.is_empty().then_some(())
    })
    .await;
    assert_eq!(get(&host, "/hello").await.text(), "hello");
}
