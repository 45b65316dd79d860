//! From which pages a browser may open a WebSocket (RFC 6455, section 10.2).
//!
//! A browser sends the cookies of a site with a handshake, whatever page has
//! asked for it, and says in `Origin` (RFC 6454, section 7) which page that was.
//! Programs that are no browser may send anything, or nothing.

use std::str::FromStr;
use std::sync::Arc;

use crate::manifest::HostPattern;

/// Which origins are allowed. By default those of the same host and port as the
/// handshake's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origins(Arc<[Pattern]>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    /// `*`
    Any,
    /// `same`
    Same,
    /// `null`, which a browser says of files, sandboxed frames and the like.
    Null,
    /// `https://*.example.com:8443`
    Listed(Origin<HostPattern>),
}

/// An origin in its parts. Lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Origin<H> {
    scheme: String,
    host: H,
    /// That of the scheme if it says none.
    port: Option<u16>,
}

/// The text is no origin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`origins` has \"{0}\", which is no origin")]
pub struct NotAnOrigin(String);

impl NotAnOrigin {
    /// How to write one.
    pub const HINT: &str =
        "write it as https://example.com, https://*.example.com:8443, same, null or * for any";
}

impl Default for Origins {
    fn default() -> Self {
        Self([Pattern::Same].into())
    }
}

impl Origins {
    /// Reads a list of them.
    ///
    /// # Errors
    /// Fails on the first that is no origin.
    pub fn new(list: &[String]) -> Result<Self, NotAnOrigin> {
        list.iter()
            .map(|text| pattern(text).ok_or_else(|| NotAnOrigin(text.clone())))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether a browser may open a WebSocket at `authority`, a host name with
    /// or without a port, from a page of the origin in the `Origin` field.
    pub fn allow(&self, origin: &str, authority: &str) -> bool {
        let page = parts(origin);
        self.0.iter().any(|pattern| match (pattern, &page) {
            (Pattern::Any, _) => true,
            (Pattern::Null, _) => origin == "null",
            (Pattern::Same, Some(page)) => page.is_of(authority),
            (Pattern::Listed(listed), Some(page)) => {
                listed.scheme == page.scheme
                    && listed.port == page.port
                    && HostPattern::from_str(&page.host).is_ok_and(|host| listed.host.covers(&host))
            }
            (Pattern::Same | Pattern::Listed(_), None) => false,
        })
    }
}

impl Origin<String> {
    /// Whether that is the host, and the port, at which the page was. Of an
    /// authority without a port we don't know the scheme: a proxy may have ended
    /// its TLS.
    fn is_of(&self, authority: &str) -> bool {
        let (host, port) = host_and_port(authority);
        let port = port.map_or(Ok(None), |port| port.parse().map(Some));
        let is_web = matches!(&*self.scheme, "http" | "https");
        is_web
            && self.host.eq_ignore_ascii_case(host)
            && match port {
                Ok(Some(port)) => self.port == Some(port),
                Ok(None) => self.port == default_port(&self.scheme),
                Err(_) => false,
            }
    }
}

fn pattern(text: &str) -> Option<Pattern> {
    match text {
        "*" => return Some(Pattern::Any),
        "same" => return Some(Pattern::Same),
        "null" => return Some(Pattern::Null),
        _ => {}
    }
    let origin = parts(text)?;
    let host = match origin.host.parse() {
        // A star alone would be any host: that is `*`.
        Ok(HostPattern::Any) | Err(_) => return None,
        Ok(host) => host,
    };
    Some(Pattern::Listed(Origin {
        scheme: origin.scheme,
        host,
        port: origin.port,
    }))
}

/// Takes `scheme://host:port` apart.
fn parts(text: &str) -> Option<Origin<String>> {
    let (scheme, rest) = text.split_once("://")?;
    let is_scheme = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    if scheme.is_empty() || !scheme.bytes().all(is_scheme) {
        return None;
    }
    let scheme = scheme.to_ascii_lowercase();
    let (host, port) = host_and_port(rest);
    let port = match port {
        Some(port) => Some(port.parse().ok()?),
        None => default_port(&scheme),
    };
    Some(Origin {
        scheme,
        host: host.to_ascii_lowercase(),
        port,
    })
}

/// The port begins behind the last colon, unless that is within brackets.
fn host_and_port(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origins(list: &[&str]) -> Origins {
        let list: Vec<String> = list.iter().map(|&text| text.to_owned()).collect();
        Origins::new(&list).unwrap()
    }

    #[test]
    fn by_default_a_page_of_the_same_host_may() {
        for (origin, authority, is_allowed) in [
            ("http://a.example", "a.example", true),
            ("https://a.example", "A.example", true),
            ("https://a.example", "a.example:443", true),
            ("http://a.example:8080", "a.example:8080", true),
            ("http://[::1]:8080", "[::1]:8080", true),
            ("http://[::1]", "[::1]", true),
            ("https://a.example", "a.example:80", false),
            ("http://a.example:8080", "a.example", false),
            ("http://b.example", "a.example", false),
            ("http://a.example.b.example", "a.example", false),
            ("http://xa.example", "a.example", false),
            ("ftp://a.example", "a.example", false),
            ("null", "null", false),
            ("", "", false),
            ("a.example", "a.example", false),
        ] {
            let found = Origins::default().allow(origin, authority);
            assert_eq!(found, is_allowed, "{origin} {authority}");
        }
    }

    #[test]
    fn a_list_says_who_else_may() {
        let listed = origins(&["https://a.example", "https://*.b.example:8443", "null"]);
        for (origin, is_allowed) in [
            ("https://a.example", true),
            ("https://A.Example:443", true),
            ("http://a.example", false),
            ("https://a.example:8443", false),
            ("https://x.y.b.example:8443", true),
            ("https://b.example:8443", false),
            ("https://evilb.example:8443", false),
            ("null", true),
            ("https://host.example", false),
        ] {
            assert_eq!(listed.allow(origin, "host.example"), is_allowed, "{origin}");
        }
        assert!(origins(&["*"]).allow("anything", "a.example"));
        assert!(!origins(&[]).allow("http://a.example", "a.example"));
        assert!(origins(&["app://main"]).allow("app://main", "a.example"));
    }

    #[test]
    fn other_text_is_no_origin() {
        for text in [
            "",
            "a.example",
            "https://",
            "https://*",
            "https://a.example/",
            "https://a.example:x",
            "://a.example",
            "https://a*.example",
        ] {
            assert!(pattern(text).is_none(), "{text}");
        }
    }
}
