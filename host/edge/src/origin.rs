//! Where the requests of a connection come from, and what the host tells guests
//! of that.

use std::net::SocketAddr;

use holdfast_core::event::{Body, Encrypted};
use http::header::LOCATION;
use http::request::Parts;
use http::uri::{PathAndQuery, Scheme};
use http::{HeaderName, HeaderValue, Response, StatusCode, Uri};

use crate::report;

/// Header fields whose names begin so are the host's: from a client they are
/// removed.
const OWN_PREFIX: &str = "holdfast-";
/// The subject of the client's certificate (RFC 4514).
const SUBJECT: HeaderName = HeaderName::from_static("holdfast-client-subject");
const HTTPS_PORT: u16 = 443;

/// What is known of a connection's client.
pub(crate) struct Origin {
    pub(crate) remote: SocketAddr,
    /// Whether it came over TLS.
    pub(crate) is_encrypted: bool,
    /// Who it is, by its certificate.
    pub(crate) subject: Option<HeaderValue>,
    /// The port to which its requests are sent instead of being answered.
    pub(crate) redirect_port: Option<u16>,
}

impl Origin {
    /// Tells the guest of a request what the host knows, and takes out of it what
    /// only the host may say.
    pub(crate) fn mark(&self, parts: &mut Parts) {
        let is_own = |name: &&HeaderName| name.as_str().starts_with(OWN_PREFIX);
        while let Some(name) = parts.headers.keys().find(is_own).cloned() {
            parts.headers.remove(name);
        }
        if let Some(subject) = &self.subject {
            parts.headers.insert(SUBJECT, subject.clone());
        }
        if self.is_encrypted {
            parts.extensions.insert(Encrypted);
        }
        let scheme = match self.is_encrypted {
            true => Scheme::HTTPS,
            false => Scheme::HTTP,
        };
        // A client can't choose it.
        if parts.uri.scheme().is_some_and(|named| *named != scheme) {
            let mut uri = std::mem::take(&mut parts.uri).into_parts();
            uri.scheme = Some(scheme);
            uri.path_and_query
                .get_or_insert_with(|| PathAndQuery::from_static("/"));
            parts.uri = Uri::from_parts(uri).unwrap_or_default();
        }
    }

    /// The scheme of its requests.
    pub(crate) fn scheme(&self) -> &'static str {
        match self.is_encrypted {
            true => "https",
            false => "http",
        }
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
            remote: ([127, 0, 0, 1], 1).into(),
            is_encrypted,
            subject: subject.map(|it| it.parse().unwrap()),
            redirect_port: None,
        }
    }

    fn parts(uri: &str) -> Parts {
        let request = Request::get(uri)
            .header("holdfast-client-subject", "CN=forged")
            .header("Holdfast-Client-Subject", "CN=twice")
            .header("holdfast-else", "forged")
            .header("x-holdfast", "kept");
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn only_the_host_says_who_a_client_is() {
        let mut marked = parts("/");
        origin(false, None).mark(&mut marked);
        assert_eq!(marked.headers.len(), 1);
        let mut marked = parts("/");
        origin(true, Some("CN=Ada")).mark(&mut marked);
        let subjects = marked.headers.get_all(SUBJECT).iter();
        assert_eq!(subjects.collect::<Vec<_>>(), ["CN=Ada"]);
        assert_eq!(marked.headers.len(), 2);
        assert!(marked.extensions.get::<Encrypted>().is_some());
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
