//! The manifest, `holdfast.toml`: [`Raw`] is what the file says, [`Manifest`]
//! is what it means. Parsing only reads, resolving only checks, and neither
//! opens a file or a port.

mod access_log;
mod files;
mod host;
mod host_pattern;
mod image;
mod images;
mod listen;
mod own;
mod plugin;
mod proxies;
mod raw;
mod resolve;
mod route;
mod tenant;
mod tls;
mod tokens;
mod value;

pub use access_log::{AccessFormat, AccessLog, RawAccessFormat, RawAccessLog};
pub use files::Files;
pub use host::{DEFAULT_LISTEN, DrainTimes, Host};
pub use host_pattern::{HOST_BYTES_MAX, HostPattern, NotAHost};
pub use image::{Image, NotAnImage, is_digest};
pub use images::{Images, RawImages};
pub use listen::{Listen, Place, Protocol, RawListen, RawListener, RawRedirect};
pub use own::{Join, Part, Strictness, resolve_own};
pub use plugin::Plugin;
pub use proxies::{Proxies, ProxyFields, RawProxies};
pub use raw::{
    Kind, Raw, RawAdmin, RawDev, RawOwn, RawPlugin, RawRoute, RawTenant, parse, parse_own,
};
pub use resolve::{DEFAULT_TENANT, Dev, Manifest, resolve};
pub use route::{Destination, Route};
pub use tenant::Tenant;
pub use tls::{Certificate, ClientAuth, RawCertificate, RawTls, Tls};
pub use tokens::{AdminToken, RawToken, Role, TokenSource};
pub use value::{Origin, RawPlace, RawValue, VALUE_BYTES_MAX, Value};

/// What is wrong with a manifest, and how to mend it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub struct ManifestError {
    /// Which file, what in it, and why.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl std::fmt::Display for ManifestError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(formatter, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}
