//! The examples of every language: the same programs, by the same tests.

use holdfast_tests::host::Host;
use holdfast_tests::http::{Response, full, get, piece, request, send, whole};
use holdfast_tests::setup::Setup;
use holdfast_tests::socket::Socket;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::conformance::unsupported;
use crate::languages::Language;

in_every_language!(
    echo_sends_back_what_comes,
    api_keeps_notes,
    api_says_what_is_wrong,
    stream_sends_events_as_they_come,
);

async fn start(language: &Language, name: &str) -> Host {
    let component = language.component(name).await;
    Setup::of_file(name, &component).start().await
}

async fn echo_sends_back_what_comes(language: &Language) {
    let host = start(language, "echo").await;
    assert_eq!(get(&host, "/").await.text().trim_end(), "hello");
    let mut socket = Socket::open(&host, "/").await;
    for text in ["one", "two words", "Grüße, 世界", ""] {
        assert_eq!(socket.ask(text).await, text);
    }
    let bytes = Message::binary(vec![0, 255, 128, 10]);
    socket.send_message(bytes.clone()).await;
    assert_eq!(socket.message().await.unwrap().unwrap(), bytes);
}

async fn ask(host: &Host, method: &str, path: &str, body: &str) -> (Response, Value) {
    let mut request = request(method, path, full(body.to_owned()));
    let json_type = http::HeaderValue::from_static("application/json");
    request.headers_mut().insert("content-type", json_type);
    let response = whole(host, request).await;
    let value = match response.body.is_empty() {
        true => Value::Null,
        false => {
            let is_json = response
                .header("content-type")
                .starts_with("application/json");
            assert!(is_json, "{method} {path}: {response:?}");
            serde_json::from_str(response.text()).unwrap()
        }
    };
    (response, value)
}

async fn api_keeps_notes(language: &Language) {
    let host = start(language, "api").await;
    let (response, notes) = ask(&host, "GET", "/notes", "").await;
    assert_eq!((response.status.as_u16(), notes), (200, json!([])));

    let mut places = Vec::new();
    for text in ["first", "second, with \"quotes\" and ✓"] {
        let body = json!({"text": text}).to_string();
        let (response, note) = ask(&host, "POST", "/notes", &body).await;
        assert_eq!(response.status, 201, "{note}");
        assert_eq!(note["text"], text);
        let place = response.header("location").to_owned();
        let (response, read) = ask(&host, "GET", &place, "").await;
        assert_eq!((response.status.as_u16(), &read), (200, &note));
        places.push((place, note));
    }
    let (_, notes) = ask(&host, "GET", "/notes", "").await;
    assert_eq!(notes, json!([places[0].1, places[1].1]));

    let (place, note) = &places[0];
    let (response, changed) = ask(&host, "PUT", place, r#"{"text": "changed"}"#).await;
    assert_eq!(response.status, 200, "{changed}");
    let expected = json!({"id": note["id"], "text": "changed"});
    assert_eq!(changed, expected);
    assert_eq!(ask(&host, "GET", place, "").await.1, expected);
    let (response, _) = ask(&host, "DELETE", place, "").await;
    assert_eq!((response.status.as_u16(), response.body.len()), (204, 0));
    assert_eq!(ask(&host, "GET", place, "").await.0.status, 404);
    let (_, notes) = ask(&host, "GET", "/notes", "").await;
    assert_eq!(notes, json!([places[1].1]));
}

async fn api_says_what_is_wrong(language: &Language) {
    let host = start(language, "api").await;
    let (_, note) = ask(&host, "POST", "/notes", r#"{"text": "kept"}"#).await;
    let note = format!(
        "/notes/{}",
        note["id"].as_str().expect("an id that is text")
    );
    for (method, path, body, status) in [
        ("POST", "/notes", "{", 400),
        ("POST", "/notes", "", 400),
        ("POST", "/notes", "[]", 400),
        ("POST", "/notes", r#"{"text": 1}"#, 400),
        ("PUT", &*note, "no JSON", 400),
        ("GET", "/notes/none", "", 404),
        ("PUT", "/notes/none", r#"{"text": "x"}"#, 404),
        ("DELETE", "/notes/none", "", 404),
        ("GET", "/elsewhere", "", 404),
        ("DELETE", "/notes", "", 405),
        ("PATCH", &*note, "", 405),
    ] {
        let (response, value) = ask(&host, method, path, body).await;
        assert_eq!(response.status, status, "{method} {path} {body}: {value}");
        assert!(
            value["error"].is_string(),
            "{method} {path} {body}: {value}"
        );
        let allowed = response.header("allow");
        assert_eq!(allowed.contains("GET"), status == 405, "{allowed}");
    }
    assert_eq!(ask(&host, "GET", &note, "").await.1["text"], "kept");
}

async fn stream_sends_events_as_they_come(language: &Language) {
    if !language.has_example("stream") {
        let reasons = unsupported::reasons(language);
        assert!(reasons.contains_key("stream"), "no reason is given");
        return;
    }
    let host = start(language, "stream").await;
    let whole = get(&host, "/?count=3&pause=10").await;
    assert_eq!(whole.text(), "data: 0\n\ndata: 1\n\ndata: 2\n\n");
    assert!(
        whole
            .header("content-type")
            .starts_with("text/event-stream")
    );

    // Without a count they come one by one, for as long as somebody listens.
    let endless = request("GET", "/", full(""));
    let mut body = send(&host, endless).await.unwrap().into_body();
    let mut events = String::new();
    while !events.contains("data: 3\n\n") {
        let piece = piece(&mut body).await.expect("more events");
        events.push_str(std::str::from_utf8(&piece).unwrap());
    }
    assert!(events.starts_with("data: 0\n\ndata: 1\n\n"), "{events}");
    drop(body);
    // Nobody waits for the end of that one.
    assert_eq!(get(&host, "/?count=1").await.text(), "data: 0\n\n");
}
