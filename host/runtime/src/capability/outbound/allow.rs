//! The list of hosts a plugin may send requests to.

use std::net::IpAddr;
use std::str::FromStr;

/// Hosts a plugin may send requests to; empty by default.
#[derive(Clone, Debug, Default)]
pub struct AllowList(Vec<Entry>);

/// One entry: `example.com`, `*.example.com`, `example.com:8443`, `10.0.0.7`,
/// `[::1]:8080`. Without a port, the scheme's own port is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Lower case, without brackets.
    host: String,
    /// Whether any name below `host` is meant instead of `host`.
    below: bool,
    port: Option<u16>,
}

/// The text names no host.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a host to which requests may be allowed")]
pub struct InvalidHost(pub String);

impl AllowList {
    /// Reads the entries.
    ///
    /// # Errors
    /// Names the first that is not a host.
    pub fn parse<T: AsRef<str>>(entries: &[T]) -> Result<Self, InvalidHost> {
        let entries = entries.iter().map(|entry| entry.as_ref().parse());
        entries.collect::<Result<_, _>>().map(Self)
    }

    /// Whether nothing is allowed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The entry that allows this host, which may have brackets, at this port.
    pub(crate) fn find(&self, host: &str, port: u16) -> Option<&Entry> {
        let host = host.trim_matches(['[', ']']).to_ascii_lowercase();
        self.0.iter().find(|entry| entry.matches(&host, port))
    }
}

impl Entry {
    fn matches(&self, host: &str, port: u16) -> bool {
        let is_host = if self.below {
            let label = host.strip_suffix(self.host.as_str());
            label.is_some_and(|label| label.len() > 1 && label.ends_with('.'))
        } else {
            host == self.host
        };
        let is_port = match self.port {
            Some(own) => own == port,
            None => port == 80 || port == 443,
        };
        is_host && is_port
    }

    /// Whether the entry itself names an address, or this machine, so that its
    /// address need not be one of the public internet.
    pub(crate) fn allows_local_addresses(&self) -> bool {
        self.host == "localhost" || self.host.parse::<IpAddr>().is_ok()
    }
}

impl FromStr for Entry {
    type Err = InvalidHost;

    fn from_str(text: &str) -> Result<Self, InvalidHost> {
        let invalid = || InvalidHost(text.to_owned());
        let (below, rest) = match text.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (host, port) = split(rest).ok_or_else(invalid)?;
        let is_address = host.parse::<IpAddr>().is_ok();
        let is_name = !host.is_empty()
            && host.split('.').all(|label| {
                !label.is_empty()
                    && label
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            });
        if !(is_name || (is_address && !below)) {
            return Err(invalid());
        }
        Ok(Self {
            host: host.to_ascii_lowercase(),
            below,
            port,
        })
    }
}

/// Host without brackets, and port. None if the port is no number, or the
/// brackets don't match.
fn split(text: &str) -> Option<(&str, Option<u16>)> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        return match rest.strip_prefix(':') {
            Some(port) => Some((host, Some(port.parse().ok()?))),
            None if rest.is_empty() => Some((host, None)),
            None => None,
        };
    }
    match text.split_once(':') {
        Some((_, rest)) if rest.contains(':') => Some((text, None)),
        Some((host, port)) => Some((host, Some(port.parse().ok()?))),
        None => Some((text, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_allow_what_they_say() {
        let list = [
            "example.com",
            "*.example.org",
            "api.test:8443",
            "127.0.0.1:9000",
            "[::1]:9000",
        ];
        let list = AllowList::parse(&list).unwrap();
        for (host, port, allowed) in [
            ("example.com", 443, true),
            ("EXAMPLE.com", 80, true),
            ("example.com", 8080, false),
            ("a.example.com", 443, false),
            ("example.org", 443, false),
            ("a.example.org", 443, true),
            ("a.b.example.org", 443, true),
            (".example.org", 443, false),
            ("evilexample.org", 443, false),
            ("api.test", 8443, true),
            ("api.test", 443, false),
            ("127.0.0.1", 9000, true),
            ("127.0.0.2", 9000, false),
            ("[::1]", 9000, true),
        ] {
            assert_eq!(list.find(host, port).is_some(), allowed, "{host}:{port}");
        }
        assert!(AllowList::default().find("example.com", 443).is_none());
    }

    #[test]
    fn other_text_is_no_host() {
        for text in [
            "",
            "*",
            "*.",
            "http://a",
            "a/b",
            "a b",
            "a:x",
            "*.1.2.3.4:x",
            "[::1",
            "a..b",
        ] {
            assert!(AllowList::parse(&[text]).is_err(), "{text}");
        }
    }
}
