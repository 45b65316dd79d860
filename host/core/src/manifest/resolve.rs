//! What the file means.

use std::collections::{BTreeMap, HashSet};
use std::net::{Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use super::ManifestError;
use super::listen::{self, Listen};
use super::plugin::{Author, Plugin};
use super::proxies::Proxies;
use super::raw::{Raw, RawDev};
use super::route::{Route, Taken};
use super::tenant::Tenant;
use super::tls::{Certificate, Tls};
use super::tokens::{self, AdminToken};
use crate::limits::{HeadLimits, Http2Limits, InstanceLimits, LoadLimits};
use crate::network::{Network, NotANetwork};

/// The tenant of a plugin that names none.
pub const DEFAULT_TENANT: &str = "default";

/// A checked manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// What concerns the process.
    pub host: Host,
    /// The tenants that own a plugin or have a section, by their names.
    pub tenants: Vec<Tenant>,
    /// What paths are relative to.
    folder: PathBuf,
    /// The operator's own certificates.
    certificates: Vec<Certificate>,
    /// The folder in which tenants have folders of their own.
    pub tenants_folder: Option<PathBuf>,
    /// What instances of plugins may need that come later, in tenants' folders.
    pub reserve: Vec<InstanceLimits>,
    /// For `holdfast dev`.
    pub dev: Dev,
    /// The plugins; no two have the same tenant and name.
    pub plugins: Vec<Plugin>,
    /// The routes; each names a plugin above.
    pub routes: Vec<Route>,
}

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
    /// Connections of all clients together; none for what the system allows.
    pub connections_max: Option<u32>,
    /// Connections of one client address; 0 for no limit.
    pub connections_per_address_max: u32,
    /// Networks whose connections are not counted so.
    pub addresses_uncounted: Vec<Network>,
    /// Limits of the heads of requests.
    pub head: HeadLimits,
    /// Limits of loading components.
    pub load: LoadLimits,
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

/// How `holdfast dev` builds the components.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dev {
    /// A shell command; none for cargo.
    pub build: Option<String>,
    /// What is watched; none for the default.
    pub watch: Option<Vec<PathBuf>>,
}

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

/// Checks a manifest. `file` is for errors, `folder` is what the paths of
/// components are relative to.
///
/// # Errors
/// Fails at the first thing that does not hold.
pub fn resolve(file: &str, folder: &Path, raw: &Raw) -> Result<Manifest, ManifestError> {
    let fail = |(message, hint): Wrong| ManifestError {
        message: format!("{file}: {message}"),
        hint: Some(hint),
    };
    let host = host(raw, folder).map_err(fail)?;
    let tenants = tenants(raw).map_err(fail)?;
    let plugins = plugins(raw, &tenants, folder).map_err(fail)?;
    let routes = routes(raw, &tenants, &plugins).map_err(fail)?;
    Ok(Manifest {
        host,
        reserve: reserve(raw, &tenants).map_err(fail)?,
        tenants: tenants.into_values().collect(),
        folder: folder.to_owned(),
        certificates: raw.tls.certificates(folder),
        tenants_folder: raw.tenants.as_ref().map(|path| folder.join(path)),
        dev: dev(&raw.dev, folder).map_err(fail)?,
        plugins,
        routes,
    })
}

impl Manifest {
    /// All certificates, the operator's own before those of the tenants.
    pub fn certificates(&self) -> Vec<Certificate> {
        let tenants = self.tenants.iter().flat_map(|it| &it.certificates);
        let tenants = tenants.map(|it| it.beneath(&self.folder));
        self.certificates.iter().cloned().chain(tenants).collect()
    }

    /// Adds a tenant, if it is not there.
    pub(super) fn enter(&mut self, tenant: Tenant) {
        let name = tenant.name.as_str();
        let place = self
            .tenants
            .binary_search_by(|it| it.name.as_str().cmp(name));
        if let Err(place) = place {
            self.tenants.insert(place, tenant);
        }
    }
}

/// What is wrong, and how to mend it.
pub(super) type Wrong = (String, String);

type Tenants = BTreeMap<String, Tenant>;

fn tenants(raw: &Raw) -> Result<Tenants, Wrong> {
    let named = raw.tenant.keys().map(String::as_str);
    let owners = raw.plugin.iter().map(|plugin| plugin.tenant.as_deref());
    let owners = owners.map(|name| name.unwrap_or(DEFAULT_TENANT));
    let mut tenants = Tenants::new();
    for name in named.chain(owners) {
        if !tenants.contains_key(name) {
            tenants.insert(name.to_owned(), Tenant::resolve(name, raw)?);
        }
    }
    Ok(tenants)
}

fn host(raw: &Raw, folder: &Path) -> Result<Host, Wrong> {
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
        head: HeadLimits::resolve(&raw.http)
            .map_err(|error| (error.to_string(), "change it in `[http]`".to_owned()))?,
        load: LoadLimits::resolve(&raw.load)
            .map_err(|error| (error.to_string(), "change it in `[load]`".to_owned()))?,
    })
}

fn reserve(raw: &Raw, tenants: &Tenants) -> Result<Vec<InstanceLimits>, Wrong> {
    if raw.tenants.is_none() {
        return Ok(Vec::new());
    }
    let other = Tenant::resolve(DEFAULT_TENANT, raw)?;
    let tenants = tenants.values().chain([&other]);
    let limits = tenants.map(|tenant| Some(tenant.ceiling().ok()?.instance));
    Ok(limits.flatten().collect())
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

fn plugins(raw: &Raw, tenants: &Tenants, folder: &Path) -> Result<Vec<Plugin>, Wrong> {
    if raw.plugin.is_empty() && raw.tenants.is_none() {
        return Err((
            "there is no plugin".into(),
            "add a [[plugin]] with name and component".into(),
        ));
    }
    let mut names = HashSet::new();
    let mut plugins: Vec<Plugin> = Vec::with_capacity(raw.plugin.len());
    for raw_plugin in &raw.plugin {
        let tenant = raw_plugin.tenant.as_deref().unwrap_or(DEFAULT_TENANT);
        // Every owner is among them.
        let Some(tenant) = tenants.get(tenant) else {
            continue;
        };
        let author = Author::Operator(folder);
        let plugin = Plugin::resolve(raw_plugin, tenant, &tenant.plugin_limits, author)
            .map_err(|(message, hint)| (message, hint.to_owned()))?;
        if !names.insert((plugin.tenant.clone(), plugin.name.clone())) {
            let message = format!(
                "two plugins of tenant `{}` are named `{}`",
                plugin.tenant, plugin.name
            );
            return Err((message, "give one of them another name".into()));
        }
        plugins.push(plugin);
    }
    Ok(plugins)
}

fn routes(raw: &Raw, tenants: &Tenants, plugins: &[Plugin]) -> Result<Vec<Route>, Wrong> {
    let mut taken = Taken::default();
    let mut routes: Vec<Route> = Vec::with_capacity(raw.route.len());
    for raw_route in &raw.route {
        let tenant = raw_route.tenant.as_deref().unwrap_or(DEFAULT_TENANT);
        let Some(tenant) = tenants.get(tenant) else {
            return Err((
                format!(
                    "the route `{}` leads to `{}`, but tenant `{tenant}` has no such plugin",
                    raw_route.path, raw_route.plugin
                ),
                format!("no plugin belongs to tenant `{tenant}`"),
            ));
        };
        for route in Route::resolve(raw_route, tenant, plugins)? {
            route.check(tenant)?;
            if taken.take(&route, &tenant.name).is_err() {
                return Err((
                    format!("two routes have the path `{}`", route.path),
                    "remove one, or tell them apart by `host` or `kind`".into(),
                ));
            }
            routes.push(route);
        }
    }
    if routes.is_empty() && raw.tenants.is_none() {
        return Err((
            "there is no route, so nothing could be reached".into(),
            "add a [[route]] with path = \"/\" and plugin".into(),
        ));
    }
    Ok(routes)
}

fn dev(raw: &RawDev, folder: &Path) -> Result<Dev, Wrong> {
    if raw.build.as_deref().is_some_and(|it| it.trim().is_empty()) {
        let hint = "give it a shell command, or leave it out for `cargo build`";
        return Err(("`dev.build` is empty".into(), hint.into()));
    }
    if raw.watch.as_ref().is_some_and(Vec::is_empty) {
        let hint = "name files or folders, such as \"src\", or leave it out";
        return Err(("`dev.watch` is empty".into(), hint.into()));
    }
    let paths = |paths: &Vec<String>| paths.iter().map(|path| folder.join(path)).collect();
    Ok(Dev {
        build: raw.build.clone(),
        watch: raw.watch.as_ref().map(paths),
    })
}

/// Whether a text can be the name of a plugin or a tenant.
pub(super) fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=64).contains(&name.len()) && name.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    fn manifest(text: &str) -> Result<Manifest, ManifestError> {
        resolve("m.toml", Path::new("/app"), &parse("m.toml", text)?)
    }

    #[test]
    fn a_small_manifest_gets_its_defaults() {
        let manifest = manifest(
            "[[plugin]]\nname = 'a'\ncomponent = 'a.wasm'\n[[route]]\npath = '/x/'\nplugin = 'a'\n",
        )
        .unwrap();
        assert_eq!(
            manifest.host.listen,
            [Listen::plain(DEFAULT_LISTEN.parse().unwrap())]
        );
        assert_eq!(manifest.plugins[0].component, Path::new("/app/a.wasm"));
        assert_eq!(manifest.plugins[0].tenant, DEFAULT_TENANT);
        assert_eq!(manifest.routes[0].path, "/x");
        assert_eq!(manifest.dev, Dev::default());
    }

    #[test]
    fn what_is_watched_is_relative_to_the_manifest() {
        let dev = |text: &str| {
            super::dev(&parse("m", text)?.dev, Path::new("/app")).map_err(|(message, hint)| {
                ManifestError {
                    message,
                    hint: Some(hint),
                }
            })
        };
        let good = dev("[dev]\nbuild = 'make'\nwatch = ['src', '/else']").unwrap();
        assert_eq!(good.build.as_deref(), Some("make"));
        assert_eq!(
            good.watch.unwrap(),
            [Path::new("/app/src"), Path::new("/else")]
        );
        for bad in ["build = ' '", "watch = []"] {
            dev(&format!("[dev]\n{bad}")).unwrap_err();
        }
    }
}
