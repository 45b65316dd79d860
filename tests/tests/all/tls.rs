//! TLS: which certificate a client is shown, what it may speak, who it is, and
//! what happens to it when certificates change.

use futures_util::{SinkExt, StreamExt};
use holdfast_tests::build::put;
use holdfast_tests::host::Host;
use holdfast_tests::http::{full, request};
use holdfast_tests::place::certificate;
use holdfast_tests::raw::Raw;
use holdfast_tests::setup::Setup;
use holdfast_tests::tls::{Client, Stream, ask, websocket};
use holdfast_tests::wait::{found, patiently};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

const FORM: &str = "plain";

in_both_forms!(a_guest_sees_https_and_a_websocket_answers);

async fn text(stream: Stream, path: &str) -> String {
    ask(stream, request("GET", path, full("")))
        .await
        .unwrap()
        .text()
        .to_owned()
}

async fn echo(socket: &mut WebSocketStream<Stream>, word: &str) {
    socket
        .send(Message::text(format!("echo {word}")))
        .await
        .unwrap();
    let answer = patiently("an answer", socket.next())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(answer, Message::text(word));
}

async fn a_guest_sees_https_and_a_websocket_answers(form: &str) {
    let host = Setup::new(form).tls("").start().await;
    for is_old in [false, true] {
        let client = Client {
            is_old,
            ..Client::default()
        };
        let connect = || client.connect(&host, "one.test");
        assert_eq!(text(connect().await.unwrap(), "/scheme").await, "https");
        let mut socket = websocket(connect().await.unwrap(), "/").await;
        echo(&mut socket, "secret").await;
        // More than TLS takes at once.
        echo(&mut socket, &"x".repeat(300_000)).await;
        socket.close(None).await.unwrap();
        while let Some(message) = patiently("the end", socket.next()).await {
            assert!(matches!(message, Ok(Message::Close(_))), "{message:?}");
        }
    }
    let plain = holdfast_tests::http::get(&host, "/scheme").await;
    assert_eq!(plain.text(), "http");
    host.stop().await;
}

#[tokio::test]
async fn a_client_is_shown_the_certificate_of_the_name_it_asks_for() {
    let tenants = "[tenant-defaults]\n\
        certificates = [{ cert = '{tenant}.pem', key = '{tenant}.key' }]\n\
        [tenant.two]\nhosts = ['two.test', '*.two.test']\n[tenant.none]\n\
        [tenant.default]\ncertificates = []\n";
    let setup = Setup::new(FORM).tls(tenants);
    let setup = setup.file("two.pem", certificate("two.pem"));
    let setup = setup.file("two.key", certificate("two.key"));
    let host = setup.start().await;
    host.logged(&["tenant=\"none\"", "none.pem: it can't be read"])
        .await;
    let client = Client::default();
    for name in ["one.test", "two.test", "a.two.test", "127.0.0.1"] {
        let stream = client.connect(&host, name).await;
        assert_eq!(text(stream.unwrap(), "/hello").await, "hello", "{name}");
    }
    // It is shown the operator's, which it does not like.
    for name in ["else.test", "a.b.two.test"] {
        let error = client.connect(&host, name).await.unwrap_err().to_string();
        assert!(error.contains("not valid for name"), "{error}");
    }
}

#[tokio::test]
async fn an_unknown_name_may_be_refused() {
    let host = Setup::new(FORM).tls("strict_sni = true").start().await;
    let client = Client::default();
    assert!(client.connect(&host, "one.test").await.is_ok());
    for name in ["else.test", "127.0.0.1"] {
        let error = client.connect(&host, name).await.unwrap_err().to_string();
        assert!(error.contains("AccessDenied"), "{error}");
    }
}

#[tokio::test]
async fn what_is_spoken_is_agreed_upon() {
    let host = Setup::new(FORM).tls("").start().await;
    for (offered, expected) in [
        (&["h2", "http/1.1"][..], Some("h2")),
        (&["http/1.1"], Some("http/1.1")),
        (&[], None),
    ] {
        let stream = Client::offering(offered).connect(&host, "one.test").await;
        let stream = stream.unwrap();
        let agreed = stream.get_ref().1.alpn_protocol();
        assert_eq!(agreed, expected.map(str::as_bytes), "{offered:?}");
    }
    let stream = Client::offering(&["spdy/3"])
        .connect(&host, "one.test")
        .await;
    assert!(stream.is_err(), "nothing in common");
}

#[tokio::test]
async fn plain_http_is_sent_to_tls() {
    let host = Setup::new(FORM).tls("").start().await;
    let line = host.logged(&["to send everybody to https"]).await;
    let address = line
        .split("http://")
        .nth(1)
        .unwrap()
        .split(',')
        .next()
        .unwrap();
    for (extra, path) in [
        ("", "/a?b=c"),
        ("connection: upgrade\r\nupgrade: websocket\r\n", "/"),
    ] {
        let stream = TcpStream::connect(address).await.unwrap();
        let mut raw = Raw::over(stream);
        let head = format!("GET {path} HTTP/1.1\r\nhost: one.test:80\r\n{extra}\r\n");
        raw.send(head.as_bytes()).await;
        let head = raw.head().await;
        assert!(head.starts_with("HTTP/1.1 308 "), "{head}");
        let port = host.secure_address().port();
        let location = format!("location: https://one.test:{port}{path}\r\n");
        assert!(head.contains(&location), "{head}");
    }
}

#[tokio::test]
async fn a_new_certificate_is_for_new_connections() {
    let host = Setup::new(FORM).tls("").start().await;
    let client = Client::default();
    let mut socket = websocket(client.connect(&host, "one.test").await.unwrap(), "/").await;
    assert!(client.connect(&host, "two.test").await.is_err());
    // Half of it: what was there stays in force.
    put(&host.folder().join("own.pem"), certificate("two.pem"));
    host.logged(&["own.key: the private key is not that of the certificate"])
        .await;
    assert!(client.connect(&host, "one.test").await.is_ok());
    let report = host.say(&["reload"]).await;
    let said = String::from_utf8_lossy(&report.stdout).into_owned();
    let expected = "a certificate is not in force: ";
    assert!(said.starts_with(expected), "{report:?}");
    assert!(host.status().await.whole().contains("is not that of"));
    put(&host.folder().join("own.key"), certificate("two.key"));
    found("the new certificate", async || {
        client.connect(&host, "two.test").await.ok()
    })
    .await;
    assert!(client.connect(&host, "one.test").await.is_err());
    echo(&mut socket, "still here").await;
    host.stop().await;
}

async fn with_client(host: &Host, certificate: Option<&'static str>) -> Result<String, String> {
    let client = Client {
        certificate,
        ..Client::default()
    };
    let stream = client.connect(host, "one.test").await;
    let request = request("GET", "/headers", full(""));
    let (mut parts, body) = request.into_parts();
    let forged = "CN=forged".parse().unwrap();
    parts.headers.insert("holdfast-client-subject", forged);
    let stream = stream.map_err(|error| error.to_string())?;
    let answer = ask(stream, http::Request::from_parts(parts, body)).await;
    answer
        .map(|it| it.text().to_owned())
        .map_err(|error| format!("{error:?}"))
}

#[tokio::test]
async fn a_client_may_have_to_say_who_it_is() {
    let subject =
        "holdfast-client-subject: CN=Ada \\C3\\BC\\, Countess,OU=Engines,O=Holdfast Tests\n";
    for (auth, is_required) in [("", true), ("client_auth = 'optional'", false)] {
        let setup = Setup::new(FORM).tls(&format!("client_ca = 'ca.pem'\n{auth}"));
        let host = setup
            .file("ca.pem", certificate("authority.pem"))
            .start()
            .await;
        let head = with_client(&host, Some("client")).await.unwrap();
        assert!(head.contains(subject), "{head}");
        assert!(!head.contains("forged"), "{head}");
        assert!(with_client(&host, Some("stranger")).await.is_err());
        match with_client(&host, None).await {
            Ok(head) => assert!(!is_required && !head.contains("subject"), "{head}"),
            Err(error) => assert!(is_required, "{error}"),
        }
    }
}

#[tokio::test]
async fn a_handshake_has_its_time() {
    let setup = Setup::new(FORM).tls("handshake_timeout_ms = 200\nhandshakes_max = 1");
    let host = setup.start().await;
    // One that says nothing, and another that has to wait for it.
    let silent = TcpStream::connect(host.secure_address()).await.unwrap();
    let client = Client::default();
    let stream = found("its turn", async || {
        client.connect(&host, "one.test").await.ok()
    });
    assert_eq!(text(stream.await, "/hello").await, "hello");
    assert!(Raw::over(silent).rest().await.is_empty());
    // Plain HTTP where TLS is expected.
    let mut raw = Raw::over(TcpStream::connect(host.secure_address()).await.unwrap());
    raw.send(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    let answer = raw.rest().await;
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
}

#[tokio::test]
async fn who_says_nothing_takes_nobodys_turn() {
    // Longer than anybody here has patience.
    let setup = Setup::new(FORM).tls("handshake_timeout_ms = 600000\nhandshakes_max = 1");
    let host = setup.start().await;
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(TcpStream::connect(host.secure_address()).await.unwrap());
        let mut begun = Raw::over(TcpStream::connect(host.secure_address()).await.unwrap());
        // A part of a record.
        begun.send(b"\x16\x03\x01\x02\x00\x01").await;
        silent.push(begun.into_stream());
    }
    let client = Client::default();
    let connecting = client.connect(&host, "one.test");
    let stream = patiently("a handshake", connecting).await.unwrap();
    assert_eq!(text(stream, "/hello").await, "hello");
}

#[tokio::test]
async fn what_is_wrong_with_a_certificate_is_told() {
    let tls = || Setup::new(FORM).tls("");
    for (setup, expected) in [
        (
            tls().file("own.pem", ""),
            "own.pem: there is no certificate in it",
        ),
        (
            tls().file("own.key", ""),
            "own.key: there is no private key in it",
        ),
        (
            tls().file("own.key", certificate("two.key")),
            "own.key: the private key is not that of the certificate\n  hint: name the key",
        ),
        (
            tls().file("own.pem", certificate("authority.pem")),
            "own.pem: the certificate names no host",
        ),
        (
            Setup::new(FORM).tls("client_ca = 'none.pem'"),
            "none.pem: it can't be read",
        ),
        (
            Setup::new(FORM).tls("client_ca = 'own.key'"),
            "own.key: there is no certificate in it",
        ),
    ] {
        let error = setup.fails().await;
        assert!(error.contains(expected), "{error}");
    }
}
