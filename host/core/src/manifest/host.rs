//! What concerns the process as a whole.

use std::net::{Ipv6Addr, SocketAddr};
use std::path::Path;

use super::access_log::AccessLog;
use super::images::Images;
use super::listen::{self, Listen};
use super::proxies::Proxies;
use super::raw::Raw;
use super::resolve::Wrong;
use super::tls::Tls;
use super::tokens::{self, AdminToken};
use crate::limits::{EncodingLimits, FileLimits, HeadLimits, Http2Limits, LoadLimits};
use crate::network::{Network, NotANetwork};

/// What concerns the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Where to listen; at least one.
    pub listen: Vec<Listen>,
    /// How TLS is spoken.
    pub tls: Tls,
    /// Reverse proxies in front of it.
    pub proxies: Proxies,
    /// Limits of connections that speak HTTP/2.
    pub http2: Http2Limits,
    /// Where the admin listener is.
    pub admin_listen: SocketAddr,
    /// Plugins that have metrics of their own; the others are added up.
    pub metrics_plugins_max: u32,
    /// Who may ask, besides the bearer of the host's own token.
    pub admin_tokens: Vec<AdminToken>,
    /// Event loops; none for one each core.
    pub threads: Option<usize>,
    /// Instances of all plugins together.
    pub instances_max: u32,
    /// How it ends.
    pub drain: DrainTimes,
    /// With which code sockets are closed then.
    pub drain_close_code: u16,
    /// The longest time that a change of keys and values is not on the disk when
    /// the guest was told of it, in milliseconds.
    pub keyvalue_sync_ms: u64,
    /// Connections of all clients together; none for what the system allows.
    pub connections_max: Option<u32>,
    /// Connections of one client address; 0 for no limit.
    pub connections_per_address_max: u32,
    /// Networks whose connections are not counted so.
    pub addresses_uncounted: Vec<Network>,
    /// How requests are logged; none if they are not.
    pub access_log: Option<AccessLog>,
    /// Limits of the heads of requests.
    pub head: HeadLimits,
    /// Limits of encoding responses.
    pub encoding: EncodingLimits,
    /// Limits of routes to files.
    pub files: FileLimits,
    /// Limits of loading components.
    pub load: LoadLimits,
    /// How components come from registries.
    pub images: Images,
}

/// How a shut-down goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DrainTimes {
    /// From the signal to its beginning.
    pub delay_ms: u64,
    /// The longest that it takes from then on. Plugins that are removed have as
    /// long.
    pub timeout_ms: u64,
    /// Over which many sockets are closed.
    pub spread_ms: u64,
}

impl DrainTimes {
    fn resolve(raw: &Raw) -> Result<Self, Wrong> {
        let timeout_ms = raw.drain_timeout_ms.unwrap_or(DRAIN_TIMEOUT_MS);
        let spread_ms = raw.drain_spread_ms;
        let spread_ms = spread_ms.unwrap_or(DRAIN_SPREAD_MS.min(timeout_ms / 2));
        if spread_ms > timeout_ms {
            return Err((
                format!("`drain_spread_ms` is {spread_ms}, but `drain_timeout_ms` {timeout_ms}"),
                "give the sockets less time, or the shut-down more".into(),
            ));
        }
        Ok(Self {
            delay_ms: raw.drain_delay_ms.unwrap_or(0),
            timeout_ms,
            spread_ms,
        })
    }
}

const DRAIN_TIMEOUT_MS: u64 = 10_000;
const DRAIN_SPREAD_MS: u64 = 5_000;

const KEYVALUE_SYNC_MS: u64 = 200;
const KEYVALUE_SYNC_MS_CEILING: u64 = 60_000;

const INSTANCES_MAX_DEFAULT: u32 = 1_000;
/// More would not fit into the address space, twice, at 4 GiB each.
const INSTANCES_MAX_CEILING: u32 = 10_000;

/// Each plugin with metrics of its own has about a hundred lines in them.
const METRICS_PLUGINS_MAX_CEILING: u32 = 100_000;

/// Where to listen if the manifest does not say.
pub const DEFAULT_LISTEN: &str = "127.0.0.1:8080";
/// Where the admin listener is if the manifest does not say: on a free port.
const DEFAULT_ADMIN_LISTEN: &str = "127.0.0.1:0";

/// Connections of one address if the manifest does not say: many people may be
/// behind one, and each may have several.
const CONNECTIONS_PER_ADDRESS_MAX_DEFAULT: u32 = 2_000;

pub(super) fn resolve(raw: &Raw, folder: &Path) -> Result<Host, Wrong> {
    let admin_listen = raw.admin.listen.as_deref();
    let admin_listen = admin_listen.unwrap_or(DEFAULT_ADMIN_LISTEN);
    Ok(Host {
        listen: listen::resolve(raw.listen.as_ref(), folder)?,
        tls: raw.tls.resolve(folder)?,
        proxies: raw.proxies.resolve()?,
        http2: Http2Limits::resolve(&raw.http2)
            .map_err(|error| (error.to_string(), "change it in `[http2]`".to_owned()))?,
        admin_listen: listen::address("admin.listen", admin_listen)?,
        metrics_plugins_max: match raw.admin.metrics_plugins_max.unwrap_or(1_000) {
            count @ 1..=METRICS_PLUGINS_MAX_CEILING => count,
            count => {
                return Err((
                    format!("`admin.metrics_plugins_max` is {count}"),
                    "give it a number from 1 to 100000".into(),
                ));
            }
        },
        admin_tokens: tokens::resolve(&raw.admin.tokens, folder)?,
        threads: match raw.threads {
            Some(0) => {
                return Err((
                    "`threads` is 0".into(),
                    "leave it out for one a core".into(),
                ));
            }
            threads => threads,
        },
        instances_max: match raw.instances_max.unwrap_or(INSTANCES_MAX_DEFAULT) {
            count @ 1..=INSTANCES_MAX_CEILING => count,
            count => {
                return Err((
                    format!("`instances_max` is {count}"),
                    "give it a number from 1 to 10000".into(),
                ));
            }
        },
        drain: DrainTimes::resolve(raw)?,
        drain_close_code: match raw.drain_close_code {
            None => 1001,
            Some(code @ (1001 | 1012)) => code,
            Some(code) => {
                return Err((
                    format!("`drain_close_code` is {code}"),
                    "take 1001, \"going away\", or 1012, \"service restart\"".into(),
                ));
            }
        },
        keyvalue_sync_ms: match raw.keyvalue_sync_ms.unwrap_or(KEYVALUE_SYNC_MS) {
            ms @ 0..=KEYVALUE_SYNC_MS_CEILING => ms,
            ms => {
                return Err((
                    format!("`keyvalue_sync_ms` is {ms}"),
                    "give it a time up to 60000, or 0 for no change that could be lost".into(),
                ));
            }
        },
        connections_max: match raw.connections_max {
            Some(0) => {
                return Err((
                    "`connections_max` is 0".into(),
                    "leave it out for what the system allows".into(),
                ));
            }
            count => count,
        },
        connections_per_address_max: raw
            .connections_per_address_max
            .unwrap_or(CONNECTIONS_PER_ADDRESS_MAX_DEFAULT),
        addresses_uncounted: networks(raw)?,
        access_log: raw.access_log.resolve(folder)?,
        head: HeadLimits::resolve(&raw.http)
            .map_err(|error| (error.to_string(), "change it in `[http]`".to_owned()))?,
        encoding: EncodingLimits::resolve(&raw.encoding)
            .map_err(|error| (error.to_string(), "change it in `[encoding]`".to_owned()))?,
        files: FileLimits::resolve(&raw.files)
            .map_err(|error| (error.to_string(), "change it in `[files]`".to_owned()))?,
        load: LoadLimits::resolve(&raw.load)
            .map_err(|error| (error.to_string(), "change it in `[load]`".to_owned()))?,
        images: raw.images.resolve(folder)?,
    })
}

fn networks(raw: &Raw) -> Result<Vec<Network>, Wrong> {
    let Some(texts) = &raw.addresses_uncounted else {
        let loopback = "127.0.0.0/8".parse().into_iter();
        return Ok(loopback
            .chain([Network::from(Ipv6Addr::LOCALHOST)])
            .collect());
    };
    let networks = texts.iter().map(|text| text.parse());
    networks.collect::<Result<_, _>>().map_err(|error| {
        let message = format!("`addresses_uncounted`: {error}");
        (message, NotANetwork::HINT.to_owned())
    })
}
