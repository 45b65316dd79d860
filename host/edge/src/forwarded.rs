//! What proxies say, request by request, of the client for which they ask:
//! `X-Forwarded-For` and its kin, or `Forwarded` (RFC 7239). Pure.
//!
//! An entry is believed if whoever has added it is: the last one is the
//! connection's own proxy's; if that names another trusted proxy, the one before
//! is what that has said, and so on.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use holdfast_core::manifest::{Proxies, ProxyFields};
use http::{HeaderMap, HeaderName};

const FORWARDED: &str = "forwarded";
const X_FORWARDED: &str = "x-forwarded-";
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_REAL_IP: &str = "x-real-ip";

/// What is believed of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Said {
    /// The client, with port 0 if that is not known.
    pub(crate) client: Option<SocketAddr>,
    /// Whether it came over TLS, if somebody says.
    pub(crate) is_encrypted: Option<bool>,
}

/// Whether a header field tells of the client, but for those in which a trusted
/// proxy does.
pub(crate) fn is_unbelieved(name: &str, believed: Option<ProxyFields>) -> bool {
    match name {
        FORWARDED => believed != Some(ProxyFields::Forwarded),
        X_REAL_IP => true,
        _ => name.starts_with(X_FORWARDED) && believed != Some(ProxyFields::XForwarded),
    }
}

/// What a trusted proxy says in a request.
pub(crate) fn said(headers: &HeaderMap, proxies: &Proxies) -> Said {
    match proxies.fields {
        ProxyFields::XForwarded => Said {
            client: client(entries(headers, &X_FORWARDED_FOR), proxies).0,
            is_encrypted: entries(headers, &X_FORWARDED_PROTO)
                .last()
                .and_then(|it| is_https(it)),
        },
        ProxyFields::Forwarded => {
            let name = HeaderName::from_static(FORWARDED);
            let entries = entries(headers, &name);
            let nodes = entries.iter().map(|it| parameter(it, "for").unwrap_or(""));
            let (client, place) = client(nodes.collect(), proxies);
            let protocol = place.and_then(|it| parameter(entries.get(it)?, "proto"));
            Said {
                client,
                is_encrypted: protocol.and_then(is_https),
            }
        }
        ProxyFields::None => Said::default(),
    }
}

/// The client among some nodes, the last of which was added last, and the place
/// of the last entry that is believed.
fn client(nodes: Vec<&str>, proxies: &Proxies) -> (Option<SocketAddr>, Option<usize>) {
    let (mut client, mut place) = (None, None);
    for (index, text) in nodes.iter().enumerate().rev() {
        place = Some(index);
        let Some(address) = node(text) else {
            break;
        };
        client = Some(address);
        if !proxies.trusts(Some(address.ip())) {
            break;
        }
    }
    (client, place)
}

/// The items of all fields of a name, without the blanks around them. What is
/// quoted is not split.
fn entries<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Vec<&'a str> {
    let mut entries = Vec::new();
    for value in headers.get_all(name) {
        // Something that is no text is an entry of which nothing is known.
        let value = value.to_str().unwrap_or("?");
        entries.extend(split(value, b','));
    }
    entries
}

/// Splits from the end, since only what is there is believed: a client that opens
/// a quotation and does not close it must not swallow what a proxy has added.
fn split(text: &str, separator: u8) -> Vec<&str> {
    let bytes = text.as_bytes();
    let mut pieces = Vec::new();
    let (mut end, mut is_quoted) = (bytes.len(), false);
    for (index, byte) in bytes.iter().enumerate().rev() {
        if *byte == b'"' {
            let before = bytes.get(..index).unwrap_or_default().iter().rev();
            let backslashes = before.take_while(|byte| **byte == b'\\').count();
            is_quoted ^= backslashes % 2 == 0;
        } else if *byte == separator && !is_quoted {
            pieces.push(text.get(index + 1..end).unwrap_or_default().trim());
            end = index;
        }
    }
    pieces.push(text.get(..end).unwrap_or_default().trim());
    pieces.reverse();
    pieces
}

/// A parameter of an element of `Forwarded` (RFC 7239, section 4), without quotes.
fn parameter<'a>(element: &'a str, name: &str) -> Option<&'a str> {
    let (_, value) = split(element, b';')
        .into_iter()
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, _)| key.trim().eq_ignore_ascii_case(name))?;
    let value = value.trim();
    let inner = value.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
    Some(inner.unwrap_or(value))
}

/// An address, with a port or without (RFC 7239, section 6). None for `unknown`
/// and for names.
fn node(text: &str) -> Option<SocketAddr> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(SocketAddr::new(address, 0));
    }
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Some(address);
    }
    let inner = text.strip_prefix('[')?.strip_suffix(']')?;
    let address: Ipv6Addr = inner.parse().ok()?;
    Some(SocketAddr::new(address.into(), 0))
}

fn is_https(protocol: &str) -> Option<bool> {
    let is = |name: &str| protocol.eq_ignore_ascii_case(name);
    match (is("https") || is("wss"), is("http") || is("ws")) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(fields: ProxyFields) -> Proxies {
        Proxies {
            trusted: vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()],
            fields,
            ..Proxies::default()
        }
    }

    fn headers(fields: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn the_client_is_the_last_who_is_not_trusted() {
        for (values, expected) in [
            (&["1.2.3.4"][..], Some("1.2.3.4:0")),
            (&["6.6.6.6, 1.2.3.4"], Some("1.2.3.4:0")),
            (&["6.6.6.6, 1.2.3.4 , 10.0.0.9"], Some("1.2.3.4:0")),
            (&["6.6.6.6", "1.2.3.4,fd00::1"], Some("1.2.3.4:0")),
            (&["1.2.3.4:77"], Some("1.2.3.4:77")),
            (&["[2001:db8::1]:77"], Some("[2001:db8::1]:77")),
            (&["2001:db8::1"], Some("[2001:db8::1]:0")),
            (&["10.0.0.8, 10.0.0.9"], Some("10.0.0.8:0")),
            (&["6.6.6.6, garbage, 10.0.0.9"], Some("10.0.0.9:0")),
            (&["6.6.6.6, unknown"], None),
            (&["6.6.6.6,"], None),
            (&[""], None),
            (&[], None),
        ] {
            let fields: Vec<_> = values.iter().map(|it| ("x-forwarded-for", *it)).collect();
            let said = said(&headers(&fields), &proxies(ProxyFields::XForwarded));
            let expected = expected.map(|it| it.parse().unwrap());
            assert_eq!(said.client, expected, "{values:?}");
        }
    }

    #[test]
    fn the_scheme_is_what_the_last_proxy_says() {
        for (value, expected) in [
            ("https", Some(true)),
            ("http, https", Some(true)),
            ("HTTP", Some(false)),
            ("wss", Some(true)),
            ("gopher", None),
        ] {
            let fields = headers(&[("x-forwarded-proto", value)]);
            let said = said(&fields, &proxies(ProxyFields::XForwarded));
            assert_eq!(said.is_encrypted, expected, "{value}");
        }
    }

    #[test]
    fn forwarded_is_read_as_its_rfc_says() {
        for (value, client, is_encrypted) in [
            ("for=1.2.3.4", Some("1.2.3.4:0"), None),
            (
                "For=\"[2001:db8::1]:4711\"",
                Some("[2001:db8::1]:4711"),
                None,
            ),
            (
                "for=6.6.6.6;proto=http, for=1.2.3.4;proto=https;by=10.0.0.1, for=10.0.0.9",
                Some("1.2.3.4:0"),
                Some(true),
            ),
            ("for=\"a, b\\\", c\";proto=http", None, Some(false)),
            ("for=_hidden;proto=https", None, Some(true)),
            ("for=1.2.3.4, by=10.0.0.1", None, None),
            ("proto=https", None, Some(true)),
            // A client must not get into what its proxy says.
            ("for=6.6.6.6;x=\", for=1.2.3.4", Some("1.2.3.4:0"), None),
            (
                "for=6.6.6.6;x=\", for=\"[2001:db8::1]\"",
                Some("[2001:db8::1]:0"),
                None,
            ),
        ] {
            let fields = headers(&[("forwarded", value), ("x-forwarded-for", "6.6.6.6")]);
            let said = said(&fields, &proxies(ProxyFields::Forwarded));
            let client = client.map(|it| it.parse().unwrap());
            assert_eq!(
                said,
                Said {
                    client,
                    is_encrypted
                },
                "{value}"
            );
        }
    }

    #[test]
    fn other_fields_are_not_believed() {
        use ProxyFields::{Forwarded, XForwarded};

        for (name, believed, expected) in [
            ("x-forwarded-for", None, true),
            ("x-forwarded-for", Some(XForwarded), false),
            ("x-forwarded-host", Some(Forwarded), true),
            ("forwarded", Some(XForwarded), true),
            ("forwarded", Some(Forwarded), false),
            ("x-real-ip", Some(XForwarded), true),
            ("x-other", None, false),
        ] {
            assert_eq!(is_unbelieved(name, believed), expected, "{name}");
        }
    }
}
