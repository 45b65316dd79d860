//! HTTP/2: requests and WebSockets as streams of one connection, and clients
//! that mean harm.

use futures_util::{SinkExt, StreamExt};
use holdfast_tests::host::Host;
use holdfast_tests::http::{connect, get};
use holdfast_tests::http2::{Client, Frame, PREFACE, Raw, Tunnel, text};
use holdfast_tests::setup::Setup;
use holdfast_tests::socket::Socket;
use holdfast_tests::tls;
use holdfast_tests::wait::patiently;
use http::Request;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

const FORM: &str = "plain";

in_both_forms!(
    a_websocket_is_a_stream_among_requests,
    a_drain_ends_streams_in_order,
);

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const CONTINUATION: u8 = 9;
const ENHANCE_YOUR_CALM: u32 = 11;

async fn next(socket: &mut WebSocketStream<Tunnel>) -> Option<Message> {
    loop {
        match patiently("a message", socket.next()).await {
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(message)) => return Some(message),
            Some(Err(_)) | None => return None,
        }
    }
}

async fn ask(socket: &mut WebSocketStream<Tunnel>, message: &str) -> String {
    socket.send(Message::text(message)).await.unwrap();
    next(socket).await.unwrap().into_text().unwrap().to_string()
}

fn code(message: Option<Message>) -> Option<u16> {
    match message {
        Some(Message::Close(Some(frame))) => Some(frame.code.into()),
        _ => None,
    }
}

async fn a_websocket_is_a_stream_among_requests(form: &str) {
    let host = Setup::new(form).tls("").start().await;
    let mut observer = Socket::watch(&host, "seen").await;
    let secure = tls::Client::offering(&["h2"]);
    let stream = secure.connect(&host, "one.test").await.unwrap();
    let (mut client, _connection) = Client::over(stream).await;
    let (status, scheme) = client.get("https://one.test/scheme").await.unwrap();
    assert_eq!((status.as_u16(), &*scheme), (200, "https"));
    assert!(client.takes_websockets().await);
    let url = "https://one.test/?observe=seen";
    let mut socket = client.websocket(url).await.unwrap();
    assert!(observer.text().await.contains(" accept"));
    assert!(observer.text().await.contains(" open"));
    let mut other = client.websocket("https://one.test/").await.unwrap();
    assert_eq!(ask(&mut other, "echo other").await, "other");
    // More than a window, in both directions.
    let long = "x".repeat(700_000);
    assert_eq!(ask(&mut other, &format!("echo {long}")).await, long);
    socket.close(None).await.unwrap();
    assert!(matches!(next(&mut socket).await, Some(Message::Close(_))));
    assert!(observer.text().await.contains(" close Client"));
    assert_eq!(next(&mut socket).await, None);
    // One that hangs up has its close event as well.
    let mut lost = client.websocket(url).await.unwrap();
    assert!(observer.text().await.contains(" accept"));
    assert!(observer.text().await.contains(" open"));
    lost.get_mut().reset();
    assert!(observer.text().await.contains(" close ConnectionLost 1006"));
    assert_eq!(ask(&mut other, "echo still").await, "still");
    let (status, _) = client.get("https://one.test/hello").await.unwrap();
    assert_eq!(status, 200);
    host.stop().await;
}

#[tokio::test]
async fn handshakes_are_answered_as_over_http1() {
    let host = Setup::new(FORM).limit("connections_max", 2).start().await;
    let (mut client, _connection) = Client::over(connect(&host).await).await;
    let refused = client.websocket("http://a/?reject=403").await.unwrap_err();
    assert_eq!(refused.status(), 403);
    assert_eq!(refused.headers()["x-reason"], "asked-for");
    assert_eq!(
        text(refused.into_body()).await.unwrap(),
        "rejected as asked"
    );
    let connect = |protocol: &'static str, version: &str, offered: &str| {
        let request = Request::connect("http://a/?subprotocol=chat")
            .extension(h2::ext::Protocol::from_static(protocol))
            .header("sec-websocket-version", version)
            .header("sec-websocket-protocol", offered);
        request.body(()).unwrap()
    };
    for (protocol, version, offered, status) in [
        ("websocket", "13", "chat", 200),
        ("websocket", "13", "other", 500),
        ("websocket", "12", "chat", 426),
        ("websocket", "13", "not a token", 400),
        ("connect-udp", "13", "chat", 501),
    ] {
        let request = connect(protocol, version, offered);
        let (response, mut stream) = client.send(request, false).await.unwrap();
        assert_eq!(response.status(), status, "{protocol} {version} {offered}");
        if status == 200 {
            assert_eq!(response.headers()["sec-websocket-protocol"], "chat");
            assert_eq!(response.headers()["server"], "fixture");
            assert!(!response.headers().contains_key("sec-websocket-accept"));
        }
        stream.send_reset(h2::Reason::CANCEL);
    }
    let _one = client.websocket("http://a/").await.unwrap();
    let _two = client.websocket("http://a/").await.unwrap();
    let refused = client.websocket("http://a/").await.unwrap_err();
    assert_eq!(refused.status(), 503);
}

/// What is published goes to sockets without their tasks, as long as they take
/// it: here they do not, and what they have taken waits on its way.
#[tokio::test]
async fn who_reads_late_gets_everything_over_tls_and_http2() {
    const COUNT: usize = 150;
    let setup = Setup::new(FORM).tls("").limit("queue_bytes_max", 100 << 20);
    let host = setup.limit("events_max", 1000).start().await;
    let plain = tls::Client::default().connect(&host, "one.test").await;
    let mut over_tls = tls::websocket(plain.unwrap(), "/?topic=news").await;
    let secure = tls::Client::offering(&["h2"]);
    let stream = secure.connect(&host, "one.test").await.unwrap();
    let (mut client, _connection) = Client::over(stream).await;
    let mut over_http2 = client.websocket("https://one.test/?topic=news").await;
    let over_http2 = over_http2.as_mut().unwrap();
    let mut publisher = Socket::open(&host, "/").await;
    let long = "z".repeat(60_000);
    for _ in 0..COUNT {
        publisher.ask(&format!("publish news {long}")).await;
    }
    for _ in 0..COUNT {
        let first = patiently("a message", over_tls.next())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(first.into_text().unwrap().len(), long.len());
        let second = next(over_http2).await.unwrap();
        assert_eq!(second.into_text().unwrap().len(), long.len());
    }
    // Nothing is left over, and a small one comes at once.
    publisher.ask("publish news end").await;
    let last = patiently("the last", over_tls.next())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(last, Message::text("end"));
    assert_eq!(next(over_http2).await, Some(Message::text("end")));
}

async fn a_drain_ends_streams_in_order(form: &str) {
    let mut host = Setup::new(form).start().await;
    let mut observer = Socket::watch(&host, "seen").await;
    let (mut client, connection) = Client::over(connect(&host).await).await;
    let mut socket = client.websocket("http://a/").await.unwrap();
    let mut asking = client.clone();
    let request = asking.get("http://a/sleep/1000?observe=seen");
    let rest = async {
        assert_eq!(observer.text().await, "request begins");
        host.terminate();
        assert_eq!(code(next(&mut socket).await), Some(1001));
        while next(&mut socket).await.is_some() {}
    };
    let (response, ()) = tokio::join!(request, rest);
    assert_eq!(response.unwrap().1, "slept");
    // A GOAWAY without an error.
    patiently("the end", connection).await.unwrap().unwrap();
    assert!(host.ended().await.success());
}

#[tokio::test]
async fn each_stream_counts_for_its_client() {
    let host = Setup::new(FORM)
        .host("connections_per_address_max", 3)
        .host("addresses_uncounted", "[]")
        .start()
        .await;
    let (mut client, _connection) = Client::over(connect(&host).await).await;
    let one = client.websocket("http://a/").await.unwrap();
    let _two = client.websocket("http://a/").await.unwrap();
    let refused = client.websocket("http://a/").await.unwrap_err();
    assert_eq!(refused.status(), 503);
    drop(one);
    holdfast_tests::wait::found("room", async || client.websocket("http://a/").await.ok()).await;
}

#[tokio::test]
async fn cleartext_http2_can_be_turned_off() {
    let setup = Setup::new(FORM).host_only("listen", "{ address = \"127.0.0.1:0\", h2c = false }");
    let host = setup.start().await;
    let mut raw = Raw(connect(&host).await);
    raw.send(PREFACE).await;
    // HTTP/1.1 knows no such request, and hyper leaves it without an answer.
    assert_eq!(raw.frame().await, None);
    assert_eq!(get(&host, "/hello").await.status, 200);
}

#[tokio::test]
async fn a_connection_without_streams_ends() {
    let setup = Setup::new(FORM).section("http2", "idle_timeout_ms = 300");
    let host = setup.start().await;
    let (mut client, connection) = Client::over(connect(&host).await).await;
    // A WebSocket keeps it, and so does a request.
    let mut socket = client.websocket("http://a/").await.unwrap();
    assert_eq!(client.get("http://a/sleep/1000").await.unwrap().1, "slept");
    assert_eq!(ask(&mut socket, "echo here").await, "here");
    drop(socket);
    patiently("the end", connection).await.unwrap().unwrap();
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let payload = payload.to_vec();
    Frame {
        kind,
        flags,
        stream,
        payload,
    }
    .bytes()
}

/// GET `http://a/sleep/60000`, in HPACK without Huffman's code.
fn get_sleep() -> Vec<u8> {
    let path = b"/sleep/60000";
    [
        &[0x82, 0x86, 0x04, path.len() as u8],
        &path[..],
        b"\x41\x01a",
    ]
    .concat()
}

async fn begin(host: &Host) -> Raw<TcpStream> {
    Raw::begin(connect(host).await).await
}

/// Sends the same again and again until the host has had enough; returns the
/// code of its GOAWAY, if there is one.
async fn flood(host: &Host, mut piece: impl FnMut(u32) -> Vec<u8>) -> Option<u32> {
    let raw = begin(host).await;
    let (mut reading, mut writing) = tokio::io::split(raw.0);
    let read = tokio::spawn(async move {
        let mut bytes = Vec::new();
        let _ = tokio::io::AsyncReadExt::read_to_end(&mut reading, &mut bytes).await;
        bytes
    });
    let mut sent = 0u32;
    while !read.is_finished() {
        assert!(sent < 2_000_000, "the host takes any number");
        let batch: Vec<u8> = (sent..sent + 50).flat_map(&mut piece).collect();
        sent += 50;
        let write = tokio::io::AsyncWriteExt::write_all(&mut writing, &batch);
        if patiently("room to send", write).await.is_err() {
            break;
        }
    }
    let bytes = patiently("the end", read).await.unwrap();
    let mut raw = Raw(std::io::Cursor::new(bytes));
    raw.goaway().await
}

#[tokio::test]
async fn floods_end_the_connection_and_nobody_else_notices() {
    let setup = Setup::new(FORM).limit("events_max", 1000);
    let host = setup.start().await;
    let mut neighbour = Socket::open(&host, "/").await;
    let stream = |count: u32| count * 2 + 1;
    let request = get_sleep();
    let rapid_reset = |count| {
        let open = frame(HEADERS, 0x5, stream(count), &request);
        let reset = frame(RST_STREAM, 0, stream(count), &[0, 0, 0, 8]);
        [open, reset].concat()
    };
    flood(&host, rapid_reset).await;
    assert_eq!(neighbour.ask("echo a").await, "a");
    flood(&host, |_| frame(PING, 0, 0, &[0; 8])).await;
    flood(&host, |_| frame(SETTINGS, 0, 0, &[0, 4, 0, 1, 0, 0])).await;
    flood(&host, |_| frame(PRIORITY, 0, 1, &[0, 0, 0, 3, 9])).await;
    let empty = |count: u32| match count {
        0 => frame(HEADERS, 0x4, 1, &request),
        _ => frame(DATA, 0, 1, &[]),
    };
    flood(&host, empty).await;
    let continued = |count: u32| match count {
        0 => frame(HEADERS, 0, 1, &request),
        // A field that is new each time, so that it is in no table.
        _ => frame(
            CONTINUATION,
            0,
            1,
            &[b"\x00\x03a-b\x7f\x81\x01"[..].to_vec(), vec![b'x'; 256]].concat(),
        ),
    };
    assert_eq!(flood(&host, continued).await, Some(ENHANCE_YOUR_CALM));
    assert_eq!(neighbour.ask("echo b").await, "b");
    assert_eq!(get(&host, "/hello").await.text(), "hello");
    host.stop().await;
}

#[tokio::test]
async fn many_small_resets_within_the_limits_are_nothing() {
    let host = Setup::new(FORM).start().await;
    let (mut client, _connection) = Client::over(connect(&host).await).await;
    for _ in 0..50 {
        let request = Request::get("http://a/sleep/60000").body(()).unwrap();
        let sending = client.send(request, false);
        let gone = tokio::time::timeout(std::time::Duration::from_millis(1), sending).await;
        assert!(gone.is_err(), "it sleeps");
    }
    assert_eq!(client.get("http://a/hello").await.unwrap().1, "hello");
}

/// A header list that is small on the wire and large in memory: one entry of the
/// dynamic table, again and again.
#[tokio::test]
async fn a_header_list_has_its_limit_decompressed() {
    let host = Setup::new(FORM).start().await;
    let block = |count: usize| {
        let mut block = get_sleep();
        block.extend(b"\x40\x01x\x7f\xa1\x1e");
        block.extend([b'y'; 4000]);
        block.extend(vec![0xbe; count]);
        frame(HEADERS, 0x5, 1, &block)
    };
    let mut raw = begin(&host).await;
    raw.send(&block(12)).await;
    loop {
        let frame = raw.frame().await.expect("an answer");
        if frame.stream == 1 {
            // In Huffman's code.
            let is_431 = frame.payload.windows(3).any(|it| it == b"\x69\x90\xff");
            assert!(frame.kind == HEADERS && is_431, "{frame:?}");
            break;
        }
    }
    // A bomb: 40 MB in 14 KB.
    let mut raw = begin(&host).await;
    raw.send(&block(10_000)).await;
    assert_eq!(raw.goaway().await, Some(ENHANCE_YOUR_CALM));
    assert_eq!(get(&host, "/hello").await.text(), "hello");
}

#[tokio::test]
async fn there_are_so_many_streams_at_a_time() {
    let setup = Setup::new(FORM).section("http2", "streams_max = 3");
    let host = setup.start().await;
    let mut raw = begin(&host).await;
    for stream in [1, 3, 5, 7] {
        raw.send(&frame(HEADERS, 0x5, stream, &get_sleep())).await;
    }
    loop {
        let frame = raw.frame().await.expect("a refusal");
        if frame.kind == RST_STREAM {
            // REFUSED_STREAM: it may be tried again.
            assert_eq!((frame.stream, frame.payload), (7, vec![0, 0, 0, 7]));
            break;
        }
    }
}

/// A client that opens no window can't make the host keep more than a little.
#[tokio::test]
async fn a_client_without_a_window_ends_as_a_slow_consumer() {
    let setup = Setup::new(FORM).limit("queue_bytes_max", 100_000);
    let setup = setup.limit("close_timeout_ms", 200);
    let host = setup.start().await;
    let mut observer = Socket::watch(&host, "seen").await;
    let mut builder = h2::client::Builder::new();
    builder.initial_window_size(1000);
    let shaken = builder.handshake::<_, bytes::Bytes>(connect(&host).await);
    let (sender, connection) = patiently("a handshake", shaken).await.unwrap();
    tokio::spawn(connection);
    let mut sender = sender.ready().await.unwrap();
    let mut request = Request::connect("http://a/?observe=seen&topic=news")
        .body(())
        .unwrap();
    let protocol = h2::ext::Protocol::from_static("websocket");
    request.extensions_mut().insert(protocol);
    let version = "13".parse().unwrap();
    request
        .headers_mut()
        .insert("sec-websocket-version", version);
    let (response, _stream) = sender.send_request(request, false).unwrap();
    // Nobody reads what is in it.
    let _response = patiently("an answer", response).await.unwrap();
    assert!(observer.text().await.contains(" accept"));
    assert!(observer.text().await.contains(" open"));
    let mut publisher = Socket::open(&host, "/").await;
    let long = "y".repeat(50_000);
    for _ in 0..20 {
        publisher.ask(&format!("publish news {long}")).await;
    }
    let ended = observer.text().await;
    assert!(ended.contains(" close SlowConsumer 1013"), "{ended}");
}
