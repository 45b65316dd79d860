use super::*;

/// How many bytes are passed on, in one piece and in several ways of cutting it,
/// all alike; and whether it is because the rest is unclear.
fn pass(bytes: &[u8]) -> (usize, bool) {
    /// One request after the other.
    fn pass_all(guard: &mut Guard, bytes: &[u8]) -> usize {
        let mut passed = 0;
        while passed < bytes.len() {
            match guard.pass(&bytes[passed..]) {
                0 => break,
                more => passed += more,
            }
        }
        passed
    }
    let mut guard = Guard::new();
    let whole = (pass_all(&mut guard, bytes), guard.is_broken());
    for step in [1, 2, 3, 7, 64] {
        let mut guard = Guard::new();
        let mut passed = 0;
        for piece in bytes.chunks(step) {
            let len = pass_all(&mut guard, piece);
            passed += len;
            if len < piece.len() {
                break;
            }
        }
        let cut = (passed, guard.is_broken());
        assert_eq!(cut, whole, "in steps of {step}: {}", bytes.escape_ascii());
    }
    whole
}

#[test]
fn plain_requests_pass_one_after_the_other() {
    for requests in [
        "GET / HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\n\r\nGET / HTTP/1.0\r\n\r\n",
        "\r\n\r\nGET / HTTP/1.1\r\nhost: a\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length:  5 \r\n\r\n\n\0\r\rxGET / HTTP/1.1\r\n\r\n",
        "POST / HTTP/1.1\r\ncontent-length: 0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\n\n\r\0\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3;a=\"b\"\r\nabc\r\n000\r\nx-end: 1\r\n\r\nGET",
        "GET / HTTP/1.1\r\nupgrade: h2c\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nx: a\tb\u{e9}\r\n\r\n",
    ] {
        let expected = (requests.len(), false);
        assert_eq!(pass(requests.as_bytes()), expected, "{requests:?}");
    }
}

#[test]
fn one_request_passes_at_a_time() {
    let requests = [
        "GET / HTTP/1.1\r\nhost: a\r\n\r\n",
        "POST / HTTP/1.1\r\ncontent-length: 5\r\n\r\n12345",
        "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n1\r\n1\r\n0\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\n\r\n",
    ];
    let bytes = requests.concat();
    let mut guard = Guard::new();
    let mut rest = bytes.as_bytes();
    for request in requests {
        let passed = guard.pass(rest);
        assert_eq!(passed, request.len());
        assert!(guard.is_between());
        rest = &rest[passed..];
    }
    assert_eq!(guard.pass(b"GET / "), 6);
    assert!(!guard.is_between());
}

#[test]
fn nothing_passes_behind_a_handshake() {
    let head = "GET / HTTP/1.1\r\nupgrade: h2c, WebSocket\r\n\r\n";
    let bytes = format!("{head}\x01\x02\n\0GET / HTTP/1.1\r\n\r\n");
    assert_eq!(pass(bytes.as_bytes()), (head.len(), false));
}

#[test]
fn what_is_not_plain_is_stopped_before_the_request_is_complete() {
    for (plain, unclear) in [
        ("", "\nGET / HTTP/1.1\r\n\r\n"),
        ("GET / HTTP/1.1", "\nhost: a\r\n\r\n"),
        ("GET / HTTP/1.1\r\nhost: a", "\n\r\n"),
        ("GET / HTTP/1.1\r\nhost: a\r\n", "\n"),
        ("GET / HTTP/1.1\r\nhost: a\r", "b\r\n\r\n"),
        ("GET / HTTP/1.1\r\nhost: a\r", "\r\n\r\n"),
        ("GET / HTTP/1.1\r\nhost: a", "\0b\r\n\r\n"),
        ("POST / HTTP/1.1\r\ncontent-length: +5\r", "\n\r\n"),
        ("POST / HTTP/1.1\r\ncontent-length: 5, 5\r", "\n\r\n"),
        (
            "POST / HTTP/1.1\r\ncontent-length: 5\r\ncontent-length: 5\r",
            "\n\r\n",
        ),
        ("POST / HTTP/1.1\r\ncontent-length:\r", "\n\r\n"),
        (
            "POST / HTTP/1.1\r\ncontent-length: 18446744073709551616\r",
            "\n\r\n",
        ),
        ("POST / HTTP/1.1\r\ncontent-length : 5\r", "\n\r\n"),
        ("POST / HTTP/1.1\r\ncontent_length: 5\r", "\n\r\n"),
        ("POST / HTTP/1.1\r\n transfer-encoding: chunked\r", "\n\r\n"),
        ("POST / HTTP/1.1\r\ntransfer-encoding: xchunked\r", "\n\r\n"),
        // However long they are, and in whatever pieces they come.
        (
            &format!(
                "POST / HTTP/1.1\r\n{}transfer-encoding: chunked\r",
                "_".repeat(200)
            ),
            "\n\r\n",
        ),
        (
            &format!(
                "POST / HTTP/1.1\r\ntransfer{}encoding: chunked\r",
                "_".repeat(200)
            ),
            "\n\r\n",
        ),
        (
            &format!(
                "POST / HTTP/1.1\r\ntransfer-encoding: chunked{}x\r",
                " ".repeat(200)
            ),
            "\n\r\n",
        ),
        (
            "POST / HTTP/1.1\r\ntransfer-encoding: gzip, chunked\r",
            "\n\r\n",
        ),
        (
            "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r",
            "\n\r\n",
        ),
        (
            "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n\r",
            "\n",
        ),
        (
            "POST / HTTP/1.1\r\ncontent-length: 0\r\ntransfer-encoding: chunked\r\n\r",
            "\n",
        ),
        (
            "GET / HTTP/1.1\r\nupgrade: websocket\r\ncontent-length: 5\r\n\r",
            "\n",
        ),
    ] {
        let bytes = format!("{plain}{unclear}");
        assert_eq!(pass(bytes.as_bytes()), (plain.len(), true), "{bytes:?}");
    }
}

#[test]
fn chunks_have_one_form() {
    let head = "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n";
    for (plain, unclear) in [
        ("\r", "\n"),
        ("", " 3\r\nabc\r\n"),
        ("0", "x3\r\nabc\r\n"),
        ("3", "\nabc\r\n"),
        ("3", " \r\nabc\r\n"),
        ("3;a", "\nabc\r\n"),
        ("3\r\nabc", "\n0\r\n\r\n"),
        ("3\r\nabc", "d\r\n0\r\n\r\n"),
        ("fffffffffffffff", "f\r\n"),
        ("", "-1\r\n"),
        ("0\r\nx: 1", "\n\r\n"),
        ("0\r\n", "\n"),
    ] {
        let bytes = format!("{head}{plain}{unclear}");
        let expected = (head.len() + plain.len(), true);
        assert_eq!(pass(bytes.as_bytes()), expected, "{bytes:?}");
    }
}
