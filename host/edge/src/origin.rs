//! Where the requests of a connection come from, and what the host tells guests
//! of that.

use std::cell::OnceCell;
use std::net::SocketAddr;
use std::sync::Arc;

use holdfast_core::event::{Body, Encrypted};
use holdfast_core::manifest::Proxies;
use http::header::LOCATION;
use http::request::Parts;
use http::uri::{PathAndQuery, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, Uri};

use crate::addresses::{Addresses, Full, Place};
use crate::forwarded::{self, Said};
use crate::report;

/// Header fields whose names begin so are the host's: from a client they are
/// removed.
const OWN_PREFIX: &str = "holdfast-";
/// The subject of the client's certificate (RFC 4514).
const SUBJECT: HeaderName = HeaderName::from_static("holdfast-client-subject");
/// The client's address.
const ADDRESS: HeaderName = HeaderName::from_static("holdfast-client-address");
const HTTPS_PORT: u16 = 443;
/// What stands for the address of who comes by a Unix socket.
const UNIX: &str = "unix";

/// What is known of a connection's client.
pub(crate) struct Origin {
    /// Where it comes from; none for a Unix socket.
    pub(crate) client: Option<SocketAddr>,
    /// Whether it is a proxy that is believed, and where its clients are counted.
    pub(crate) believed: Option<Arc<Addresses>>,
    pub(crate) proxies: Arc<Proxies>,
    /// Whether it came over TLS.
    pub(crate) is_encrypted: bool,
    /// Who it is, by its certificate.
    pub(crate) subject: Option<HeaderValue>,
    /// The port to which its requests are sent instead of being answered.
    pub(crate) redirect_port: Option<u16>,
    /// The field with its address, made when it is first wanted.
    pub(crate) address: OnceCell<HeaderValue>,
}

/// What is known of the client of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Client {
    /// Where it comes from; none for a Unix socket. Port 0 if that is not known.
    pub(crate) address: Option<SocketAddr>,
    /// Whether a proxy has said so.
    is_forwarded: bool,
    is_encrypted: bool,
}

impl Origin {
    /// Tells the guest of a request what the host knows, and takes out of it what
    /// only the host, or a proxy which it believes, may say.
    pub(crate) fn mark(&self, parts: &mut Parts) -> Client {
        let said = match &self.believed {
            Some(_) => forwarded::said(&parts.headers, &self.proxies),
            None => Said::default(),
        };
        let client = Client {
            address: said.client.or(self.client),
            is_forwarded: said.client.is_some(),
            is_encrypted: said.is_encrypted.unwrap_or(self.is_encrypted),
        };
        let fields = self.believed.as_ref().map(|_| self.proxies.fields);
        retain(&mut parts.headers, |name| {
            let name = name.as_str();
            !name.starts_with(OWN_PREFIX) && !forwarded::is_unbelieved(name, fields)
        });
        if let Some(subject) = &self.subject {
            parts.headers.insert(SUBJECT, subject.clone());
        }
        if self.proxies.client_address_field
            && let Some(address) = self.address_field(&client)
        {
            parts.headers.insert(ADDRESS, address);
        }
        if client.is_encrypted {
            parts.extensions.insert(Encrypted);
        }
        set_scheme(&mut parts.uri, &client);
        client
    }

    fn address_field(&self, client: &Client) -> Option<HeaderValue> {
        if client.is_forwarded {
            return HeaderValue::try_from(client.address_text()).ok();
        }
        if let Some(field) = self.address.get() {
            return Some(field.clone());
        }
        let field = HeaderValue::try_from(client.address_text()).ok()?;
        Some(self.address.get_or_init(|| field).clone())
    }

    /// Counts a WebSocket for the client for which a proxy has asked. None if it
    /// is counted with its connection, or not at all.
    pub(crate) fn enter(&self, client: &Client) -> Result<Option<Box<Place>>, Full> {
        match (&self.believed, client) {
            (
                Some(addresses),
                Client {
                    address: Some(address),
                    is_forwarded: true,
                    ..
                },
            ) => addresses.enter(address.ip()),
            _ => Ok(None),
        }
    }
}

impl Client {
    /// Its address for people: with the port, if that is known.
    pub(crate) fn address_text(&self) -> String {
        match self.address {
            None => UNIX.to_owned(),
            Some(address) if address.port() == 0 => address.ip().to_string(),
            Some(address) => address.to_string(),
        }
    }

    /// Its address as a handshake has it, with a port in any case.
    pub(crate) fn remote_text(&self) -> String {
        let nobody = SocketAddr::from(([0, 0, 0, 0], 0));
        self.address.unwrap_or(nobody).to_string()
    }

    /// The scheme of its request.
    pub(crate) fn scheme(&self) -> &'static str {
        match self.is_encrypted {
            true => "https",
            false => "http",
        }
    }
}

/// Keeps some fields, in their order, unlike what removing one leaves.
fn retain(headers: &mut HeaderMap, is_kept: impl Fn(&HeaderName) -> bool) {
    if headers.keys().all(&is_kept) {
        return;
    }
    let mut kept = HeaderMap::with_capacity(headers.len());
    let mut last = None;
    for (name, value) in std::mem::take(headers) {
        // Of several fields of one name, the first alone comes with it.
        last = name.or(last);
        if let Some(name) = &last
            && is_kept(name)
        {
            kept.append(name.clone(), value);
        }
    }
    *headers = kept;
}

/// A client can't choose the scheme.
fn set_scheme(uri: &mut Uri, client: &Client) {
    let scheme = match client.is_encrypted {
        true => Scheme::HTTPS,
        false => Scheme::HTTP,
    };
    if uri.scheme().is_some_and(|named| *named != scheme) {
        let mut parts = std::mem::take(uri).into_parts();
        parts.scheme = Some(scheme);
        parts
            .path_and_query
            .get_or_insert_with(|| PathAndQuery::from_static("/"));
        *uri = Uri::from_parts(parts).unwrap_or_default();
    }
}

/// 308: to the same host and path, over TLS.
pub(crate) fn redirect(authority: &str, uri: &Uri, port: u16) -> Response<Body> {
    let host = without_port(authority);
    let path = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let target = match port {
        HTTPS_PORT => format!("https://{host}{path}"),
        port => format!("https://{host}:{port}{path}"),
    };
    // `*` is no path, and no name is no host.
    let is_path = path.starts_with('/') && !host.is_empty();
    match HeaderValue::try_from(target) {
        Ok(target) if is_path => {
            let mut response = report::text(StatusCode::PERMANENT_REDIRECT, "Come by https.");
            response.headers_mut().insert(LOCATION, target);
            response
        }
        _ => report::text(StatusCode::BAD_REQUEST, "Come by https."),
    }
}

/// The host of an authority. A colon in brackets belongs to an IPv6 address.
fn without_port(authority: &str) -> &str {
    match authority.rfind(':') {
        Some(colon) if !authority.ends_with(']') => authority.get(..colon).unwrap_or_default(),
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn origin(is_encrypted: bool, subject: Option<&str>) -> Origin {
        Origin {
            client: Some(([10, 0, 0, 1], 7).into()),
            believed: None,
            proxies: Arc::new(Proxies {
                client_address_field: true,
                ..Proxies::default()
            }),
            is_encrypted,
            subject: subject.map(|it| it.parse().unwrap()),
            redirect_port: None,
            address: OnceCell::new(),
        }
    }

    fn parts(uri: &str) -> Parts {
        let request = Request::get(uri)
            .header("holdfast-client-subject", "CN=forged")
            .header("Holdfast-Client-Subject", "CN=twice")
            .header("holdfast-client-address", "6.6.6.6")
            .header("holdfast-else", "forged")
            .header("x-forwarded-for", "1.2.3.4")
            .header("x-forwarded-proto", "https")
            .header("forwarded", "for=6.6.6.6")
            .header("x-holdfast", "kept");
        request.body(()).unwrap().into_parts().0
    }

    fn names(parts: &Parts) -> Vec<&str> {
        let mut names: Vec<_> = parts.headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn only_the_host_says_who_a_client_is() {
        let mut marked = parts("/");
        let client = origin(false, None).mark(&mut marked);
        assert_eq!(names(&marked), ["holdfast-client-address", "x-holdfast"]);
        assert_eq!(marked.headers[ADDRESS], "10.0.0.1:7");
        assert_eq!((client.scheme(), client.is_forwarded), ("http", false));
        let mut marked = parts("/");
        let client = origin(true, Some("CN=Ada")).mark(&mut marked);
        let subjects = marked.headers.get_all(SUBJECT).iter();
        assert_eq!(subjects.collect::<Vec<_>>(), ["CN=Ada"]);
        assert!(marked.extensions.get::<Encrypted>().is_some());
        assert_eq!(client.scheme(), "https");
    }

    #[test]
    fn a_proxy_that_is_believed_says_it() {
        let mut believed = origin(false, None);
        believed.believed = Some(Addresses::new(1, Vec::new()));
        let mut marked = parts("/");
        let client = believed.mark(&mut marked);
        let kept = [
            "holdfast-client-address",
            "x-forwarded-for",
            "x-forwarded-proto",
        ];
        assert_eq!(names(&marked)[..3], kept);
        assert_eq!(marked.headers[ADDRESS], "1.2.3.4");
        assert_eq!(
            (&*client.address_text(), client.scheme()),
            ("1.2.3.4", "https")
        );
        let place = believed.enter(&client).unwrap();
        assert!(place.is_some());
        assert!(believed.enter(&client).is_err());
        let own = Client {
            is_forwarded: false,
            ..client
        };
        assert!(believed.enter(&own).is_ok_and(|place| place.is_none()));
    }

    #[test]
    fn a_client_does_not_choose_the_scheme() {
        for (uri, is_encrypted, expected) in [
            ("https://a/b?c", false, "http://a/b?c"),
            ("http://a", true, "https://a/"),
            ("https://a/b", true, "https://a/b"),
            ("/b", true, "/b"),
        ] {
            let mut marked = parts(uri);
            origin(is_encrypted, None).mark(&mut marked);
            assert_eq!(marked.uri, expected, "{uri}");
        }
    }

    #[test]
    fn a_redirect_keeps_host_and_path() {
        for (authority, uri, port, expected) in [
            ("a.test", "/b?c=d", 443, "https://a.test/b?c=d"),
            ("a.test:80", "/", 8443, "https://a.test:8443/"),
            ("[::1]:80", "/", 443, "https://[::1]/"),
            ("[::1]", "/", 444, "https://[::1]:444/"),
        ] {
            let response = redirect(authority, &uri.parse().unwrap(), port);
            assert_eq!(response.status(), 308);
            assert_eq!(response.headers()[LOCATION], expected);
        }
        assert_eq!(redirect("", &"/".parse().unwrap(), 443).status(), 400);
        assert_eq!(redirect("a", &"*".parse().unwrap(), 443).status(), 400);
    }
}
