//! What a request is for: its target and its `Host` field (RFC 9112, section 3).

use std::str::FromStr;

use http::header::{EXPECT, HOST};
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderValue, Method, Version};

/// What is wrong with a request for which there is no other word than 400.
pub(crate) type Sentence = &'static str;

/// The host name of a request, and perhaps a port.
pub(crate) fn authority(parts: &Parts) -> Result<&str, Sentence> {
    let mut hosts = parts.headers.get_all(HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => Some(host.to_str().map_err(|_| "The Host field is malformed.")?),
        (Some(_), Some(_)) => return Err("There is more than one Host field."),
        (None, _) => None,
    };
    if host.is_some_and(|host| !host.is_empty() && !is_host(host)) {
        return Err("The Host field is malformed.");
    }
    let target = parts.uri.authority().map(Authority::as_str);
    match (target, host) {
        (Some(target), _) if !is_host(target) => Err("The request's target is malformed."),
        (Some(target), _) => Ok(target),
        (None, Some(host)) => Ok(host),
        (None, None) if parts.version == Version::HTTP_11 => Err("There is no Host field."),
        (None, None) => Ok(""),
    }
}

/// Lets the `Host` field say the same as the target, if that names a host: then
/// it alone counts (section 3.2.2), for the guest as well.
pub(crate) fn settle(parts: &mut Parts) {
    if let Some(target) = parts.uri.authority()
        && let Some(host) = parts.headers.get_mut(HOST)
        && host.as_bytes() != target.as_str().as_bytes()
        && let Ok(value) = HeaderValue::try_from(target.as_str())
    {
        *host = value;
    }
}

/// Whether the target has a form that its method may have (section 3.2).
pub(crate) fn check(parts: &Parts) -> Result<(), Sentence> {
    let path = parts.uri.path();
    let is_good = match path {
        "*" => parts.method == Method::OPTIONS,
        path => path.starts_with('/'),
    };
    match is_good {
        true => Ok(()),
        false => Err("The request's target is malformed."),
    }
}

/// Bytes of path and query.
pub(crate) fn len(parts: &Parts) -> usize {
    let path = parts.uri.path_and_query();
    path.map_or(0, |path| path.as_str().len())
}

/// Whether the request expects nothing, or what we know (RFC 9110, section
/// 10.1.1).
pub(crate) fn is_expected(parts: &Parts) -> bool {
    let mut expected = parts.headers.get_all(EXPECT).iter();
    expected.all(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"))
}

/// Whether it is a host name or an address, and perhaps a port; no user.
fn is_host(text: &str) -> bool {
    is_simple_host(text) || is_any_host(text)
}

/// Most are a name or an address of IPv4, which is seen without taking it apart.
fn is_simple_host(text: &str) -> bool {
    let (name, port) = match text.split_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (text, None),
    };
    let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    let is_name = !name.is_empty() && name.bytes().all(is_of_name);
    is_name && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|_| !port.starts_with('+')))
}

fn is_any_host(text: &str) -> bool {
    let is_authority = Authority::from_str(text).is_ok_and(|authority| {
        let port = text.get(authority.host().len()..).unwrap_or_default();
        let is_port = match port.strip_prefix(':') {
            Some(digits) => digits.parse::<u16>().is_ok(),
            None => port.is_empty(),
        };
        is_port && !authority.host().is_empty()
    });
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%:[]".contains(&byte);
    is_authority && text.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn found(uri: &str, hosts: &[&str]) -> Option<String> {
        let mut request = Request::builder().uri(uri);
        for host in hosts {
            request = request.header(HOST, *host);
        }
        let parts = request.body(()).unwrap().into_parts().0;
        authority(&parts).ok().map(str::to_owned)
    }

    #[test]
    fn a_simple_host_is_a_host() {
        let pieces = [
            "a", "b-c", "1", ".", ":", "8080", "65535", "65536", "-", "%", "[", "]", "@",
        ];
        let mut simple = 0;
        for one in pieces {
            for two in pieces {
                for three in pieces {
                    let text = format!("{one}{two}{three}");
                    if is_simple_host(&text) {
                        simple += 1;
                        assert!(is_any_host(&text), "{text:?}");
                    }
                }
            }
        }
        assert!(simple > 400, "{simple}");
        for text in ["", ":80", "a:", "a:65536", "a:b", "a:1:2", "a:99999999999"] {
            assert!(!is_simple_host(text), "{text:?}");
        }
    }

    #[test]
    fn a_request_is_for_one_host() {
        for (uri, hosts, expected) in [
            ("/", &["a.example"][..], Some("a.example")),
            ("/", &["a.example:80"], Some("a.example:80")),
            ("/", &["[::1]:80"], Some("[::1]:80")),
            ("/", &[""], Some("")),
            ("/", &[], None),
            ("/", &["a", "a"], None),
            ("/", &["a, b"], None),
            ("/", &["a b"], None),
            ("/", &["user@a"], None),
            ("/", &["a:x"], None),
            ("/", &["a:"], None),
            ("/", &["a/b"], None),
            ("/", &["a?b"], None),
            ("http://A.example/", &["a.example"], Some("A.example")),
            ("http://a.example/", &["b.example"], Some("a.example")),
            ("http://user@a.example/", &["a.example"], None),
            ("http://a.example/", &[], Some("a.example")),
        ] {
            assert_eq!(found(uri, hosts).as_deref(), expected, "{uri} {hosts:?}");
        }
    }
}
