//! A route of the manifest.

use std::collections::HashMap;

use super::host_pattern::{HostPattern, NotAHost};
use super::plugin::Plugin;
use super::raw::{Kind, RawRoute};
use super::resolve::Wrong;
use super::tenant::Tenant;

/// A route to a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Which hosts.
    pub host: HostPattern,
    /// Starts with a slash, and ends with none unless it is only that.
    pub path: String,
    /// What comes along it; none for everything.
    pub kind: Option<Kind>,
    /// Which of the plugins beside it.
    pub plugin: usize,
}

impl Route {
    /// Checks an entry. `plugins` are those of all tenants, or of this one. If
    /// it names no host, there is one route for each of the tenant's.
    pub(super) fn resolve(
        raw: &RawRoute,
        tenant: &Tenant,
        plugins: &[Plugin],
    ) -> Result<Vec<Self>, Wrong> {
        if !raw.path.starts_with('/') || raw.path.contains(['?', '#']) {
            return Err((
                format!("the route path \"{}\" is not a path", raw.path),
                "start it with a slash, and leave out any query".into(),
            ));
        }
        let plugin = find(raw, &tenant.name, plugins)?;
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
            kind: raw.kind,
            plugin,
        };
        Ok(hosts.into_iter().map(route).collect())
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

fn find(raw: &RawRoute, tenant: &str, plugins: &[Plugin]) -> Result<usize, Wrong> {
    let of_tenant = || plugins.iter().filter(|plugin| plugin.tenant == tenant);
    let is_it = |plugin: &Plugin| plugin.name == raw.plugin && plugin.tenant == tenant;
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
            "the route `{}` leads to `{}`, but tenant `{tenant}` has no such plugin",
            raw.path, raw.plugin
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
