use http::{HeaderValue, Response};

use super::*;

const HTTP_11: Traits = Traits {
    version: Version::HTTP_11,
    is_head: false,
    keeps_alive: true,
    expects_continue: false,
    takes_trailers: false,
};
const HTTP_10: Traits = Traits {
    version: Version::HTTP_10,
    ..HTTP_11
};
const HEAD: Traits = Traits {
    is_head: true,
    ..HTTP_11
};

/// The lines between the first and the date, and how it goes on.
fn written(
    status: u16,
    fields: &[(&'static str, &'static str)],
    body: Option<u64>,
    traits: Traits,
) -> (String, Framing, bool) {
    let mut head = Response::new(()).into_parts().0;
    head.status = StatusCode::from_u16(status).unwrap();
    for (name, value) in fields {
        head.headers.append(*name, HeaderValue::from_static(value));
    }
    let hint = body.map_or_else(SizeHint::new, SizeHint::with_exact);
    let mut out = Vec::new();
    let (framing, is_kept) = write_head(
        &mut out,
        &head,
        &hint,
        &traits,
        traits.keeps_alive,
        b"now",
        None,
    );
    let text = String::from_utf8(out).unwrap();
    let text = text.strip_suffix("date: now\r\n\r\n").unwrap();
    let (_, fields) = text.split_once("\r\n").unwrap();
    (fields.replace("\r\n", "|"), framing, is_kept)
}

#[test]
fn a_body_is_framed_as_its_head_says() {
    let length = ("content-length", "5");
    for (status, fields, body, traits, lines, framing, is_kept) in [
        (
            200,
            &[][..],
            Some(5),
            HTTP_11,
            "content-length: 5|",
            Framing::Sized(5),
            true,
        ),
        (
            200,
            &[],
            Some(0),
            HTTP_11,
            "content-length: 0|",
            Framing::Sized(0),
            true,
        ),
        (
            200,
            &[length],
            None,
            HTTP_11,
            "content-length: 5|",
            Framing::Sized(5),
            true,
        ),
        (
            200,
            &[length, length],
            Some(3),
            HTTP_11,
            "content-length: 3|",
            Framing::Sized(3),
            true,
        ),
        (
            200,
            &[("content-length", "+5")],
            Some(3),
            HTTP_11,
            "content-length: 3|",
            Framing::Sized(3),
            true,
        ),
        (
            200,
            &[],
            None,
            HTTP_11,
            "transfer-encoding: chunked|",
            Framing::Chunked(Vec::new()),
            true,
        ),
        (
            200,
            &[("transfer-encoding", "gzip")],
            None,
            HTTP_11,
            "transfer-encoding: chunked|",
            Framing::Chunked(Vec::new()),
            true,
        ),
        (
            200,
            &[],
            None,
            HTTP_10,
            "connection: close|",
            Framing::Close,
            false,
        ),
        (
            200,
            &[],
            Some(5),
            HTTP_10,
            "connection: keep-alive|content-length: 5|",
            Framing::Sized(5),
            true,
        ),
        (
            200,
            &[("connection", "x, close")],
            Some(5),
            HTTP_11,
            "connection: x, close|content-length: 5|",
            Framing::Sized(5),
            false,
        ),
        (
            200,
            &[],
            Some(5),
            HEAD,
            "content-length: 5|",
            Framing::Nothing,
            true,
        ),
        (
            200,
            &[length],
            Some(0),
            HEAD,
            "content-length: 5|",
            Framing::Nothing,
            true,
        ),
        (200, &[], None, HEAD, "", Framing::Nothing, true),
        (200, &[], Some(0), HEAD, "", Framing::Nothing, true),
        (204, &[length], Some(5), HTTP_11, "", Framing::Nothing, true),
        (
            304,
            &[length],
            None,
            HTTP_11,
            "content-length: 5|",
            Framing::Nothing,
            true,
        ),
        (101, &[], Some(0), HTTP_11, "", Framing::Nothing, true),
    ] {
        let expected = (lines.to_owned(), framing, is_kept);
        assert_eq!(
            written(status, fields, body, traits),
            expected,
            "{status} {fields:?}"
        );
    }
}

#[test]
fn trailers_are_those_that_were_named_and_may_be() {
    let traits = Traits {
        takes_trailers: true,
        ..HTTP_11
    };
    let named = [
        ("trailer", "x-end, content-length, , x y"),
        ("trailer", "Grpc-Status"),
    ];
    let (_, framing, _) = written(200, &named, None, traits);
    let names = ["x-end", "grpc-status"].map(HeaderName::from_static);
    assert_eq!(framing, Framing::Chunked(names.to_vec()));
    let (_, framing, _) = written(200, &named, None, HTTP_11);
    assert_eq!(framing, Framing::Chunked(Vec::new()));
}

#[test]
fn a_date_is_todays() {
    let mut date = Date::default();
    let now = Instant::now();
    let text = date.text(now).to_vec();
    let known = httpdate::parse_http_date(std::str::from_utf8(&text).unwrap()).unwrap();
    assert!(known.elapsed().unwrap().as_secs() < 5);
    assert_eq!(date.text(now), text);
    let later = date.text(now + Duration::from_secs(1));
    assert_eq!(later.len(), text.len());
}
