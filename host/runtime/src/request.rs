//! A request as `wasi:http` shows it to a guest: with scheme and authority,
//! which HTTP/1.1 leaves to the connection and to the Host field.

use holdfast_core::event::Encrypted;
use http::header::HOST;
use http::uri::{Authority, Scheme};
use http::{Extensions, HeaderMap, Request, Uri};

/// The authority of a request that names none, which only HTTP/1.0 allows: a guest
/// of `wasi:http` 0.2 always has one.
const AUTHORITY_DEFAULT: &str = "localhost";

/// Completes the target of a request (RFC 9110, section 7.1). A Host field that
/// is no authority leaves it without one.
pub(crate) fn complete<B>(mut request: Request<B>) -> Request<B> {
    if request.uri().authority().is_some() {
        return request;
    }
    if let Some(authority) = authority(request.uri(), request.headers()) {
        let scheme = scheme(request.extensions());
        let mut parts = std::mem::take(request.uri_mut()).into_parts();
        parts.scheme.get_or_insert(scheme);
        parts.authority = Some(authority);
        // Path, scheme and authority are all there, so that this is a URI.
        *request.uri_mut() = Uri::from_parts(parts).unwrap_or_default();
    }
    request
}

/// The scheme of a request that names none.
pub(crate) fn scheme(extensions: &Extensions) -> Scheme {
    match extensions.get::<Encrypted>() {
        Some(Encrypted) => Scheme::HTTPS,
        None => Scheme::HTTP,
    }
}

/// The authority to which a request was sent. None if its Host field is none.
pub(crate) fn authority(uri: &Uri, headers: &HeaderMap) -> Option<Authority> {
    if let Some(authority) = uri.authority() {
        return Some(authority.clone());
    }
    host_authority(headers)
}

/// The same of a request whose target has none.
pub(crate) fn host_authority(headers: &HeaderMap) -> Option<Authority> {
    match headers.get(HOST) {
        Some(host) => Authority::try_from(host.as_bytes()).ok(),
        None => Some(Authority::from_static(AUTHORITY_DEFAULT)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete_uri(uri: &str, host: Option<&str>) -> String {
        let mut request = Request::get(uri);
        if let Some(host) = host {
            request = request.header(HOST, host);
        }
        complete(request.body(()).unwrap()).uri().to_string()
    }

    #[test]
    fn the_host_field_is_the_authority() {
        assert_eq!(complete_uri("/a?b", Some("x:1")), "http://x:1/a?b");
        assert_eq!(complete_uri("https://y/a", Some("x")), "https://y/a");
        assert_eq!(complete_uri("/a", Some("x y")), "/a");
        assert_eq!(complete_uri("/a", None), "http://localhost/a");
        let encrypted = Request::get("/a").extension(Encrypted).body(()).unwrap();
        assert_eq!(complete(encrypted).uri(), "https://localhost/a");
    }
}
