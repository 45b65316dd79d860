//! Host names of routes and tenants, exact ones and wildcards.

use std::fmt;
use std::str::FromStr;

/// Bytes of the longest host name (RFC 1035, section 2.3.4).
pub const HOST_BYTES_MAX: usize = 253;

/// Which hosts are meant. Lower case, without a port.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HostPattern {
    /// This one: `example.com`.
    Exact(String),
    /// All below this one, by one label or more, and not itself:
    /// `*.example.com`.
    Below(String),
    /// Every one: `*`.
    #[default]
    Any,
}

impl HostPattern {
    /// Whether every host that fits `other` fits this one.
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _) => true,
            (Self::Exact(one), Self::Exact(other)) | (Self::Below(one), Self::Below(other))
                if one == other =>
            {
                true
            }
            (Self::Below(zone), Self::Exact(name) | Self::Below(name)) => name
                .strip_suffix(zone.as_str())
                .is_some_and(|rest| rest.ends_with('.')),
            _ => false,
        }
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(name) => formatter.write_str(name),
            Self::Below(zone) => write!(formatter, "*.{zone}"),
            Self::Any => formatter.write_str("*"),
        }
    }
}

/// The text is no host and no wildcard.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no host name")]
pub struct NotAHost(String);

impl NotAHost {
    /// How to write one.
    pub const HINT: &str = "write it as example.com, *.example.com or * for any, without a port";
}

impl FromStr for HostPattern {
    type Err = NotAHost;

    fn from_str(text: &str) -> Result<Self, NotAHost> {
        let lower = text.to_ascii_lowercase();
        match lower.strip_prefix("*.") {
            _ if lower == "*" => Ok(Self::Any),
            Some(zone) if is_name(zone) => Ok(Self::Below(zone.to_owned())),
            None if is_name(&lower) || is_address(&lower) => Ok(Self::Exact(lower)),
            _ => Err(NotAHost(text.to_owned())),
        }
    }
}

/// Labels of letters, digits, hyphens and underscores, between dots.
fn is_name(name: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let is_label = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(is_letter);
    name.len() <= HOST_BYTES_MAX && name.split('.').all(is_label)
}

/// An IPv6 address as it is written in a URL, in brackets.
fn is_address(text: &str) -> bool {
    let inner = text.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    inner.is_some_and(|it| it.parse::<std::net::Ipv6Addr>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> HostPattern {
        text.parse().unwrap()
    }

    #[test]
    fn what_a_pattern_covers() {
        for (one, other, covers) in [
            ("*", "a.example", true),
            ("*", "*", true),
            ("*", "*.example", true),
            ("a.example", "A.Example", true),
            ("a.example", "b.a.example", false),
            ("a.example", "*", false),
            ("*.example", "a.example", true),
            ("*.example", "b.a.example", true),
            ("*.example", "*.example", true),
            ("*.example", "*.a.example", true),
            ("*.example", "example", false),
            ("*.example", "badexample", false),
            ("*.a.example", "*.example", false),
            ("*.example", "*", false),
        ] {
            assert_eq!(
                pattern(one).covers(&pattern(other)),
                covers,
                "{one} {other}"
            );
        }
    }

    #[test]
    fn other_text_is_refused() {
        for text in [
            "",
            ".",
            "a..b",
            "a.",
            "*a.example",
            "a.*.example",
            "**",
            "*.",
            "a b",
            "a/b",
            "a:80",
            "[::1",
            "[a]",
            "ü.example",
        ] {
            assert!(text.parse::<HostPattern>().is_err(), "{text}");
        }
        assert_eq!(pattern("[::1]").to_string(), "[::1]");
        assert_eq!(pattern("*.A.b").to_string(), "*.a.b");
    }
}
