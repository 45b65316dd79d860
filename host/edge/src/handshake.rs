//! Opening handshakes (RFC 6455, section 4, and RFC 8441): which requests are
//! one, whether it is well formed, and the answer. Pure; [`crate::accept`] asks the guest.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use holdfast_core::Settings;
use holdfast_core::event::Body;
use http::header::{
    CONNECTION, HeaderName, ORIGIN, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Version};
use sha1::{Digest, Sha1};

use crate::{deflate, fields, report};

/// The one version there is (section 4.1).
const VERSION: HeaderValue = HeaderValue::from_static("13");
const WEBSOCKET: HeaderValue = HeaderValue::from_static("websocket");
/// Appended to the key (section 1.3).
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// A well-formed handshake.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Offer {
    /// Proves to the client that its handshake was understood. None over HTTP/2,
    /// where nothing has to be proved.
    accept: Option<HeaderValue>,
    /// Offered subprotocols, best first.
    pub(crate) subprotocols: Vec<String>,
    /// Offers of compression, best first.
    pub(crate) deflate: Vec<deflate::Offer>,
}

/// Why a handshake is not well formed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Malformed {
    /// 400, with a sentence that says what is wrong.
    BadRequest(&'static str),
    /// 426: not the version there is.
    Version,
}

/// Whether a request asks for a WebSocket, well formed or not. An upgrade to
/// anything else is an ordinary request (RFC 9110, section 7.8), and so is one
/// over HTTP/2, which has no such field, but a CONNECT.
pub(crate) fn is_attempt(parts: &Parts) -> bool {
    parts.version <= Version::HTTP_11 && has_token(&parts.headers, &UPGRADE, "websocket")
}

/// Checks a handshake (section 4.2.1). `has_body` says that a body follows it.
pub(crate) fn check(parts: &Parts, has_body: bool) -> Result<Offer, Malformed> {
    use Malformed::BadRequest;

    if parts.method != Method::GET {
        return Err(BadRequest("A WebSocket handshake is a GET request."));
    }
    if parts.version != Version::HTTP_11 {
        return Err(BadRequest("A WebSocket handshake needs HTTP/1.1."));
    }
    if has_body {
        return Err(BadRequest("A WebSocket handshake has no body."));
    }
    let headers = &parts.headers;
    if !has_token(headers, &CONNECTION, "upgrade") {
        return Err(BadRequest("The Connection field does not say `upgrade`."));
    }
    check_version(headers)?;
    let mut keys = headers.get_all(SEC_WEBSOCKET_KEY).iter();
    let (Some(key), None) = (keys.next(), keys.next()) else {
        return Err(BadRequest("There has to be one Sec-WebSocket-Key field."));
    };
    if !STANDARD.decode(key).is_ok_and(|key| key.len() == 16) {
        return Err(BadRequest(
            "The Sec-WebSocket-Key is not base64 of 16 bytes.",
        ));
    }
    let subprotocols = subprotocols(headers)?;
    let deflate = deflations(headers)?;
    let digest = Sha1::new().chain_update(key).chain_update(GUID).finalize();
    let accept = HeaderValue::try_from(STANDARD.encode(digest))
        .map_err(|_| BadRequest("The Sec-WebSocket-Key is not base64 of 16 bytes."))?;
    Ok(Offer {
        accept: Some(accept),
        subprotocols,
        deflate,
    })
}

/// Checks a CONNECT with the protocol `websocket` (RFC 8441, section 5): there is
/// no key, and HTTP/2 has checked the rest.
pub(crate) fn check_tunnel(parts: &Parts) -> Result<Offer, Malformed> {
    check_version(&parts.headers)?;
    Ok(Offer {
        accept: None,
        subprotocols: subprotocols(&parts.headers)?,
        deflate: deflations(&parts.headers)?,
    })
}

fn deflations(headers: &HeaderMap) -> Result<Vec<deflate::Offer>, Malformed> {
    deflate::offers(headers)
        .map_err(|_| Malformed::BadRequest("The Sec-WebSocket-Extensions are malformed."))
}

fn check_version(headers: &HeaderMap) -> Result<(), Malformed> {
    let mut versions = headers.get_all(SEC_WEBSOCKET_VERSION).iter();
    match (versions.next(), versions.next()) {
        (Some(version), None) if *version == VERSION => Ok(()),
        _ => Err(Malformed::Version),
    }
}

impl Malformed {
    pub(crate) fn response(&self) -> Response<Body> {
        match self {
            Self::BadRequest(sentence) => report::text(StatusCode::BAD_REQUEST, sentence),
            Self::Version => upgrade_required("The only version of WebSocket here is 13."),
        }
    }
}

/// Whether a browser may do that: it names the page from which the handshake
/// comes (section 10.2). Who names none is no browser.
pub(crate) fn is_from_allowed_page(
    headers: &HeaderMap,
    authority: &str,
    settings: &Settings,
) -> bool {
    let mut origins = headers.get_all(ORIGIN).iter();
    match (origins.next(), origins.next()) {
        (None, _) => true,
        (Some(origin), None) => origin.to_str().is_ok_and(|origin| {
            let allowed = &settings.connection.policies.origins;
            allowed.allow(origin, authority)
        }),
        (Some(_), Some(_)) => false,
    }
}

/// 403, for a page of another origin.
pub(crate) fn forbidden() -> Response<Body> {
    let sentence = "Pages of this origin may not open WebSockets here.";
    report::text(StatusCode::FORBIDDEN, sentence)
}

/// 426: only a WebSocket handshake is answered otherwise.
pub(crate) fn upgrade_required(sentence: &str) -> Response<Body> {
    let mut response = report::text(StatusCode::UPGRADE_REQUIRED, sentence);
    let headers = response.headers_mut();
    headers.insert(UPGRADE, WEBSOCKET);
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(SEC_WEBSOCKET_VERSION, VERSION);
    response
}

impl Offer {
    /// The 101 (section 4.2.2), or over HTTP/2 the 200 (RFC 8441, section 5).
    /// `subprotocol` has to be one of those offered.
    pub(crate) fn accept(
        self,
        subprotocol: Option<HeaderValue>,
        extra: HeaderMap,
    ) -> Response<Body> {
        let mut response = Response::new(Body::default());
        *response.headers_mut() = extra;
        if let Some(accept) = self.accept {
            *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
            let headers = response.headers_mut();
            headers.insert(UPGRADE, WEBSOCKET);
            headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
            headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
        }
        let headers = response.headers_mut();
        if let Some(subprotocol) = subprotocol {
            headers.insert(SEC_WEBSOCKET_PROTOCOL, subprotocol);
        }
        response
    }
}

/// Whether a field of the 101 is the host's, not the guest's.
pub(crate) fn is_own_field(name: &HeaderName) -> bool {
    name.as_str().starts_with("sec-websocket-")
        || matches!(
            name.as_str(),
            "connection"
                | "content-length"
                | "keep-alive"
                | "proxy-connection"
                | "te"
                | "trailer"
                | "transfer-encoding"
                | "upgrade"
        )
}

fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|list| fields::has_token(list.as_bytes(), token))
}

/// The offered subprotocols, each of which has to be a token (RFC 9110, section
/// 5.6.2).
fn subprotocols(headers: &HeaderMap) -> Result<Vec<String>, Malformed> {
    const MALFORMED: Malformed =
        Malformed::BadRequest("The Sec-WebSocket-Protocol is not a list of tokens.");

    let mut subprotocols = Vec::new();
    for value in headers.get_all(SEC_WEBSOCKET_PROTOCOL) {
        let value = value.to_str().map_err(|_| MALFORMED)?;
        for item in value.split(',').map(str::trim) {
            if item.is_empty() {
                continue;
            }
            if !item.bytes().all(is_token_byte) {
                return Err(MALFORMED);
            }
            subprotocols.push(item.to_owned());
        }
    }
    Ok(subprotocols)
}

pub(crate) fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    /// A good handshake with some lines replaced or, if empty, left out.
    fn parts(changes: &[(&str, &str)]) -> Parts {
        let mut lines = vec![
            ("connection", "keep-alive, Upgrade"),
            ("upgrade", "WebSocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        for (name, value) in changes {
            lines.retain(|(line, _)| line != name);
            lines.extend(value.split('|').map(|value| (*name, value)));
        }
        let mut request = Request::builder();
        for (name, value) in lines.into_iter().filter(|(_, value)| !value.is_empty()) {
            request = request.header(name, value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn the_sample_of_the_rfc_is_accepted() {
        let parts = parts(&[("sec-websocket-protocol", "chat, superchat|v1")]);
        assert!(is_attempt(&parts));
        let offer = check(&parts, false).unwrap();
        assert_eq!(offer.subprotocols, ["chat", "superchat", "v1"]);
        let response = offer.accept(None, HeaderMap::new());
        assert_eq!(
            response.headers()[SEC_WEBSOCKET_ACCEPT],
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        );
    }

    #[test]
    fn other_handshakes_are_refused() {
        for changes in [
            ("connection", ""),
            ("connection", "close"),
            ("sec-websocket-key", ""),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ"),
            ("sec-websocket-key", "dGhlIHNhbXBsZQ=="),
            (
                "sec-websocket-key",
                "dGhlIHNhbXBsZSBub25jZQ==|dGhlIHNhbXBsZSBub25jZQ==",
            ),
            ("sec-websocket-protocol", "a b"),
        ] {
            let refused = check(&parts(&[changes]), false);
            assert!(
                matches!(refused, Err(Malformed::BadRequest(_))),
                "{changes:?}: {refused:?}"
            );
        }
        for version in ["", "8", "13, 8", "13|13", "013"] {
            let refused = check(&parts(&[("sec-websocket-version", version)]), false);
            assert_eq!(refused, Err(Malformed::Version), "{version}");
        }
        assert!(check(&parts(&[]), true).is_err());
    }

    #[test]
    fn over_http2_there_is_no_key_and_no_upgrade() {
        let no_key = [
            ("connection", ""),
            ("upgrade", ""),
            ("sec-websocket-key", ""),
        ];
        let offer = check_tunnel(&parts(&no_key)).unwrap();
        let response = offer.accept(Some("chat".parse().unwrap()), HeaderMap::new());
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers().len(), 1, "{:?}", response.headers());
        let refused = check_tunnel(&parts(&[("sec-websocket-version", "12")]));
        assert_eq!(refused, Err(Malformed::Version));
    }

    #[test]
    fn an_upgrade_to_something_else_is_no_handshake() {
        assert!(!is_attempt(&parts(&[("upgrade", "h2c")])));
        assert!(!is_attempt(&parts(&[("upgrade", "")])));
        assert!(is_attempt(&parts(&[(
            "upgrade",
            "h2c, websocket/x|websocket"
        )])));
    }
}
