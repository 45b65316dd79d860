//! What the file means.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use super::ManifestError;
use super::host::{self, Host};
use super::plugin::{Author, Plugin};
use super::raw::{Raw, RawDev};
use super::route::{Beside, Route, Taken};
use super::tenant::Tenant;
use super::tls::Certificate;
use crate::limits::InstanceLimits;

/// The tenant of a plugin that names none.
pub const DEFAULT_TENANT: &str = "default";

/// A checked manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// What concerns the process.
    pub host: Host,
    /// The tenants that own a plugin or files or have a section, by their names.
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
    /// The routes; each leads to a plugin above, or to files.
    pub routes: Vec<Route>,
}

/// How `holdfast dev` builds the components.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dev {
    /// A shell command; none for cargo.
    pub build: Option<String>,
    /// What is watched; none for the default.
    pub watch: Option<Vec<PathBuf>>,
}

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
    let host = host::resolve(raw, folder).map_err(fail)?;
    let tenants = tenants(raw).map_err(fail)?;
    let plugins = plugins(raw, &tenants, folder).map_err(fail)?;
    let routes = routes(raw, &tenants, &plugins, folder).map_err(fail)?;
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
    let files = raw.route.iter().filter(|route| route.files.is_some());
    let owners = owners.chain(files.map(|route| route.tenant.as_deref()));
    let owners = owners.map(|name| name.unwrap_or(DEFAULT_TENANT));
    let mut tenants = Tenants::new();
    for name in named.chain(owners) {
        if !tenants.contains_key(name) {
            tenants.insert(name.to_owned(), Tenant::resolve(name, raw)?);
        }
    }
    Ok(tenants)
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

fn plugins(raw: &Raw, tenants: &Tenants, folder: &Path) -> Result<Vec<Plugin>, Wrong> {
    let has_files = raw.route.iter().any(|route| route.files.is_some());
    if raw.plugin.is_empty() && raw.tenants.is_none() && !has_files {
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

fn routes(
    raw: &Raw,
    tenants: &Tenants,
    plugins: &[Plugin],
    folder: &Path,
) -> Result<Vec<Route>, Wrong> {
    let mut taken = Taken::default();
    let mut routes: Vec<Route> = Vec::with_capacity(raw.route.len());
    for raw_route in &raw.route {
        let tenant = raw_route.tenant.as_deref().unwrap_or(DEFAULT_TENANT);
        let Some(tenant) = tenants.get(tenant) else {
            return Err((
                format!(
                    "the route `{}` leads to `{}`, but tenant `{tenant}` has no such plugin",
                    raw_route.path,
                    raw_route.plugin.as_deref().unwrap_or_default()
                ),
                format!("no plugin belongs to tenant `{tenant}`"),
            ));
        };
        let beside = Beside {
            tenant,
            plugins,
            base: &tenant.plugin_limits,
            author: Author::Operator(folder),
        };
        for route in Route::resolve(raw_route, beside)? {
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
    use super::super::{DEFAULT_LISTEN, Listen, parse};
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
    fn a_guest_sees_folders_at_paths_of_its_own() {
        let plugin = |keys: &str| {
            let text = format!("[[plugin]]\nname = 'a'\ncomponent = 'a.wasm'\n{keys}\n");
            let manifest = manifest(&(text + "[[route]]\npath = '/'\nplugin = 'a'\n"))?;
            Ok::<_, ManifestError>(manifest.plugins[0].clone())
        };
        let good = plugin("folders = { '/www' = 'public', '/' = '/srv' }").unwrap();
        let folders: Vec<_> = good.folders.values().collect();
        assert_eq!(folders, [Path::new("/srv"), Path::new("/app/public")]);
        for bad in [
            "folders = { 'www' = 'public' }",
            "folders = { '/../www' = 'public' }",
            "folders = { '/www' = '' }",
            "env = { 'A=B' = 'c' }",
            "env = { '' = 'c' }",
        ] {
            assert!(plugin(bad).is_err(), "{bad}");
        }
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
