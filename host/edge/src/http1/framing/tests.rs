use super::*;

/// How many bytes are passed on, in one piece and in several ways of cutting it,
/// all alike; and whether it is because the rest is unclear.
fn pass(bytes: &[u8]) -> (usize, bool) {
    let whole = follow(std::iter::once(bytes));
    for step in [1, 2, 3, 7, 64] {
        let cut = follow(bytes.chunks(step));
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
fn what_is_data_is_told_from_what_is_not() {
    let mut body = Body::behind(&Next::Chunked).unwrap();
    let mut rest = &b"3;x=y\r\nabc\r\n02\r\nde\r\n0\r\na: 1\r\nb: 2\r\n\r\nGET"[..];
    let mut data = Vec::new();
    loop {
        let taken = body.take(rest).unwrap();
        data.extend_from_slice(&rest[taken.data]);
        rest = &rest[taken.used..];
        if taken.is_over {
            break;
        }
    }
    assert_eq!((&data[..], rest), (&b"abcde"[..], &b"GET"[..]));
    assert_eq!(body.trailers(), b"a: 1\r\nb: 2\r\n");
    assert_eq!(body.len(), None);

    let mut body = Body::behind(&Next::Body(3)).unwrap();
    assert_eq!(body.len(), Some(3));
    let taken = body.take(b"ab").unwrap();
    assert_eq!((taken.data, taken.is_over), (0..2, false));
    let taken = body.take(b"cGET").unwrap();
    assert_eq!((taken.data, taken.used, taken.is_over), (0..1, 1, true));
}

#[test]
fn a_body_may_have_little_beside_its_data() {
    let head = "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n";
    for (begin, end) in [("1;", "\r\na\r\n"), ("0\r\n", "\r\n\r\n")] {
        let plain = format!("{head}{begin}{}{end}", "x".repeat(16 << 10));
        assert_eq!(pass(plain.as_bytes()), (plain.len(), false));
        let more = format!("{head}{begin}{}{end}", "x".repeat((16 << 10) + 1));
        let known = head.len() + begin.len() + (16 << 10);
        assert_eq!(pass(more.as_bytes()), (known, true));
    }
    // Many small ones are as many.
    let chunk = format!("1;{}\r\na\r\n", "x".repeat(1 << 10));
    assert!(!pass(format!("{head}{}", chunk.repeat(16)).as_bytes()).1);
    assert!(pass(format!("{head}{}", chunk.repeat(17)).as_bytes()).1);
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
