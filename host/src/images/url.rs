//! Where a request goes: a URL, taken apart.

use std::net::IpAddr;

use hyper::Uri;

/// An absolute URL of HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Url {
    pub(super) tls: bool,
    /// Host and port as they are written.
    pub(super) authority: String,
    /// Path and query.
    pub(super) path: String,
}

impl Url {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let uri: Uri = text.parse().ok()?;
        let tls = match uri.scheme_str()? {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let authority = uri.authority()?.as_str().to_ascii_lowercase();
        let path = uri.path_and_query().map_or("/", |it| it.as_str());
        // Credentials are no part of it: they would be sent to whoever is named.
        (!authority.contains('@')).then(|| Self {
            tls,
            authority,
            path: path.to_owned(),
        })
    }

    /// What a `Location` field means here.
    pub(super) fn join(&self, location: &str) -> Option<Self> {
        if location.starts_with('/') && !location.starts_with("//") {
            return Some(Self {
                path: location.to_owned(),
                ..self.clone()
            });
        }
        Self::parse(location)
    }

    /// Name or address, without brackets.
    pub(super) fn host(&self) -> &str {
        let (host, _) = self.split();
        host.trim_matches(['[', ']'])
    }

    pub(super) fn port(&self) -> u16 {
        let (_, port) = self.split();
        let port = port.and_then(|port| port.parse().ok());
        port.unwrap_or(if self.tls { 443 } else { 80 })
    }

    fn split(&self) -> (&str, Option<&str>) {
        match self.authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (&self.authority, None),
        }
    }
}

/// Whether a registry is on this machine by its name.
pub(super) fn is_loopback(authority: &str) -> bool {
    let url = Url {
        tls: false,
        authority: authority.to_owned(),
        path: String::new(),
    };
    let host = url.host();
    let address = host.parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|it| it.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        let url = Url::parse("https://R.example/a/b?c=d").unwrap();
        assert_eq!((url.host(), url.port(), url.tls), ("r.example", 443, true));
        assert_eq!(url.path, "/a/b?c=d");
        let url = Url::parse("http://[::1]:5000").unwrap();
        assert_eq!((url.host(), url.port(), &*url.path), ("::1", 5000, "/"));
        for bad in ["ftp://a/", "/a", "https://u:p@a/", "a"] {
            assert_eq!(Url::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn locations_may_be_relative() {
        let url = Url::parse("https://a.example:8443/x").unwrap();
        let joined = url.join("/y?z").unwrap();
        assert_eq!(
            (&*joined.authority, &*joined.path),
            ("a.example:8443", "/y?z")
        );
        let joined = url.join("http://b.example/y").unwrap();
        assert_eq!((&*joined.authority, joined.tls), ("b.example", false));
        assert_eq!(url.join("y"), None);
    }

    #[test]
    fn this_machine_is_known_by_its_names() {
        for name in ["localhost:5000", "127.0.0.1", "127.9.9.9:1", "[::1]:5000"] {
            assert!(is_loopback(name), "{name}");
        }
        for name in ["localhost.example", "10.0.0.1:5000", "[::2]:1"] {
            assert!(!is_loopback(name), "{name}");
        }
    }
}
