//! The head of a request: what its bytes say, once [`super::framing`] has found
//! where it ends.

use std::mem::MaybeUninit;

use bytes::Bytes;
use http::header::{CONNECTION, EXPECT, TE, TRANSFER_ENCODING};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri, Version};

use crate::fields::has_token;

/// Fields for which there is room without asking for memory.
const USUAL_FIELDS: usize = 32;
/// What is no URI for the `http` crate.
const URI_BYTES_MAX: usize = u16::MAX as usize - 1;

/// Why a head is none, and what its client is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) sentence: &'static str,
}

impl Refusal {
    pub(super) const MALFORMED: Self = Self {
        status: StatusCode::BAD_REQUEST,
        sentence: "The request is malformed.",
    };
    pub(super) const TOO_LARGE: Self = Self {
        status: StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        sentence: "The request's head is too large.",
    };
    pub(super) const TOO_MANY_FIELDS: Self = Self {
        status: StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        sentence: "The request has too many header fields.",
    };
    pub(super) const TARGET_TOO_LONG: Self = Self {
        status: StatusCode::URI_TOO_LONG,
        sentence: "The request's target is too long.",
    };
}

/// What the connection itself has to know of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Traits {
    pub(super) version: Version,
    pub(super) is_head: bool,
    /// Whether the client would send another on this connection (RFC 9112, section
    /// 9.3).
    pub(super) keeps_alive: bool,
    /// Whether it waits for a 100 before it sends the body (RFC 9110, section
    /// 10.1.1).
    pub(super) expects_continue: bool,
    /// Whether it takes trailers (section 10.1.4).
    pub(super) takes_trailers: bool,
}

/// What a head says.
pub(super) type Parsed = (Box<Parts>, Traits);

/// Reads a head, which has at most `fields_max` fields. `fields` is an empty map,
/// whose memory is used again. Nothing of the bytes is kept: a copy of each value costs
/// less than to share them all, of which the last would keep all others.
pub(super) fn parse(head: &[u8], fields_max: usize, fields: HeaderMap) -> Result<Parsed, Refusal> {
    let mut room = [const { MaybeUninit::uninit() }; USUAL_FIELDS];
    let few = room.get_mut(..fields_max.min(USUAL_FIELDS));
    match read(head, few.unwrap_or_default(), fields) {
        Err(Refusal::TOO_MANY_FIELDS) if USUAL_FIELDS < fields_max => {
            let mut room = vec![MaybeUninit::uninit(); fields_max];
            read(head, &mut room, HeaderMap::new())
        }
        read => read,
    }
}

fn read<'a>(
    head: &'a [u8],
    room: &mut [MaybeUninit<httparse::Header<'a>>],
    mut fields: HeaderMap,
) -> Result<Parsed, Refusal> {
    let mut request = httparse::Request::new(&mut []);
    match request.parse_with_uninit_headers(head, room) {
        Ok(httparse::Status::Complete(_)) => {}
        Err(httparse::Error::TooManyHeaders) => return Err(Refusal::TOO_MANY_FIELDS),
        Ok(httparse::Status::Partial) | Err(_) => return Err(Refusal::MALFORMED),
    }
    let (Some(method), Some(target), Some(version)) =
        (request.method, request.path, request.version)
    else {
        return Err(Refusal::MALFORMED);
    };
    if target.len() > URI_BYTES_MAX {
        return Err(Refusal::TARGET_TOO_LONG);
    }
    let mut parts = Box::new(Request::new(()).into_parts().0);
    parts.method = Method::from_bytes(method.as_bytes()).map_err(|_| Refusal::MALFORMED)?;
    parts.uri = Uri::from_maybe_shared(Bytes::copy_from_slice(target.as_bytes()))
        .map_err(|_| Refusal::MALFORMED)?;
    parts.version = match version {
        0 => Version::HTTP_10,
        _ => Version::HTTP_11,
    };
    let mut traits = Traits {
        version: parts.version,
        is_head: parts.method == Method::HEAD,
        keeps_alive: parts.version == Version::HTTP_11,
        expects_continue: false,
        takes_trailers: false,
    };
    for field in request.headers {
        let name = HeaderName::from_bytes(field.name.as_bytes()).map_err(|_| Refusal::MALFORMED)?;
        let value = HeaderValue::from_bytes(field.value).map_err(|_| Refusal::MALFORMED)?;
        traits.note(&name, &value)?;
        fields
            .try_append(name, value)
            .map_err(|_| Refusal::TOO_MANY_FIELDS)?;
    }
    parts.headers = fields;
    Ok((parts, traits))
}

impl Traits {
    fn note(&mut self, name: &HeaderName, value: &HeaderValue) -> Result<(), Refusal> {
        let value = value.as_bytes();
        if *name == CONNECTION {
            if has_token(value, "close") {
                self.keeps_alive = false;
            } else if self.version == Version::HTTP_10 && has_token(value, "keep-alive") {
                self.keeps_alive = true;
            }
        } else if *name == EXPECT {
            self.expects_continue =
                self.version == Version::HTTP_11 && value.eq_ignore_ascii_case(b"100-continue");
        } else if *name == TE {
            self.takes_trailers |= has_token(value, "trailers");
        } else if *name == TRANSFER_ENCODING && self.version == Version::HTTP_10 {
            // Section 6.1 of RFC 9112: its framing is to be taken for faulty.
            return Err(Refusal::MALFORMED);
        }
        Ok(())
    }
}

/// Trailers; those that are malformed are none.
pub(super) fn trailers(lines: &[u8]) -> Option<HeaderMap> {
    let lines = [lines, b"\r\n"].concat();
    let mut room = [httparse::EMPTY_HEADER; USUAL_FIELDS];
    let Ok(httparse::Status::Complete((_, fields))) = httparse::parse_headers(&lines, &mut room)
    else {
        return None;
    };
    let fields = fields.iter().map(|field| {
        let name = HeaderName::from_bytes(field.name.as_bytes()).ok()?;
        Some((name, HeaderValue::from_bytes(field.value).ok()?))
    });
    fields.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(head: &str) -> Result<(Box<Parts>, Traits), Refusal> {
        parse(head.as_bytes(), 40, HeaderMap::new())
    }

    #[test]
    fn a_head_is_read() {
        let (parts, traits) = parsed(
            "POST /a?b HTTP/1.1\r\nHost: x\r\nX-A: 1\r\nx-a:\t2 \r\nTE: gzip, trailers\r\n\
             Expect: 100-Continue\r\n\r\n",
        )
        .unwrap();
        assert_eq!(
            (parts.method, parts.uri),
            (Method::POST, "/a?b".parse().unwrap())
        );
        let values: Vec<_> = parts.headers.get_all("x-a").iter().collect();
        assert_eq!(values, ["1", "2"]);
        assert_eq!(parts.headers["host"], "x");
        let expected = Traits {
            version: Version::HTTP_11,
            is_head: false,
            keeps_alive: true,
            expects_continue: true,
            takes_trailers: true,
        };
        assert_eq!(traits, expected);
    }

    #[test]
    fn a_connection_is_kept_as_its_version_says() {
        for (version, field, is_kept) in [
            ("1.1", "a: b", true),
            ("1.1", "connection: x, Close", false),
            ("1.1", "connection: keep-alive", true),
            ("1.0", "a: b", false),
            ("1.0", "connection: Keep-Alive", true),
            ("1.0", "connection: close, keep-alive", false),
            ("1.0", "expect: 100-continue", false),
        ] {
            let head = format!("GET / HTTP/{version}\r\n{field}\r\n\r\n");
            let (_, traits) = parsed(&head).unwrap();
            assert_eq!(traits.keeps_alive, is_kept, "{head:?}");
            assert!(!traits.expects_continue);
        }
    }

    #[test]
    fn what_is_no_head_is_refused() {
        let with = |count: usize| format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(count));
        let (parts, _) = parsed(&with(40)).unwrap();
        assert_eq!(parts.headers.len(), 40);
        for (head, refusal) in [
            (with(41), Refusal::TOO_MANY_FIELDS),
            ("GET / HTTP/2.0\r\n\r\n".into(), Refusal::MALFORMED),
            ("GET /a b HTTP/1.1\r\n\r\n".into(), Refusal::MALFORMED),
            (
                "GET / HTTP/1.1\r\na b: c\r\n\r\n".into(),
                Refusal::MALFORMED,
            ),
            (
                "GET / HTTP/1.1\r\na: \x01\r\n\r\n".into(),
                Refusal::MALFORMED,
            ),
            ("G(T / HTTP/1.1\r\n\r\n".into(), Refusal::MALFORMED),
            ("GET / HTTP/1.1\r\na: b\r\n".into(), Refusal::MALFORMED),
            (
                "GET / HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n".into(),
                Refusal::MALFORMED,
            ),
            (
                format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(URI_BYTES_MAX)),
                Refusal::TARGET_TOO_LONG,
            ),
        ] {
            assert_eq!(parsed(&head).unwrap_err(), refusal, "{head:?}");
        }
    }

    #[test]
    fn trailers_are_fields() {
        let found = trailers(b"a: 1\r\nb: 2\r\n").unwrap();
        assert_eq!(
            (found.len(), &found["b"]),
            (2, &HeaderValue::from_static("2"))
        );
        assert_eq!(trailers(b"a b: 1\r\n"), None);
        assert_eq!(trailers(b"").map(|fields| fields.len()), Some(0));
    }
}
