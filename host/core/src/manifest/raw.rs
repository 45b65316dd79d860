//! What the file says.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::value::RawValue;
use super::{
    ManifestError, RawAccessLog, RawCertificate, RawImages, RawListen, RawProxies, RawTls, RawToken,
};
use crate::deploy::RawDeploy;
use crate::encoding::RawEncode;
use crate::limits::{
    OnError, RawEncodingLimits, RawFileLimits, RawHeadLimits, RawHttp2Limits, RawLimits,
    RawLoadLimits, RawTenantLimits, SlowConsumer,
};
use crate::websocket::Compression;

/// `holdfast.toml` as written.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Raw {
    /// Where to listen; `127.0.0.1:8080` if left out.
    pub listen: Option<RawListen>,
    /// Event loops; one for each core if left out.
    pub threads: Option<usize>,
    /// Instances of all plugins together; 1,000 if left out. Each reserves 4 GiB
    /// of address space, but no memory.
    pub instances_max: Option<u32>,
    /// Time that a shut-down waits for requests and sockets.
    pub drain_timeout_ms: Option<u64>,
    /// Time from the signal to the beginning of the shut-down, in which the host
    /// says that it is not ready and serves as before; 0 if left out.
    pub drain_delay_ms: Option<u64>,
    /// Time over which many sockets are closed at a shut-down, or when a plugin is
    /// removed; 5 s, or half of the time-out, if left out.
    pub drain_spread_ms: Option<u64>,
    /// With which code sockets are closed at a shut-down, or when a plugin is
    /// drained: 1001, "going away", or 1012, "service restart"; 1001 if left out.
    pub drain_close_code: Option<u16>,
    /// The longest time that a change of `wasi:keyvalue` which the guest was told
    /// of is not on the disk; 0: it is told when it is; 200 if left out.
    pub keyvalue_sync_ms: Option<u64>,
    /// Connections of all clients together; as many as the system lets the host
    /// have files, but for a tenth, if left out.
    pub connections_max: Option<u32>,
    /// Connections of one client address; 0 for no limit.
    pub connections_per_address_max: Option<u32>,
    /// Networks whose connections are not counted so, those of reverse proxies:
    /// `127.0.0.0/8` and `::1` if left out.
    pub addresses_uncounted: Option<Vec<String>>,
    /// Certificates, and how TLS is spoken.
    #[serde(default)]
    pub tls: RawTls,
    /// Reverse proxies in front of the host.
    #[serde(default)]
    pub proxies: RawProxies,
    /// Limits of connections that speak HTTP/2.
    #[serde(default)]
    pub http2: RawHttp2Limits,
    /// How `holdfast dev` builds the components.
    #[serde(default)]
    pub dev: RawDev,
    /// Where operators ask the host.
    #[serde(default)]
    pub admin: RawAdmin,
    /// How requests are logged.
    #[serde(default)]
    pub access_log: RawAccessLog,
    /// Limits of the heads of requests.
    #[serde(default)]
    pub http: RawHeadLimits,
    /// Limits of encoding responses.
    #[serde(default)]
    pub encoding: RawEncodingLimits,
    /// Limits of routes to files.
    #[serde(default)]
    pub files: RawFileLimits,
    /// Limits of loading components.
    #[serde(default)]
    pub load: RawLoadLimits,
    /// How components come from registries.
    #[serde(default)]
    pub images: RawImages,
    /// Limits of every plugin that does not set its own.
    #[serde(default)]
    pub limits: RawLimits,
    /// A folder with one folder for each tenant, relative to the manifest.
    pub tenants: Option<String>,
    /// What holds for each tenant that does not set its own. In `hosts` and
    /// `paths`, `{tenant}` stands for its name.
    #[serde(default, rename = "tenant-defaults")]
    pub tenant_defaults: RawTenant,
    /// What holds for the tenants of these names.
    #[serde(default)]
    pub tenant: BTreeMap<String, RawTenant>,
    /// The plugins.
    #[serde(default)]
    pub plugin: Vec<RawPlugin>,
    /// The routes.
    #[serde(default)]
    pub route: Vec<RawRoute>,
}

/// `[tenant.NAME]` or `[tenant-defaults]`: what the operator says of a tenant.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawTenant {
    /// Hosts within which its routes have to be; any if left out, but a tenant
    /// with a folder of its own has to have some.
    pub hosts: Option<Vec<String>>,
    /// Path prefixes within which its routes have to be; any if left out.
    pub paths: Option<Vec<String>>,
    /// Certificates for its hosts. In paths of `[tenant-defaults]`, `{tenant}`
    /// stands for its name.
    pub certificates: Option<Vec<RawCertificate>>,
    /// Variables of the host's environment which its own file may read: `NAME`
    /// or `PREFIX_*`.
    pub env: Option<Vec<String>>,
    /// Addresses to which its own file may let guests send requests. Names of
    /// the public internet need not be here.
    pub allow_http: Option<Vec<String>>,
    /// Whether the access log has its requests; it has if left out.
    pub access_log: Option<bool>,
    /// What its plugins may take together.
    #[serde(default)]
    pub limits: RawTenantLimits,
    /// Limits of each of its plugins, which its own file can't raise.
    #[serde(default)]
    pub plugin_limits: RawLimits,
}

/// `tenants/NAME/tenant.toml` as written: what a tenant says of itself.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawOwn {
    /// Limits of each of its plugins that does not set its own.
    #[serde(default)]
    pub limits: RawLimits,
    /// Its plugins.
    #[serde(default)]
    pub plugin: Vec<RawPlugin>,
    /// Its routes.
    #[serde(default)]
    pub route: Vec<RawRoute>,
}

/// `[dev]` as written.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawDev {
    /// A shell command that builds all components; for a Cargo project, cargo
    /// if left out.
    pub build: Option<String>,
    /// Files and folders, relative to the manifest, of which a change means
    /// that they are to be built again; the whole project for a Cargo project,
    /// `src` for any other if left out.
    pub watch: Option<Vec<String>>,
}

/// `[admin]` as written.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawAdmin {
    /// Address of the admin listener; a free port of `127.0.0.1` if left out.
    pub listen: Option<String>,
    /// Plugins that have metrics of their own; 1,000 if left out.
    pub metrics_plugins_max: Option<u32>,
    /// Who may ask, besides the bearer of the host's own token.
    #[serde(default)]
    pub tokens: Vec<RawToken>,
}

/// One `[[plugin]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawPlugin {
    /// Unique within the tenant.
    pub name: String,
    /// Owner; `default` if left out.
    pub tenant: Option<String>,
    /// Path of the `.wasm` file, relative to the manifest, or `oci://` and the
    /// reference of an image in a registry.
    pub component: String,
    /// Read by the guest through `wasi:config`.
    #[serde(default)]
    pub config: BTreeMap<String, RawValue>,
    /// Environment variables of the guest.
    #[serde(default)]
    pub env: BTreeMap<String, RawValue>,
    /// Folders which the guest can read: where it sees them, and where they are,
    /// relative to the manifest.
    #[serde(default)]
    pub folders: BTreeMap<String, String>,
    /// Hosts to which the guest may send requests: `example.com`,
    /// `*.example.com`, `example.com:8443`.
    #[serde(default)]
    pub allow_http: Vec<String>,
    /// When a connection's outbound queue is full.
    #[serde(default)]
    pub slow_consumer: SlowConsumer,
    /// When a WebSocket handler returns an error.
    #[serde(default)]
    pub on_error: OnError,
    /// Whether WebSocket messages are compressed.
    #[serde(default)]
    pub compression: Compression,
    /// Whether HTTP responses are encoded: gzip and others.
    #[serde(default)]
    pub encode: RawEncode,
    /// From which pages browsers may open WebSockets: `https://example.com`,
    /// `same`, `null`, `*`; those of the same host if left out.
    pub origins: Option<Vec<String>>,
    /// Text messages that the host answers, and by what.
    #[serde(default)]
    pub replies: BTreeMap<String, String>,
    /// How new generations take over.
    #[serde(default)]
    pub deploy: RawDeploy,
    /// Limits of this plugin.
    #[serde(default)]
    pub limits: RawLimits,
}

/// What comes along a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// HTTP requests.
    Http,
    /// WebSocket handshakes.
    Websocket,
}

/// One `[[route]]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawRoute {
    /// Host name, or `*.` and one; those of the tenant if left out.
    pub host: Option<String>,
    /// Path prefix, matched by whole segments.
    pub path: String,
    /// Requests or WebSockets only; both if left out.
    pub kind: Option<Kind>,
    /// Name of the plugin, unless it leads to files.
    pub plugin: Option<String>,
    /// A folder, relative to the manifest, of which the host serves the files.
    pub files: Option<String>,
    /// Whether files are encoded that are not there in an encoded form.
    pub encode: Option<RawEncode>,
    /// The field `cache-control` of files.
    pub cache_control: Option<String>,
    /// The file that is sent with 404, relative to the folder.
    pub not_found: Option<String>,
    /// The file that browsers get in the place of what is not there, relative to
    /// the folder.
    pub fallback: Option<String>,
    /// Its tenant; `default` if left out.
    pub tenant: Option<String>,
}

/// Reads a manifest. `file` is for the error only.
///
/// # Errors
/// Fails when it is no TOML, or has keys or types that nobody knows.
pub fn parse(file: &str, text: &str) -> Result<Raw, ManifestError> {
    read(file, text)
}

/// Reads a tenant's own file. `file` is for the error only.
///
/// # Errors
/// As those of [`parse`].
pub fn parse_own(file: &str, text: &str) -> Result<RawOwn, ManifestError> {
    read(file, text)
}

fn read<T: for<'a> Deserialize<'a>>(file: &str, text: &str) -> Result<T, ManifestError> {
    toml::from_str(text).map_err(|error| {
        let hint = suggestion(error.message());
        ManifestError {
            message: format!("{file}: {}", without_values(error.to_string().trim_end())),
            hint,
        }
    })
}

/// The same without the values that it shows of the file: they may be secrets.
fn without_values(message: &str) -> String {
    let lines = message.lines().map(|line| {
        if let Some(rest) = line.strip_prefix("invalid type: string ") {
            let expected = rest.rfind(", expected").and_then(|at| rest.get(at..));
            return format!("invalid type: string{}", expected.unwrap_or_default());
        }
        let Some((number, shown)) = line.split_once(" | ") else {
            return line.to_owned();
        };
        if number.trim().parse::<usize>().is_err() || shown.starts_with('[') {
            return line.to_owned();
        }
        // Without a sign it may be in the middle of a text of several lines.
        let sign = shown.find('=').map_or(0, |sign| sign + 1);
        let key = shown.get(..sign).unwrap_or_default();
        format!("{number} | {key} …")
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// For ``unknown field `lisen`, expected one of `listen`, …``: the key which
/// was probably meant.
fn suggestion(message: &str) -> Option<String> {
    let rest = message.strip_prefix("unknown field `")?;
    let (unknown, rest) = rest.split_once('`')?;
    let known = rest.split('`').skip(1).step_by(2);
    let (distance, best) = known
        .map(|key| (strsim::damerau_levenshtein(unknown, key), key))
        .min()?;
    (distance <= unknown.len().div_ceil(2)).then(|| format!("did you mean `{best}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_an_error_with_a_suggestion() {
        let error = parse("holdfast.toml", "lisen = \"x\"").unwrap_err();
        assert!(
            error
                .message
                .starts_with("holdfast.toml: TOML parse error at line 1"),
            "{error}"
        );
        assert_eq!(error.hint.as_deref(), Some("did you mean `listen`?"));
    }

    #[test]
    fn an_error_shows_no_value() {
        for text in [
            "[[plugin]]\nconfig = { key = \"hunter2\", }, }",
            "[[plugin]]\nconfig.key = \"hunter2",
            "[[plugin]]\nconfig.key = 'hunter2' x",
            "[[plugin]]\nconfig.key = hunter2",
            "[[plugin]]\nconfig = 'hunter2, expected'",
            "[[plugin]]\nconfig.key = \"\"\"\nhunter2 \\x\"\"\"",
        ] {
            let error = parse("f", text).unwrap_err().to_string();
            assert!(!error.contains("hunter2"), "{error}");
            assert!(error.contains("line "), "{error}");
        }
    }

    #[test]
    fn no_suggestion_for_something_quite_different() {
        assert_eq!(parse("f", "zzz = 1").unwrap_err().hint, None);
    }
}
