//! Requests that are not as they should be (RFC 9112), and those by which
//! requests are smuggled past one server to another: each gets one answer, or
//! none, and the connection is closed.

use holdfast_tests::raw::Raw;
use holdfast_tests::setup::Setup;

/// What is sent, and the status of the one answer.
struct Case(&'static str, Vec<u8>, u16);

/// What would be answered if it were taken for a request of its own.
const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n";

fn case(what: &'static str, request: &str, status: u16) -> Case {
    Case(what, format!("{request}{SMUGGLED}").into_bytes(), status)
}

/// A request for `/length` with these lines, and a body.
fn post(what: &'static str, lines: &str, body: &str, status: u16) -> Case {
    let head = format!("POST /length HTTP/1.1\r\nhost: a\r\n{lines}\r\n\r\n");
    case(what, &format!("{head}{body}"), status)
}

fn get(what: &'static str, lines: &str, status: u16) -> Case {
    case(what, &format!("GET /hello HTTP/1.1\r\n{lines}\r\n"), status)
}

/// Where a body ends is said in two ways, or in none that holds.
fn framing() -> Vec<Case> {
    const CHUNKED: &str = "transfer-encoding: chunked";
    let chunks = "3\r\nabc\r\n0\r\n\r\n";
    let length = |what, value: &str| post(what, &format!("content-length: {value}"), "abc", 400);
    let coding = |what, line: &str| post(what, line, chunks, 400);
    let after = |what, line: &str| post(what, &format!("{CHUNKED}\r\n{line}"), chunks, 400);
    vec![
        after("CL.TE", "content-length: 3"),
        post(
            "TE.CL",
            "content-length: 4\r\ntransfer-encoding: chunked",
            chunks,
            400,
        ),
        after("TE.CL of nothing", "content-length: 0"),
        after("TE.TE", "transfer-encoding: chunked"),
        after("TE.TE, the second unknown", "transfer-encoding: x"),
        after("TE.TE, the second identity", "Transfer-Encoding: identity"),
        coding("an unknown coding", "transfer-encoding: xchunked"),
        coding("identity", "transfer-encoding: identity"),
        coding(
            "a coding before chunked",
            "transfer-encoding: gzip, chunked",
        ),
        coding(
            "a coding behind chunked",
            "transfer-encoding: chunked, gzip",
        ),
        coding("chunked twice", "transfer-encoding: chunked, chunked"),
        coding(
            "chunked with a parameter",
            "transfer-encoding: chunked; x=1",
        ),
        coding("chunked in quotes", "transfer-encoding: \"chunked\""),
        coding("chunked behind a comma", "transfer-encoding: ,chunked"),
        coding("no coding", "transfer-encoding:"),
        coding(
            "chunked behind a vertical tab",
            "transfer-encoding: \x0bchunked",
        ),
        coding("a space before the colon", "transfer-encoding : chunked"),
        coding("a tab before the colon", "transfer-encoding\t: chunked"),
        coding("a space before the name", " transfer-encoding: chunked"),
        coding("an underscore in the name", "transfer_encoding: chunked"),
        coding("a folded coding", "transfer-encoding:\r\n chunked"),
        coding(
            "a coding behind a bare CR",
            "x: y\rtransfer-encoding: chunked",
        ),
        coding(
            "a coding behind a bare LF",
            "x: y\ntransfer-encoding: chunked",
        ),
        coding("a NUL in the name", "transfer-encoding\0: chunked"),
        length("two lengths", "3\r\ncontent-length: 4"),
        length("two equal lengths", "3\r\ncontent-length: 3"),
        length("a list of lengths", "3, 3"),
        length("a length with a sign", "+3"),
        length("a negative length", "-3"),
        length("a hexadecimal length", "0x3"),
        length("a length of no number", "three"),
        length("an empty length", ""),
        length("a length with a space in it", "3 3"),
        length("a length with a fraction", "3.0"),
        length("a length of 2^64", "18446744073709551616"),
        length("a length of 40 digits", &"9".repeat(40)),
        post(
            "a space before a length's colon",
            "content-length : 3",
            "abc",
            400,
        ),
        post(
            "an underscore in a length's name",
            "content_length: 3",
            "abc",
            400,
        ),
        post("a folded length", "content-length:\r\n 3", "abc", 400),
        case(
            "a coding over HTTP/1.0",
            &format!("POST /length HTTP/1.0\r\nhost: a\r\n{CHUNKED}\r\n\r\n{chunks}"),
            400,
        ),
        post(
            "a length that is too large",
            "content-length: 99999999999",
            "abc",
            413,
        ),
    ]
}

/// Chunks that are none.
fn chunks() -> Vec<Case> {
    let chunked = |what, body: &str| post(what, "transfer-encoding: chunked", body, 400);
    vec![
        chunked("a size of no number", "x\r\nabc\r\n0\r\n\r\n"),
        chunked("no size", "\r\nabc\r\n0\r\n\r\n"),
        chunked("a size with a sign", "+3\r\nabc\r\n0\r\n\r\n"),
        chunked("a size with a prefix", "0x3\r\nabc\r\n0\r\n\r\n"),
        chunked("a space before a size", " 3\r\nabc\r\n0\r\n\r\n"),
        chunked("a space behind a size", "3 \r\nabc\r\n0\r\n\r\n"),
        chunked("a size with an underscore", "3_0\r\nabc\r\n0\r\n\r\n"),
        chunked(
            "a size that overflows",
            "fffffffffffffffff3\r\nabc\r\n0\r\n\r\n",
        ),
        chunked("a size that ends with a bare LF", "3\nabc\r\n0\r\n\r\n"),
        chunked("a size that ends with a bare CR", "3\rabc\r\n0\r\n\r\n"),
        chunked(
            "an extension that ends with a bare LF",
            "3;x\nabc\r\n0\r\n\r\n",
        ),
        chunked("an extension with a bare CR", "3;x\ry\r\nabc\r\n0\r\n\r\n"),
        chunked("data that ends with a bare LF", "3\r\nabc\n0\r\n\r\n"),
        chunked("data that is too long", "3\r\nabcd\r\n0\r\n\r\n"),
        chunked("data that is too short", "3\r\nab\r\n0\r\n\r\n"),
        chunked(
            "a trailer that ends with a bare LF",
            "3\r\nabc\r\n0\r\nx: y\n\r\n",
        ),
        chunked("trailers that end with a bare LF", "3\r\nabc\r\n0\r\n\n"),
        chunked("a NUL in a trailer", "3\r\nabc\r\n0\r\nx: \0\r\n\r\n"),
    ]
}

/// Lines that are none.
fn lines() -> Vec<Case> {
    let line = |what, line: &str| case(what, &format!("{line}\r\nhost: a\r\n\r\n"), 400);
    let long = "x".repeat(20_000);
    let many = "x: y\r\n".repeat(101);
    let fat = format!("x: {}\r\n", "y".repeat(66_000));
    vec![
        get("a bare LF behind a field", "host: a\nx: y\r\n", 400),
        get("a bare LF at the end", "host: a\r\n\n", 400),
        get("a bare CR in a value", "host: a\r\nx: y\rz\r\n", 400),
        get("a NUL in a value", "host: a\r\nx: y\0\r\n", 400),
        get(
            "a control character in a value",
            "host: a\r\nx: \x01\r\n",
            400,
        ),
        get("a folded field", "host: a\r\nx: y\r\n z\r\n", 400),
        get("a folded first field", " x: y\r\nhost: a\r\n", 400),
        get("a space before a colon", "host : a\r\n", 400),
        get("a field without a colon", "host: a\r\nx\r\n", 400),
        get("a field without a name", "host: a\r\n: y\r\n", 400),
        get("a name that is no token", "host: a\r\nx(y): z\r\n", 400),
        get("no host", "", 400),
        get("two hosts", "host: a\r\nhost: a\r\n", 400),
        get("two hosts, one in capitals", "host: a\r\nHOST: b\r\n", 400),
        get("a list of hosts", "host: a, b\r\n", 400),
        get("a host with a path", "host: a/b\r\n", 400),
        get("a host with a user", "host: b@a\r\n", 400),
        get("a host with a port of no number", "host: a:b\r\n", 400),
        get("a host with a space", "host: a b\r\n", 400),
        get(
            "an expectation that nobody knows",
            "host: a\r\nexpect: x\r\n",
            417,
        ),
        get("too many fields", &format!("host: a\r\n{many}"), 431),
        get(
            "a head that is too large",
            &format!("host: a\r\n{fat}"),
            431,
        ),
        line("HTTP/0.9", "GET /hello"),
        line("HTTP/2 without its preface", "GET /hello HTTP/2.0"),
        line("a version of no number", "GET /hello HTTP/1.x"),
        line("another protocol", "GET /hello HTCPCP/1.1"),
        line("a version in small letters", "GET /hello http/1.1"),
        line("two spaces before the target", "GET  /hello HTTP/1.1"),
        line("two spaces behind the target", "GET /hello  HTTP/1.1"),
        line("a tab before the target", "GET\t/hello HTTP/1.1"),
        line("a space in the target", "GET /hel lo HTTP/1.1"),
        line("a space before the method", " GET /hello HTTP/1.1"),
        line("a space behind the version", "GET /hello HTTP/1.1 "),
        line("a method that is no token", "G(E)T /hello HTTP/1.1"),
        line("no method", "/hello HTTP/1.1"),
        line("a NUL in the target", "GET /hel\0lo HTTP/1.1"),
        line("a bare CR in the request line", "GET /hello\rHTTP/1.1"),
        line("a fragment", "GET /hello#x HTTP/1.1"),
        line("a target without a slash", "GET hello HTTP/1.1"),
        line("a star for another method", "GET * HTTP/1.1"),
        line("a target with a user", "GET http://b@a/hello HTTP/1.1"),
        case("a bare LF in place of a request", "\n", 400),
        case(
            "a bare LF behind the request line",
            "GET /hello HTTP/1.1\nhost: a\r\n\r\n",
            400,
        ),
        case(
            "lines that all end with a bare LF",
            "GET /hello HTTP/1.1\nhost: a\n\n",
            400,
        ),
        case("a TLS handshake", "\x16\x03\x01\x02\r\n\r\n", 400),
        case(
            "CONNECT",
            "CONNECT a:443 HTTP/1.1\r\nhost: a:443\r\n\r\n",
            405,
        ),
        case(
            "a long target",
            &format!("GET /{long} HTTP/1.1\r\nhost: a\r\n\r\n"),
            414,
        ),
    ]
}

/// Handshakes behind which no request comes.
fn handshakes() -> Vec<Case> {
    let lines = "host: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n";
    let handshake = |what, line: &str, status| {
        let head = format!("GET / HTTP/1.1\r\n{lines}{line}\r\n");
        case(what, &head, status)
    };
    vec![
        handshake(
            "a handshake of another version",
            "sec-websocket-version: 8\r\n",
            426,
        ),
        handshake(
            "a handshake without a key",
            "sec-websocket-version: 13\r\n",
            400,
        ),
        handshake("a handshake with a body", "content-length: 5\r\n", 400),
        handshake(
            "a handshake with chunks",
            "transfer-encoding: chunked\r\n",
            400,
        ),
        handshake(
            "a handshake from elsewhere",
            "origin: http://evil.example\r\n",
            403,
        ),
    ]
}

#[tokio::test]
async fn each_gets_one_answer_and_the_connection_is_closed() {
    let host = Setup::new("plain").start().await;
    let cases = [framing(), chunks(), lines(), handshakes()];
    let cases: Vec<Case> = cases.into_iter().flatten().collect();
    assert!(cases.len() >= 100, "{}", cases.len());
    let mut wrong = Vec::new();
    for Case(what, bytes, status) in cases {
        let mut raw = Raw::connect(&host).await;
        raw.send(&bytes).await;
        let rest = raw.rest().await;
        let answers = String::from_utf8_lossy(&rest).into_owned();
        let answer = format!("HTTP/1.1 {status} ");
        let answer_1_0 = format!("HTTP/1.0 {status} ");
        let is_right = answers.starts_with(&answer) || answers.starts_with(&answer_1_0);
        if !is_right || answers.matches("HTTP/1.").count() != 1 {
            wrong.push(format!("{what}: expected {status}, got {answers}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn what_is_as_it_should_be_is_answered_on_one_connection() {
    let host = Setup::new("plain").start().await;
    let mut raw = Raw::connect(&host).await;
    for (request, status, body) in [
        ("GET /hello HTTP/1.1\r\nhost: a\r\n\r\n", "200", None),
        ("\r\nGET /hello HTTP/1.1\r\nhost: a\r\n\r\n", "200", None),
        (
            "GET http://a/hello HTTP/1.1\r\nhost: a\r\n\r\n",
            "200",
            None,
        ),
        // The target alone counts (section 3.2.2).
        (
            "GET http://a/hello HTTP/1.1\r\nhost: b\r\n\r\n",
            "200",
            None,
        ),
        ("HEAD /hello HTTP/1.1\r\nhost: a\r\n\r\n", "200", Some("")),
        ("OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n", "204", Some("")),
        (
            "POST /length HTTP/1.1\r\nhost: a\r\ncontent-length: 03\r\n\r\nabc",
            "200",
            Some("3"),
        ),
        (
            "POST /length HTTP/1.1\r\nhost: a\r\ntransfer-encoding: Chunked\r\n\r\n\
             3;x=\"y\"\r\na\nc\r\n002\r\nde\r\n0\r\nx-end: 1\r\n\r\n",
            "200",
            Some("5"),
        ),
        (
            "GET /hello HTTP/1.1\r\nhost: a\r\nupgrade: h2c\r\n\r\n",
            "200",
            None,
        ),
    ] {
        raw.send(request.as_bytes()).await;
        let (head, text) = raw.response(request.starts_with("HEAD")).await;
        assert!(
            head.starts_with(&format!("HTTP/1.1 {status} ")),
            "{request}{head}"
        );
        assert!(
            body.is_none_or(|body| body == text),
            "{request}{head}{text}"
        );
    }
}

#[tokio::test]
async fn requests_may_come_before_their_answers() {
    let host = Setup::new("plain").start().await;
    let mut raw = Raw::connect(&host).await;
    let mut requests = Vec::new();
    for count in 0..20 {
        let body = "x".repeat(count);
        requests.extend(
            match count % 2 {
                0 => format!(
                    "POST /length HTTP/1.1\r\nhost: a\r\ncontent-length: {count}\r\n\r\n{body}"
                ),
                _ => format!(
                    "POST /length HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n\
                 {count:x}\r\n{body}\r\n0\r\n\r\n"
                ),
            }
            .into_bytes(),
        );
    }
    raw.send(&requests).await;
    for count in 0..20 {
        let (head, text) = raw.response(false).await;
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        assert_eq!(text, count.to_string());
    }
}
