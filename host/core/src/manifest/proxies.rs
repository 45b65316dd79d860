//! Reverse proxies in front of the host, and what they are believed.

use std::net::IpAddr;

use serde::Deserialize;

use super::resolve::Wrong;
use crate::limits::ranged;
use crate::network::{Network, NotANetwork};

/// How a Unix socket is named among networks.
const UNIX: &str = "unix";

/// `[proxies]` as written.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawProxies {
    /// Networks of proxies which are believed, and `unix` for whoever comes by a
    /// Unix socket; none if left out.
    #[serde(default)]
    pub trusted: Vec<String>,
    /// By which header fields they tell of clients.
    #[serde(default)]
    pub fields: ProxyFields,
    /// Time they have for the PROXY protocol.
    pub header_timeout_ms: Option<u64>,
    /// Whether guests get the client's address in a header field of each request.
    #[serde(default)]
    pub client_address_field: bool,
}

/// By which header fields proxies tell of clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProxyFields {
    /// `X-Forwarded-For` and `X-Forwarded-Proto`.
    #[default]
    XForwarded,
    /// `Forwarded` (RFC 7239).
    Forwarded,
    /// By none.
    None,
}

/// Reverse proxies in front of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxies {
    /// Networks of those which are believed.
    pub trusted: Vec<Network>,
    /// Whether those that come by a Unix socket are.
    pub trusts_unix: bool,
    /// By which header fields they tell of clients.
    pub fields: ProxyFields,
    /// Time they have for the PROXY protocol. Reached: the connection is closed.
    pub header_timeout_ms: u64,
    /// Whether guests get the client's address in a header field of each request.
    pub client_address_field: bool,
}

impl Default for Proxies {
    /// None is believed.
    fn default() -> Self {
        Self {
            trusted: Vec::new(),
            trusts_unix: false,
            fields: ProxyFields::default(),
            header_timeout_ms: HEADER_TIMEOUT_MS_DEFAULT,
            client_address_field: false,
        }
    }
}

const HEADER_TIMEOUT_MS_DEFAULT: u64 = 5_000;

impl RawProxies {
    /// Checks them.
    pub(super) fn resolve(&self) -> Result<Proxies, Wrong> {
        let networks = self.trusted.iter().filter(|it| *it != UNIX);
        let networks = networks.map(|it| it.parse::<Network>());
        let trusted = networks.collect::<Result<_, _>>().map_err(|error| {
            let hint = format!("{}, or \"unix\"", NotANetwork::HINT);
            (format!("`proxies.trusted`: {error}"), hint)
        })?;
        let header_timeout_ms = ranged(
            "header_timeout_ms",
            self.header_timeout_ms,
            HEADER_TIMEOUT_MS_DEFAULT,
            1..=600_000,
        );
        Ok(Proxies {
            trusted,
            trusts_unix: self.trusted.iter().any(|it| it == UNIX),
            fields: self.fields,
            header_timeout_ms: header_timeout_ms
                .map_err(|error| (error.to_string(), "change it in `[proxies]`".to_owned()))?,
            client_address_field: self.client_address_field,
        })
    }
}

impl Proxies {
    /// Whether whoever has this address is believed; none for a Unix socket.
    pub fn trusts(&self, address: Option<IpAddr>) -> bool {
        match address {
            Some(address) => self.trusted.iter().any(|it| it.contains(address)),
            None => self.trusts_unix,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(trusted: &[&str]) -> Result<Proxies, Wrong> {
        let raw = RawProxies {
            trusted: trusted.iter().map(|&it| it.to_owned()).collect(),
            ..RawProxies::default()
        };
        raw.resolve()
    }

    #[test]
    fn only_those_named_are_believed() {
        let address = |text: &str| Some(text.parse().unwrap());
        let some = proxies(&["10.0.0.0/8", "unix"]).unwrap();
        assert!(some.trusts(address("10.1.2.3")) && some.trusts(None));
        assert!(!some.trusts(address("11.1.2.3")));
        let none = proxies(&[]).unwrap();
        assert!(!none.trusts(address("127.0.0.1")) && !none.trusts(None));
        assert_eq!(none, Proxies::default());
        let (message, _) = proxies(&["localhost"]).unwrap_err();
        assert!(message.contains("\"localhost\" is no network"), "{message}");
    }
}
