//! A route of the manifest.

use std::collections::HashMap;
use std::sync::Arc;

use super::files::Files;
use super::host_pattern::{HostPattern, NotAHost};
use super::plugin::{Author, Plugin};
use super::raw::{Kind, RawRoute};
use super::resolve::Wrong;
use super::tenant::Tenant;
use crate::limits::RawLimits;

/// A route to a plugin or to files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Which hosts.
    pub host: HostPattern,
    /// Starts with a slash, and ends with none unless it is only that.
    pub path: String,
    /// What comes along it; none for everything.
    pub kind: Option<Kind>,
    /// Where it leads.
    pub to: Destination,
}

/// Where a route leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// To one of the plugins beside it.
    Plugin(usize),
    /// To files, for HTTP alone.
    Files(Arc<Files>),
}

/// Beside what a route is written.
#[derive(Clone, Copy)]
pub(super) struct Beside<'a> {
    /// Whose it is.
    pub(super) tenant: &'a Tenant,
    /// Those of all tenants, or of this one.
    pub(super) plugins: &'a [Plugin],
    /// Limits of plugins that set none.
    pub(super) base: &'a RawLimits,
    /// Who has written it.
    pub(super) author: Author<'a>,
}

impl Route {
    /// Checks an entry. If it names no host, there is one route for each of the
    /// tenant's.
    pub(super) fn resolve(raw: &RawRoute, beside: Beside<'_>) -> Result<Vec<Self>, Wrong> {
        let tenant = beside.tenant;
        if !raw.path.starts_with('/') || raw.path.contains(['?', '#']) {
            return Err((
                format!("the route path \"{}\" is not a path", raw.path),
                "start it with a slash, and leave out any query".into(),
            ));
        }
        let to = destination(raw, beside)?;
        let kind = match to {
            Destination::Plugin(_) => raw.kind,
            Destination::Files(_) => Some(Kind::Http),
        };
        let path = match raw.path.trim_end_matches('/') {
            "" => "/",
            path => path,
        };
        let hosts = match &raw.host {
            Some(host) => vec![host.parse().map_err(|error: NotAHost| {
                let message = format!("the route `{path}`: {error}");
                (message, NotAHost::HINT.to_owned())
            })?],
            None if tenant.hosts.is_empty() => vec![HostPattern::Any],
            None => tenant.hosts.clone(),
        };
        let route = |host| Self {
            host,
            path: path.to_owned(),
            kind,
            to: to.clone(),
        };
        Ok(hosts.into_iter().map(route).collect())
    }

    /// The tenant whose it is, among these plugins.
    pub(super) fn tenant<'a>(&'a self, plugins: &'a [Plugin]) -> Option<&'a str> {
        match &self.to {
            Destination::Plugin(plugin) => Some(&plugins.get(*plugin)?.tenant),
            Destination::Files(files) => Some(&files.tenant),
        }
    }

    /// Whether the operator lets the tenant have this route.
    pub(super) fn check(&self, tenant: &Tenant) -> Result<(), Wrong> {
        let Self { host, path, .. } = self;
        if !tenant.has_host(host) {
            return Err((
                format!("the route `{path}` is for the host `{host}`, which is not the tenant's"),
                format!("the hosts of `{}` are {}", tenant.name, tenant.hosts_text()),
            ));
        }
        if !tenant.has_path(path) {
            return Err((
                format!(
                    "the route `{path}` is not within the paths of `{}`",
                    tenant.name
                ),
                format!("its paths are {}", tenant.paths.join(", ")),
            ));
        }
        Ok(())
    }
}

fn destination(raw: &RawRoute, beside: Beside<'_>) -> Result<Destination, Wrong> {
    let Beside {
        tenant,
        plugins,
        base,
        author,
    } = beside;
    let path = &raw.path;
    match (&raw.plugin, &raw.files) {
        (Some(plugin), None) => match Files::key_without(raw) {
            Some(key) => Err((
                format!("the route `{path}` has `{key}`, but no `files`"),
                "leave it out: what a plugin serves is up to the plugin".into(),
            )),
            None => Ok(Destination::Plugin(find(
                path,
                plugin,
                &tenant.name,
                plugins,
            )?)),
        },
        (None, Some(folder)) => {
            let files = Files::resolve(raw, folder, tenant, base, author)?;
            Ok(Destination::Files(Arc::new(files)))
        }
        (Some(_), Some(_)) => Err((
            format!("the route `{path}` has `plugin` and `files`"),
            "leave one of them out; two routes can lead to both".into(),
        )),
        (None, None) => Err((
            format!("the route `{path}` leads nowhere"),
            "name a `plugin`, or a folder of `files`".into(),
        )),
    }
}

fn find(path: &str, name: &str, tenant: &str, plugins: &[Plugin]) -> Result<usize, Wrong> {
    let of_tenant = || plugins.iter().filter(|plugin| plugin.tenant == tenant);
    let is_it = |plugin: &Plugin| plugin.name == name && plugin.tenant == tenant;
    plugins.iter().position(is_it).ok_or_else(|| {
        let names: Vec<_> = of_tenant()
            .map(|plugin| format!("`{}`", plugin.name))
            .collect();
        let hint = if names.is_empty() {
            format!("no plugin belongs to tenant `{tenant}`")
        } else {
            format!("its plugins are {}", names.join(", "))
        };
        let message = format!(
            "the route `{path}` leads to `{name}`, but tenant `{tenant}` has no such plugin"
        );
        (message, hint)
    })
}

/// Which routes there are already, and whose they are.
#[derive(Default)]
pub(super) struct Taken(HashMap<(HostPattern, String), Vec<Holder>>);

/// What kind of a route somebody has, and which tenant that is.
type Holder = (Option<Kind>, String);

impl Taken {
    /// Takes a route for a tenant. Between tenants a route for both kinds leaves
    /// room for none of one kind, which would come before it.
    ///
    /// # Errors
    /// Names the tenant that has it.
    pub(super) fn take(&mut self, route: &Route, tenant: &str) -> Result<(), String> {
        let key = (route.host.clone(), route.path.clone());
        let there = self.0.entry(key).or_default();
        let collides = |(kind, other): &&Holder| {
            let is_open = kind.is_none() || route.kind.is_none();
            *kind == route.kind || (is_open && other != tenant)
        };
        if let Some((_, other)) = there.iter().find(collides) {
            return Err(other.clone());
        }
        there.push((route.kind, tenant.to_owned()));
        Ok(())
    }
}
