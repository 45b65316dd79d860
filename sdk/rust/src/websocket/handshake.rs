//! An opening handshake.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::fmt::{self, Formatter};

use crate::bindings::holdfast::websocket::websocket_types as wire;
use crate::http::{HeaderMap, HeaderName, HeaderValue, Uri};
use crate::uri;

/// An opening handshake (RFC 6455, section 4.2.1) which the host has found to
/// be well formed and about which the plugin has to decide.
pub struct Handshake {
    wire: wire::Handshake,
    // Most handlers look at one field or none.
    headers: OnceCell<HeaderMap>,
}

impl Handshake {
    /// The id which the connection will have if it is accepted. Messages sent
    /// to it from now on are queued, and written after the handshake.
    pub fn id(&self) -> &str {
        &self.wire.id
    }

    /// `http` or `https`.
    pub fn scheme(&self) -> &str {
        &self.wire.scheme
    }

    /// The `Host` field or the `:authority` pseudo-header field.
    pub fn authority(&self) -> &str {
        &self.wire.authority
    }

    /// The path as the client sent it, still percent-encoded; see
    /// [`uri::segments`].
    pub fn path(&self) -> &str {
        uri::split(&self.wire.path_with_query).0
    }

    /// The query as the client sent it, without the question mark.
    pub fn query(&self) -> Option<&str> {
        uri::split(&self.wire.path_with_query).1
    }

    /// The first value of a key in the query, decoded.
    pub fn query_value(&self, key: &str) -> Option<Cow<'_, str>> {
        uri::query_value(self.query()?, key)
    }

    /// The whole URI, if it is one that the `http` crate accepts.
    pub fn uri(&self) -> Option<Uri> {
        Uri::builder()
            .scheme(self.scheme())
            .authority(self.authority())
            .path_and_query(self.wire.path_with_query.as_str())
            .build()
            .ok()
    }

    /// All header fields of the request.
    pub fn headers(&self) -> &HeaderMap {
        self.headers.get_or_init(|| {
            let fields = self.wire.headers.iter();
            fields
                .filter_map(|field| {
                    let name = HeaderName::from_bytes(field.name.as_bytes()).ok()?;
                    Some((name, HeaderValue::from_bytes(&field.value).ok()?))
                })
                .collect()
        })
    }

    /// The first value of a header field, if it is there and is UTF-8. The name
    /// is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut fields = self.wire.headers.iter();
        let field = fields.find(|field| field.name == name)?;
        std::str::from_utf8(&field.value).ok()
    }

    /// The subprotocols the client offers, best first.
    pub fn subprotocols(&self) -> &[String] {
        &self.wire.subprotocols
    }

    /// Address of the client, `ADDRESS:PORT`.
    pub fn remote_address(&self) -> &str {
        &self.wire.remote_address
    }

    pub(crate) fn from_wire(wire: wire::Handshake) -> Self {
        Self {
            wire,
            headers: OnceCell::new(),
        }
    }
}

impl fmt::Debug for Handshake {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        self.wire.fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handshake(path_with_query: &str) -> Handshake {
        let header = |name: &str, value: &str| wire::Header {
            name: name.to_owned(),
            value: value.as_bytes().to_vec(),
        };
        Handshake::from_wire(wire::Handshake {
            id: "id".to_owned(),
            scheme: "https".to_owned(),
            authority: "example.org".to_owned(),
            path_with_query: path_with_query.to_owned(),
            headers: vec![header("cookie", "a=1"), header("cookie", "b=2")],
            subprotocols: vec!["v2".to_owned(), "v1".to_owned()],
            remote_address: "192.0.2.1:4711".to_owned(),
        })
    }

    #[test]
    fn a_handshake_gives_the_parts_of_its_target() {
        let handshake = handshake("/rooms/a?nick=Ada%20L&x");
        assert_eq!(handshake.path(), "/rooms/a");
        assert_eq!(handshake.query(), Some("nick=Ada%20L&x"));
        assert_eq!(handshake.query_value("nick").as_deref(), Some("Ada L"));
        assert_eq!(handshake.query_value("other"), None);
        assert_eq!(
            handshake.uri().unwrap().to_string(),
            "https://example.org/rooms/a?nick=Ada%20L&x"
        );
    }

    #[test]
    fn repeated_fields_are_kept_in_order() {
        let handshake = handshake("/");
        assert_eq!(handshake.header("cookie"), Some("a=1"));
        let cookies: Vec<_> = handshake.headers().get_all("cookie").iter().collect();
        assert_eq!(cookies, ["a=1", "b=2"]);
        assert_eq!(handshake.query(), None);
    }
}
