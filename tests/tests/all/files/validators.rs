//! What a client has already, and what it wants of the rest (RFC 9110, sections
//! 13 and 14).

use holdfast_tests::http::get;
use holdfast_tests::http2::Client;

use super::{ask, site, tag};

const DIGITS: &str = "0123456789";

#[tokio::test]
async fn what_the_client_has_is_not_sent_again() {
    let host = site("cache_control = \"no-cache\"")
        .file("public/a.txt", DIGITS)
        .start()
        .await;
    let tag = tag(&host, "/a.txt").await;
    let date = get(&host, "/a.txt").await;
    let date = date.header("last-modified").to_owned();
    let old = "Sun, 06 Nov 1994 08:49:37 GMT";
    let weak = format!("W/{tag}");
    for (fields, status) in [
        (&[("if-none-match", tag.as_str())][..], 304),
        (&[("if-none-match", &weak)], 304),
        (&[("if-none-match", "*")], 304),
        (&[("if-none-match", "\"other\"")], 200),
        (&[("if-modified-since", &date)], 304),
        (&[("if-modified-since", old)], 200),
        (
            &[("if-none-match", "\"other\""), ("if-modified-since", &date)],
            200,
        ),
        (&[("if-match", &tag)], 200),
        (&[("if-match", "\"other\"")], 412),
        (&[("if-unmodified-since", old)], 412),
        (&[("if-none-match", &tag), ("range", "bytes=0-1")], 304),
    ] {
        for method in ["GET", "HEAD"] {
            let response = ask(&host, method, "/a.txt", fields).await;
            assert_eq!(response.status, status, "{method} {fields:?}");
            if status == 304 {
                assert_eq!(response.header("etag"), tag);
                assert_eq!(response.header("cache-control"), "no-cache");
                assert_eq!(response.header("vary"), "accept-encoding");
                assert_eq!(response.header("content-type"), "");
                assert_eq!(response.text(), "");
            }
        }
    }
}

#[tokio::test]
async fn a_part_is_sent_of_what_is_asked_for() {
    let host = site("").file("public/a.txt", DIGITS).start().await;
    let tag = tag(&host, "/a.txt").await;
    let weak = format!("W/{tag}");
    for (fields, expected) in [
        (&[("range", "bytes=0-0")][..], Some(("0", "bytes 0-0/10"))),
        (&[("range", "bytes=2-4")], Some(("234", "bytes 2-4/10"))),
        (&[("range", "bytes=8-")], Some(("89", "bytes 8-9/10"))),
        (&[("range", "bytes=-3")], Some(("789", "bytes 7-9/10"))),
        (&[("range", "bytes=-99")], Some((DIGITS, "bytes 0-9/10"))),
        (
            &[("range", "bytes=4-999")],
            Some(("456789", "bytes 4-9/10")),
        ),
        (
            &[("range", "bytes=1-3,2-5")],
            Some(("12345", "bytes 1-5/10")),
        ),
        (
            &[("range", "bytes=1-1"), ("if-range", &tag)],
            Some(("1", "bytes 1-1/10")),
        ),
        (&[("range", "bytes=1-1"), ("if-range", &weak)], None),
        (&[("range", "bytes=1-1"), ("if-range", "\"other\"")], None),
        (&[("range", "bytes=1-1"), ("range", "bytes=2-2")], None),
        (&[("range", "lines=1-1")], None),
        (&[("range", "bytes=3-1")], None),
        (&[("range", "bytes=x")], None),
    ] {
        let response = ask(&host, "GET", "/a.txt", fields).await;
        let (status, (body, range)) = match expected {
            Some(expected) => (206, expected),
            None => (200, (DIGITS, "")),
        };
        assert_eq!(response.status, status, "{fields:?}");
        assert_eq!(response.text(), body, "{fields:?}");
        assert_eq!(response.header("content-range"), range, "{fields:?}");
        assert_eq!(response.header("content-length"), body.len().to_string());
        assert_eq!(response.header("etag"), tag);
    }
    // Ranges are for GET alone.
    let response = ask(&host, "HEAD", "/a.txt", &[("range", "bytes=0-0")]).await;
    assert_eq!(response.status, 200);
    assert_eq!(response.header("content-length"), "10");
}

#[tokio::test]
async fn no_part_is_sent_of_what_is_not_there() {
    let host = site("")
        .file("public/a.txt", DIGITS)
        .file("public/empty", "")
        .start()
        .await;
    for range in ["bytes=10-", "bytes=-0", "bytes=10-11,99999999999999999999-"] {
        let response = ask(&host, "GET", "/a.txt", &[("range", range)]).await;
        assert_eq!(response.status, 416, "{range}");
        assert_eq!(response.header("content-range"), "bytes */10");
    }
    let response = ask(&host, "GET", "/empty", &[("range", "bytes=0-")]).await;
    assert_eq!((response.status.as_u16(), response.text()), (200, ""));
}

#[tokio::test]
async fn several_parts_are_sent_in_one_body() {
    let host = site("")
        .section("files", "ranges_max = 3")
        .file("public/a.txt", DIGITS)
        .file("public/long.bin", DIGITS.repeat(20_000))
        .start()
        .await;
    let fields = [("range", "bytes=8-9, 0-1,-10000, 100-")];
    let response = ask(&host, "GET", "/a.txt", &fields).await;
    assert_eq!(response.status, 200, "{response:?}");
    let fields = [("range", "bytes=8-9,100-,0-1")];
    let response = ask(&host, "GET", "/a.txt", &fields).await;
    assert_eq!(response.status, 206);
    let media = response.header("content-type");
    let boundary = media
        .strip_prefix("multipart/byteranges; boundary=")
        .unwrap();
    let part = |range: &str, body: &str| {
        format!(
            "\r\n--{boundary}\r\ncontent-type: text/plain; charset=utf-8\r\n\
             content-range: bytes {range}/10\r\n\r\n{body}"
        )
    };
    let expected = format!(
        "{}{}\r\n--{boundary}--\r\n",
        part("8-9", "89"),
        part("0-1", "01")
    );
    assert_eq!(response.text(), expected);
    assert_eq!(response.header("content-range"), "");
    assert_eq!(
        response.header("content-length"),
        expected.len().to_string()
    );
    // Parts that stream, over HTTP/2 as well.
    let fields = [("range", "bytes=0-99999,100001-199999")];
    let response = ask(&host, "GET", "/long.bin", &fields).await;
    assert_eq!(response.status, 206);
    let parts = response.text().matches(&DIGITS[1..]).count();
    assert_eq!(parts, 20_000);
    assert_eq!(
        response.header("content-length"),
        response.body.len().to_string()
    );
    let stream = holdfast_tests::http::connect(&host).await;
    let (mut client, _connection) = Client::over(stream).await;
    let request = http::Request::get("http://a/long.bin").header("range", fields[0].1);
    let (answer, _) = client.send(request.body(()).unwrap(), true).await.unwrap();
    assert_eq!(answer.status(), 206);
    let text = holdfast_tests::http2::text(answer.into_body());
    assert_eq!(text.await.unwrap().len(), response.body.len());
}
