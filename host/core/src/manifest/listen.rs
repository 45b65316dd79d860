//! Where the host listens, and what is spoken there.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::de::{Error, MapAccess, SeqAccess, Visitor, value};
use serde::{Deserialize, Deserializer};

use super::host::DEFAULT_LISTEN;
use super::resolve::Wrong;

/// `listen` as written: an address, or one `[[listen]]` for each.
#[derive(Clone, Debug)]
pub enum RawListen {
    /// An address where plain HTTP is spoken.
    Address(String),
    /// Any number of addresses.
    Listeners(Vec<RawListener>),
}

/// One `[[listen]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawListener {
    /// Address and port; `unix:` and a path; or `systemd:` and the name of a
    /// socket that the host inherits.
    pub address: String,
    /// Whether TLS is spoken.
    #[serde(default)]
    pub tls: bool,
    /// Whether every request is answered with a redirect.
    pub redirect: Option<RawRedirect>,
    /// The port to which it leads; that of the first listener with TLS if left
    /// out.
    pub redirect_port: Option<u16>,
    /// Whether HTTP/2 is spoken without TLS, too; true if left out.
    pub h2c: Option<bool>,
    /// Whether every connection begins with the PROXY protocol.
    #[serde(default)]
    pub proxy_protocol: bool,
    /// Permissions of a Unix socket, in octal digits; those which the process
    /// gives its files if left out.
    pub mode: Option<String>,
}

/// Where a redirect leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RawRedirect {
    /// To the same host and path, over TLS.
    Https,
}

/// A place to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// Where.
    pub place: Place,
    /// What is spoken.
    pub protocol: Protocol,
    /// Whether every connection begins with the PROXY protocol.
    pub proxy_protocol: bool,
}

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// At an address.
    Tcp(SocketAddr),
    /// At a Unix socket.
    Unix {
        /// Its file.
        path: PathBuf,
        /// Its permissions, if they are to be others than those of new files.
        mode: Option<u32>,
    },
    /// At a socket which whoever has started the host has opened: that of this
    /// name, or number.
    Inherited(String),
}

/// What is spoken at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP without TLS.
    Plain {
        /// HTTP/2 with prior knowledge (RFC 9113, section 3.3), too.
        h2c: bool,
    },
    /// HTTP over TLS.
    Tls,
    /// HTTP without TLS, where every request is sent to `https`.
    Redirect {
        /// The port there; none for that of the first listener with TLS.
        port: Option<u16>,
    },
}

impl Listen {
    /// Plain HTTP.
    pub fn plain(address: SocketAddr) -> Self {
        Self {
            place: Place::Tcp(address),
            protocol: Protocol::Plain { h2c: true },
            proxy_protocol: false,
        }
    }
}

/// Checks where to listen.
pub(super) fn resolve(raw: Option<&RawListen>, folder: &Path) -> Result<Vec<Listen>, Wrong> {
    let listeners = match raw {
        None => return Ok(vec![Listen::plain(address("listen", DEFAULT_LISTEN)?)]),
        Some(RawListen::Address(text)) => return Ok(vec![Listen::plain(address("listen", text)?)]),
        Some(RawListen::Listeners(listeners)) => listeners,
    };
    if listeners.is_empty() {
        let hint = "name an address, or leave `listen` out";
        return Err(("`listen` is empty".into(), hint.into()));
    }
    let resolved = listeners.iter().map(|it| listener(it, folder));
    let resolved: Vec<_> = resolved.collect::<Result<_, _>>()?;
    let is_tls = |it: &Listen| it.protocol == Protocol::Tls;
    let is_lost = |it: &Listen| it.protocol == Protocol::Redirect { port: None };
    if resolved.iter().any(is_lost) && !resolved.iter().any(is_tls) {
        return Err((
            "a listener redirects to `https`, but none has `tls = true`".into(),
            "add one, or say where TLS is with `redirect_port`".into(),
        ));
    }
    Ok(resolved)
}

fn listener(raw: &RawListener, folder: &Path) -> Result<Listen, Wrong> {
    let at = &raw.address;
    let clash = |one: &str, other: &str| {
        Err((
            format!("the listener at \"{at}\" has both `{one}` and `{other}`"),
            "choose one of them".into(),
        ))
    };
    let protocol = match (raw.tls, raw.redirect) {
        (true, Some(_)) => return clash("tls", "redirect"),
        (true, None) if raw.h2c.is_some() => return clash("tls", "h2c"),
        (true, None) => Protocol::Tls,
        (false, Some(RawRedirect::Https)) if raw.h2c.is_some() => return clash("redirect", "h2c"),
        (false, Some(RawRedirect::Https)) => Protocol::Redirect {
            port: raw.redirect_port,
        },
        (false, None) => Protocol::Plain {
            h2c: raw.h2c.unwrap_or(true),
        },
    };
    if raw.redirect.is_none() && raw.redirect_port.is_some() {
        return Err((
            format!("the listener at \"{at}\" has a `redirect_port`, but no `redirect`"),
            "add redirect = \"https\", or leave it out".into(),
        ));
    }
    let place = place(raw, folder)?;
    if matches!(place, Place::Unix { .. }) && protocol == Protocol::Tls {
        return Err((
            format!("the listener at \"{at}\" has `tls`, but a Unix socket has none"),
            "leave `tls` out: nobody else can listen to what is said there".into(),
        ));
    }
    Ok(Listen {
        place,
        protocol,
        proxy_protocol: raw.proxy_protocol,
    })
}

fn place(raw: &RawListener, folder: &Path) -> Result<Place, Wrong> {
    let at = &raw.address;
    let path = at.strip_prefix("unix:").filter(|path| !path.is_empty());
    if raw.mode.is_some() && path.is_none() {
        return Err((
            format!("the listener at \"{at}\" has a `mode`, but is no Unix socket"),
            "leave it out".into(),
        ));
    }
    if let Some(path) = path {
        let mode = raw.mode.as_ref().map(|mode| {
            let parsed = u32::from_str_radix(mode, 8).ok();
            parsed.filter(|mode| *mode <= 0o777).ok_or_else(|| {
                (
                    format!("`mode` is \"{mode}\", which are no permissions"),
                    "write them as \"660\"".to_owned(),
                )
            })
        });
        return Ok(Place::Unix {
            path: folder.join(path),
            mode: mode.transpose()?,
        });
    }
    match at.strip_prefix("systemd:") {
        Some(name) if !name.is_empty() => Ok(Place::Inherited(name.to_owned())),
        _ => Ok(Place::Tcp(address("listen.address", at)?)),
    }
}

/// An address and a port.
pub(super) fn address(key: &str, text: &str) -> Result<SocketAddr, Wrong> {
    text.parse().map_err(|_| {
        (
            format!("`{key}` is \"{text}\", which is no address and port"),
            "write it as \"127.0.0.1:8080\" or \"[::]:8080\"".to_owned(),
        )
    })
}

/// By hand, since what serde makes for such an enum does not say what is wrong.
impl<'de> Deserialize<'de> for RawListen {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = RawListen;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an address, or [[listen]] with `address`")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<RawListen, E> {
                Ok(RawListen::Address(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<RawListen, A::Error> {
                let listeners = Vec::deserialize(value::SeqAccessDeserializer::new(seq))?;
                Ok(RawListen::Listeners(listeners))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RawListen, A::Error> {
                let listener = RawListener::deserialize(value::MapAccessDeserializer::new(map))?;
                Ok(RawListen::Listeners(vec![listener]))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    fn listen(text: &str) -> Result<Vec<Listen>, String> {
        let raw = parse("m.toml", text).map_err(|error| error.to_string())?;
        resolve(raw.listen.as_ref(), Path::new("/app")).map_err(|(message, _)| message)
    }

    #[test]
    fn an_address_alone_is_plain_http() {
        let expected = [Listen::plain("127.0.0.1:1".parse().unwrap())];
        assert_eq!(listen("listen = '127.0.0.1:1'").unwrap(), expected);
        assert_eq!(
            listen("[[listen]]\naddress = '127.0.0.1:1'"),
            Ok(expected.into())
        );
        let default = [Listen::plain(DEFAULT_LISTEN.parse().unwrap())];
        assert_eq!(listen("").unwrap(), default);
    }

    #[test]
    fn each_listener_has_its_protocol() {
        let text = "[[listen]]\naddress = '[::]:443'\ntls = true\n\
            [[listen]]\naddress = '[::]:80'\nredirect = 'https'\n\
            [[listen]]\naddress = '[::1]:81'\nredirect = 'https'\nredirect_port = 444\n\
            [[listen]]\naddress = '[::1]:82'\nh2c = false\n";
        let protocols = listen(text).unwrap().into_iter().map(|it| it.protocol);
        let expected = [
            Protocol::Tls,
            Protocol::Redirect { port: None },
            Protocol::Redirect { port: Some(444) },
            Protocol::Plain { h2c: false },
        ];
        assert_eq!(protocols.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_place_may_be_a_socket_of_another_kind() {
        let text = "[[listen]]\naddress = 'unix:run/a.sock'\nmode = '660'\nproxy_protocol = true\n\
            [[listen]]\naddress = 'systemd:web'\ntls = true\n";
        let listen = listen(text).unwrap();
        let path = "/app/run/a.sock".into();
        let mode = Some(0o660);
        assert_eq!(listen[0].place, Place::Unix { path, mode });
        assert!(listen[0].proxy_protocol);
        assert_eq!(listen[1].place, Place::Inherited("web".into()));
    }

    #[test]
    fn what_does_not_fit_together_is_refused() {
        for (text, expected) in [
            ("listen = 'x'", "`listen` is \"x\""),
            ("listen = []", "`listen` is empty"),
            ("listen = 1", "expected an address, or [[listen]]"),
            ("[[listen]]\ntls = true", "missing field `address`"),
            (
                "[[listen]]\naddress = '[::]:1'\ntsl = true",
                "unknown field `tsl`",
            ),
            ("[[listen]]\naddress = '[::]:1'\nredirect = 'x'", "`https`"),
            (
                "[[listen]]\naddress = '[::]:1'\nredirect = 'https'",
                "none has `tls",
            ),
            (
                "[[listen]]\naddress = '[::]:1'\nredirect_port = 1",
                "but no `redirect`",
            ),
            (
                "[[listen]]\naddress = '[::]:1'\nredirect = 'https'\ntls = true",
                "both `tls` and `redirect`",
            ),
            ("[[listen]]\naddress = 'unix:'", "is no address and port"),
            (
                "[[listen]]\naddress = 'unix:a'\ntls = true",
                "has `tls`, but",
            ),
            (
                "[[listen]]\naddress = 'unix:a'\nmode = '8'",
                "no permissions",
            ),
            (
                "[[listen]]\naddress = 'unix:a'\nmode = '1777'",
                "no permissions",
            ),
            (
                "[[listen]]\naddress = '[::]:1'\nmode = '660'",
                "no Unix socket",
            ),
            (
                "[[listen]]\naddress = '[::]:1'\nh2c = true\ntls = true",
                "both `tls` and `h2c`",
            ),
        ] {
            let error = listen(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
