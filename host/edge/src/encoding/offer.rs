//! Whether a response is encoded, and how it says so.

use std::sync::Arc;

use holdfast_core::encoding::Encode;
use holdfast_core::event::Body;
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE,
    ETAG, HeaderMap, VARY,
};
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode};
use http_body::Body as _;

use super::accept::accepted;
use super::body::encoded;
use super::{Coding, Encoders, content_encoding};
use crate::fields::has_token;

/// Digests of what is sent; they would be wrong (RFC 9530, and what was before).
const DIGESTS: [&str; 3] = ["content-digest", "content-md5", "digest"];

/// What the client takes of what its plugin, or its route, may encode.
pub(crate) struct Offer {
    encode: Arc<Encode>,
    encoders: Arc<Encoders>,
    /// Best first.
    codings: Vec<Coding>,
    is_head: bool,
}

impl Offer {
    /// For this request.
    pub(crate) fn new(encode: &Arc<Encode>, encoders: &Arc<Encoders>, request: &Parts) -> Self {
        let codings = match may_transform(&request.headers) {
            true => accepted(&request.headers, &encode.codings),
            false => Vec::new(),
        };
        Self {
            encode: Arc::clone(encode),
            encoders: Arc::clone(encoders),
            codings,
            is_head: request.method == Method::HEAD,
        }
    }

    /// The response as the client gets it. The answer to a HEAD says what that to
    /// a GET would say.
    pub(crate) fn apply(self, mut response: Response<Body>) -> Response<Body> {
        if response.status() == StatusCode::NOT_MODIFIED {
            vary(response.headers_mut());
            return response;
        }
        if !self.is_worth_it(&response) {
            return response;
        }
        // Who takes nothing gets another response than who does.
        vary(response.headers_mut());
        let coding = if self.is_head {
            // How long it would be is not known.
            *response.body_mut() = Body::default();
            self.codings.first().copied()
        } else {
            let entered = |&coding| Some((coding, self.encoders.enter(coding)?));
            self.codings
                .iter()
                .find_map(entered)
                .map(|(coding, place)| {
                    let body = std::mem::take(response.body_mut());
                    *response.body_mut() = encoded(body, coding, place);
                    coding
                })
        };
        if let Some(coding) = coding {
            let headers = response.headers_mut();
            headers.insert(CONTENT_ENCODING, content_encoding(coding));
            headers.remove(CONTENT_LENGTH);
            // Its ranges would be those of something else.
            headers.remove(ACCEPT_RANGES);
            weaken(headers);
        }
        response
    }

    fn is_worth_it(&self, response: &Response<Body>) -> bool {
        let (status, headers) = (response.status(), response.headers());
        let is_bare = matches!(
            status,
            StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::PARTIAL_CONTENT
        );
        if is_bare || status.is_informational() || !may_transform(headers) {
            return false;
        }
        let is_final = headers.contains_key(CONTENT_ENCODING)
            || headers.contains_key(CONTENT_RANGE)
            || DIGESTS.iter().any(|name| headers.contains_key(*name));
        let media = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
        if is_final || !media.is_some_and(|media| self.encode.has_type(media)) {
            return false;
        }
        if self.is_head {
            let len = headers.get(CONTENT_LENGTH).and_then(|it| it.to_str().ok());
            let len = len.and_then(|len| len.parse().ok());
            // Some handlers answer as to a GET.
            let own = response.body().size_hint().exact();
            let len = len.or(own.filter(|len| *len > 0));
            return len.is_none_or(|len: u64| len >= self.encode.bytes_min);
        }
        let body = response.body();
        let len = body.size_hint().exact();
        !body.is_end_stream() && len.is_none_or(|len| len >= self.encode.bytes_min)
    }
}

/// Whether somebody forbids it (RFC 9111, sections 5.2.1.6 and 5.2.2.6).
fn may_transform(headers: &HeaderMap) -> bool {
    let mut lists = headers.get_all(CACHE_CONTROL).iter();
    !lists.any(|list| has_token(list.as_bytes(), "no-transform"))
}

/// Says that the response depends on what the client takes.
fn vary(headers: &mut HeaderMap) {
    let mut lists = headers.get_all(VARY).iter().map(HeaderValue::as_bytes);
    let is_said = lists.any(|list| has_token(list, "*") || has_token(list, "accept-encoding"));
    if !is_said {
        let value = HeaderValue::from_static("accept-encoding");
        headers.append(VARY, value);
    }
}

/// Makes the tag one of what is the same, but not byte by byte.
fn weaken(headers: &mut HeaderMap) {
    let Some(tag) = headers.get_mut(ETAG) else {
        return;
    };
    if tag.as_bytes().starts_with(b"\"") {
        let weak = [b"W/", tag.as_bytes()].concat();
        if let Ok(weak) = HeaderValue::from_bytes(&weak) {
            *tag = weak;
        }
    }
}

#[cfg(test)]
mod tests {
    use holdfast_core::limits::EncodingLimits;
    use http::Request;

    use super::*;
    use crate::report::full;

    /// What becomes of a response with 2000 bytes.
    fn answer(method: &str, asked: &[(&str, &str)], said: &[(&str, &str)]) -> Response<Body> {
        let mut request = Request::builder().method(method);
        for (name, value) in asked {
            request = request.header(*name, *value);
        }
        let parts = request.body(()).unwrap().into_parts().0;
        let mut response = Response::builder();
        for (name, value) in said {
            response = match *name {
                "status" => response.status(*value),
                name => response.header(name, *value),
            };
        }
        let body = full(vec![b'x'; 2000].into());
        let encoders = Encoders::new(&EncodingLimits::default());
        let offer = Offer::new(&Arc::default(), &encoders, &parts);
        offer.apply(response.body(body).unwrap())
    }

    const GZIP: (&str, &str) = ("accept-encoding", "gzip");
    const HTML: (&str, &str) = ("content-type", "text/html");

    #[test]
    fn what_is_worth_it_is_encoded() {
        let said = [
            HTML,
            ("etag", "\"a\""),
            ("accept-ranges", "bytes"),
            ("vary", "cookie"),
        ];
        for method in ["GET", "HEAD", "POST"] {
            let response = answer(method, &[GZIP], &said);
            let headers = response.headers();
            assert_eq!(headers["content-encoding"], "gzip");
            assert_eq!(headers["etag"], "W/\"a\"");
            assert!(!headers.contains_key("accept-ranges"));
            let vary: Vec<_> = headers.get_all("vary").iter().collect();
            assert_eq!(vary, ["cookie", "accept-encoding"]);
        }
        let response = answer("GET", &[("accept-encoding", "gzip, zstd, br")], &said);
        assert_eq!(response.headers()["content-encoding"], "zstd");
    }

    #[test]
    fn everything_else_stays_as_it_is() {
        for (asked, said) in [
            (&[GZIP][..], &[][..]),
            (&[GZIP], &[("content-type", "image/png")]),
            (&[GZIP], &[HTML, ("content-encoding", "br")]),
            (&[GZIP], &[HTML, ("content-range", "bytes 0-1/2")]),
            (&[GZIP], &[HTML, ("cache-control", "public, No-Transform")]),
            (&[GZIP], &[HTML, ("content-digest", "x")]),
            (&[GZIP], &[HTML, ("status", "206")]),
            (&[GZIP], &[HTML, ("status", "204")]),
        ] {
            let response = answer("GET", asked, said);
            assert_eq!(
                response.headers().len(),
                said.iter().filter(|it| it.0 != "status").count()
            );
            assert_eq!(response.body().size_hint().exact(), Some(2000));
        }
        let forbidden = ("cache-control", "no-transform");
        for asked in [
            &[][..],
            &[GZIP, forbidden],
            &[("accept-encoding", "identity")],
        ] {
            let response = answer("GET", asked, &[HTML, ("etag", "\"a\"")]);
            assert_eq!(response.headers()["vary"], "accept-encoding");
            assert_eq!(response.headers()["etag"], "\"a\"");
            assert_eq!(response.body().size_hint().exact(), Some(2000));
        }
        let short = [HTML, ("content-length", "1023")];
        assert!(
            !answer("HEAD", &[GZIP], &short)
                .headers()
                .contains_key("vary")
        );
        let same = answer(
            "GET",
            &[GZIP],
            &[("status", "304"), ("vary", "Accept-Encoding")],
        );
        assert_eq!(same.headers().get_all("vary").iter().count(), 1);
        assert_eq!(same.headers()["vary"], "Accept-Encoding");
    }

    #[test]
    fn head_is_answered_as_get_would_be() {
        let head = |body: &'static [u8]| {
            let request = Request::builder().method("HEAD");
            let request = request.header("accept-encoding", "gzip");
            let parts = request.body(()).unwrap().into_parts().0;
            let encoders = Encoders::new(&EncodingLimits::default());
            let offer = Offer::new(&Arc::default(), &encoders, &parts);
            let response = Response::builder().header("content-type", "text/html");
            offer.apply(response.body(full(body.into())).unwrap())
        };
        let short = head(&[b'x'; 100]);
        assert!(!short.headers().contains_key("content-encoding"));
        assert_eq!(short.body().size_hint().exact(), Some(100));
        for body in [&[b'x'; 2000][..], b""] {
            let encoded = head(body);
            assert_eq!(encoded.headers()["content-encoding"], "gzip");
            assert_eq!(encoded.body().size_hint().exact(), Some(0), "not known");
        }
    }

    #[test]
    fn without_memory_it_goes_as_it_is() {
        let limits = EncodingLimits {
            memory_bytes_max: 400 << 10,
        };
        let encoders = Encoders::new(&limits);
        let request = Request::builder().header("accept-encoding", "br, zstd, gzip");
        let parts = request.body(()).unwrap().into_parts().0;
        let answer = || {
            let response = Response::builder().header("content-type", "text/html");
            let response = response.body(full(vec![b'x'; 2000].into())).unwrap();
            Offer::new(&Arc::default(), &encoders, &parts).apply(response)
        };
        // There is room for the smallest, and for one of it.
        let first = answer();
        assert_eq!(first.headers()["content-encoding"], "gzip");
        let second = answer();
        assert!(!second.headers().contains_key("content-encoding"));
        assert_eq!(second.headers()["vary"], "accept-encoding");
        drop(first);
        assert_eq!(answer().headers()["content-encoding"], "gzip");
    }
}
