//! What the file means.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::ManifestError;
use super::raw::{Kind, Raw, RawDev, RawPlugin, RawRoute};
use super::tokens::{self, AdminToken};
use crate::deploy::Deploy;
use crate::limits::{Limits, LoadLimits};

/// The tenant of a plugin that names none.
pub const DEFAULT_TENANT: &str = "default";

/// A checked manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// What concerns the process.
    pub host: Host,
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
    /// Where to listen.
    pub listen: SocketAddr,
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
    /// Longest time of a shut-down.
    pub drain_timeout_ms: u64,
    /// Limits of loading components.
    pub load: LoadLimits,
}

/// How `holdfast dev` builds the components.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dev {
    /// A shell command; none for cargo.
    pub build: Option<String>,
    /// What is watched; none for the default.
    pub watch: Option<Vec<PathBuf>>,
}

/// A plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plugin {
    /// Its owner.
    pub tenant: String,
    /// Unique in the tenant.
    pub name: String,
    /// Its component.
    pub component: PathBuf,
    /// For `wasi:config`.
    pub config: BTreeMap<String, String>,
    /// For outbound `wasi:http`.
    pub allow_http: Vec<String>,
    /// How new generations take over.
    pub deploy: Deploy,
    /// Its limits.
    pub limits: Limits,
}

/// A route to a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Lower-case host name; none for any.
    pub host: Option<String>,
    /// Starts with a slash, and ends with none unless it is only that.
    pub path: String,
    /// What comes along it; none for everything.
    pub kind: Option<Kind>,
    /// Which of [`Manifest::plugins`].
    pub plugin: usize,
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

/// Checks a manifest. `file` is for errors, `folder` is what the paths of
/// components are relative to.
pub fn resolve(file: &str, folder: &Path, raw: &Raw) -> Result<Manifest, ManifestError> {
    let fail = |(message, hint): Wrong| ManifestError {
        message: format!("{file}: {message}"),
        hint: Some(hint),
    };
    let host = host(raw, folder).map_err(fail)?;
    let plugins = plugins(raw, folder).map_err(fail)?;
    let routes = routes(raw, &plugins).map_err(fail)?;
    Ok(Manifest {
        host,
        dev: dev(&raw.dev, folder).map_err(fail)?,
        plugins,
        routes,
    })
}

/// What is wrong, and how to mend it.
pub(super) type Wrong = (String, String);

fn host(raw: &Raw, folder: &Path) -> Result<Host, Wrong> {
    let address = |key: &str, text: Option<&str>, default| {
        let text = text.unwrap_or(default);
        text.parse().map_err(|_| {
            (
                format!("`{key}` is \"{text}\", which is no address and port"),
                "write it as \"127.0.0.1:8080\" or \"[::]:8080\"".to_owned(),
            )
        })
    };
    let admin_listen = raw.admin.listen.as_deref();
    Ok(Host {
        listen: address("listen", raw.listen.as_deref(), DEFAULT_LISTEN)?,
        admin_listen: address("admin.listen", admin_listen, DEFAULT_ADMIN_LISTEN)?,
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
        drain_timeout_ms: raw.drain_timeout_ms.unwrap_or(10_000),
        load: LoadLimits::resolve(&raw.load)
            .map_err(|error| (error.to_string(), "change it in `[load]`".to_owned()))?,
    })
}

fn plugins(raw: &Raw, folder: &Path) -> Result<Vec<Plugin>, Wrong> {
    if raw.plugin.is_empty() {
        return Err((
            "there is no plugin".into(),
            "add a [[plugin]] with name and component".into(),
        ));
    }
    let mut plugins: Vec<Plugin> = Vec::with_capacity(raw.plugin.len());
    for raw_plugin in &raw.plugin {
        let plugin =
            plugin(raw, raw_plugin, folder).map_err(|(message, hint)| (message, hint.into()))?;
        if plugins
            .iter()
            .any(|other| other.name == plugin.name && other.tenant == plugin.tenant)
        {
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

fn routes(raw: &Raw, plugins: &[Plugin]) -> Result<Vec<Route>, Wrong> {
    let mut routes: Vec<Route> = Vec::with_capacity(raw.route.len());
    for raw_route in &raw.route {
        let route = route(raw_route, plugins)?;
        if routes.iter().any(|other| is_same(other, &route)) {
            return Err((
                format!("two routes have the path `{}`", route.path),
                "remove one, or tell them apart by `host` or `kind`".into(),
            ));
        }
        routes.push(route);
    }
    if routes.is_empty() {
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

fn plugin(raw: &Raw, plugin: &RawPlugin, folder: &Path) -> Result<Plugin, (String, &'static str)> {
    let tenant = plugin.tenant.as_deref().unwrap_or(DEFAULT_TENANT);
    for (key, name) in [("name", plugin.name.as_str()), ("tenant", tenant)] {
        if !is_name(name) {
            return Err((
                format!("the plugin `{key}` \"{name}\" is not a name"),
                "use 1 to 64 letters, digits, hyphens and underscores",
            ));
        }
    }
    let limits = Limits::resolve(
        &plugin.limits.over(&raw.limits),
        plugin.slow_consumer,
        plugin.on_error,
    )
    .map_err(|error| {
        (
            format!("plugin `{}`: {error}", plugin.name),
            "change it in `limits`",
        )
    })?;
    let deploy = Deploy::resolve(&plugin.deploy).map_err(|error| {
        (
            format!("plugin `{}`: {error}", plugin.name),
            "change it in `deploy`",
        )
    })?;
    Ok(Plugin {
        tenant: tenant.to_owned(),
        name: plugin.name.clone(),
        component: folder.join(&plugin.component),
        config: plugin.config.clone(),
        allow_http: plugin.allow_http.clone(),
        deploy,
        limits,
    })
}

pub(super) fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=64).contains(&name.len()) && name.bytes().all(allowed)
}

fn route(route: &RawRoute, plugins: &[Plugin]) -> Result<Route, (String, String)> {
    if !route.path.starts_with('/') || route.path.contains(['?', '#']) {
        return Err((
            format!("the route path \"{}\" is not a path", route.path),
            "start it with a slash, and leave out any query".into(),
        ));
    }
    let tenant = route.tenant.as_deref().unwrap_or(DEFAULT_TENANT);
    let plugin = plugins
        .iter()
        .position(|plugin| plugin.name == route.plugin && plugin.tenant == tenant)
        .ok_or_else(|| {
            let names = plugins
                .iter()
                .filter(|plugin| plugin.tenant == tenant)
                .map(|plugin| format!("`{}`", plugin.name))
                .collect::<Vec<_>>();
            let hint = if names.is_empty() {
                format!("no plugin belongs to tenant `{tenant}`")
            } else {
                format!("its plugins are {}", names.join(", "))
            };
            let message = format!(
                "the route `{}` leads to `{}`, but tenant `{tenant}` has no such plugin",
                route.path, route.plugin
            );
            (message, hint)
        })?;
    let path = match route.path.trim_end_matches('/') {
        "" => "/",
        path => path,
    };
    Ok(Route {
        host: route.host.as_deref().map(str::to_ascii_lowercase),
        path: path.to_owned(),
        kind: route.kind,
        plugin,
    })
}

/// Whether no request could tell the one route from the other.
fn is_same(one: &Route, other: &Route) -> bool {
    one.host == other.host && one.path == other.path && one.kind == other.kind
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
        assert_eq!(manifest.host.listen.to_string(), DEFAULT_LISTEN);
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
