//! What the operator says of a tenant.

use std::sync::Arc;

use super::host_pattern::{HostPattern, NotAHost};
use super::raw::{Raw, RawTenant};
use super::resolve::{Wrong, is_name};
use super::tls::Certificate;
use crate::limits::{Limits, OnError, RawLimits, SlowConsumer, TenantLimits};

/// A tenant, as far as the operator has to say something of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// Unique.
    pub name: String,
    /// Within which its routes have to be; empty for any.
    pub hosts: Vec<HostPattern>,
    /// Prefixes within which its routes have to be; empty for any.
    pub paths: Vec<String>,
    /// Certificates for its hosts, with paths as written.
    pub(super) certificates: Vec<Certificate>,
    /// Variables which its own file may read: `NAME` or `PREFIX_*`.
    pub env: Vec<String>,
    /// Addresses which its own file may grant.
    pub allow_http: Vec<String>,
    /// Whether the access log has its requests.
    pub access_log: bool,
    /// What its plugins may take together.
    pub limits: Arc<TenantLimits>,
    /// What holds for each of its plugins; its own file can't raise it.
    pub plugin_limits: RawLimits,
}

impl Tenant {
    /// What the manifest says of the tenant of this name, in its own section or
    /// in that for all.
    pub(super) fn resolve(name: &str, raw: &Raw) -> Result<Self, Wrong> {
        if !is_name(name) {
            return Err((
                format!("the tenant \"{name}\" has no name"),
                "use 1 to 64 letters, digits, hyphens and underscores".into(),
            ));
        }
        let defaults = &raw.tenant_defaults;
        let nothing = RawTenant::default();
        let own = raw.tenant.get(name).unwrap_or(&nothing);
        let named = |own: &Option<Vec<String>>, defaults: &Option<Vec<String>>| match own {
            Some(own) => own.clone(),
            None => {
                let defaults = defaults.iter().flatten();
                defaults.map(|it| it.replace("{tenant}", name)).collect()
            }
        };
        let hosts = named(&own.hosts, &defaults.hosts);
        let hosts = hosts.iter().map(|it| it.parse::<HostPattern>());
        let hosts: Result<Vec<_>, _> = hosts.collect();
        let hosts = hosts.map_err(|error| {
            let hint = NotAHost::HINT.to_owned();
            (format!("tenant `{name}`: {error}"), hint)
        })?;
        let limits = TenantLimits::resolve(&own.limits.over(&defaults.limits));
        let limits = limits.map_err(|error| {
            (
                format!("tenant `{name}`: {error}"),
                "change it in the `limits` of the tenant".to_owned(),
            )
        })?;
        let plugin_limits = own.plugin_limits.over(&defaults.plugin_limits);
        let certificates = match &own.certificates {
            Some(own) => own.clone(),
            None => {
                let defaults = defaults.certificates.iter().flatten();
                defaults.map(|it| it.of(name)).collect()
            }
        };
        let certificates = certificates.iter().map(|it| it.resolve(Some(name), &hosts));
        let tenant = Self {
            name: name.to_owned(),
            certificates: certificates.collect(),
            hosts,
            paths: named(&own.paths, &defaults.paths),
            env: named(&own.env, &defaults.env),
            allow_http: named(&own.allow_http, &defaults.allow_http),
            access_log: own.access_log.or(defaults.access_log).unwrap_or(true),
            limits: Arc::new(limits),
            plugin_limits: plugin_limits.over(&raw.limits),
        };
        tenant.check()?;
        Ok(tenant)
    }

    fn check(&self) -> Result<(), Wrong> {
        let name = &self.name;
        if let Some(path) = self.paths.iter().find(|path| !path.starts_with('/')) {
            return Err((
                format!("tenant `{name}`: the path \"{path}\" is not a path"),
                "start it with a slash".into(),
            ));
        }
        self.ceiling().map(drop).map_err(|error| {
            (
                format!("tenant `{name}`: {error}"),
                "change it in the `plugin_limits` of the tenant".to_owned(),
            )
        })
    }

    /// What each of its plugins may have at most.
    pub(super) fn ceiling(&self) -> Result<Limits, crate::limits::OutOfRange> {
        let (slow_consumer, on_error) = (SlowConsumer::default(), OnError::default());
        Limits::resolve(&self.plugin_limits, slow_consumer, on_error)
    }

    /// Whether a path is within its own.
    pub(super) fn has_path(&self, path: &str) -> bool {
        let is_within = |prefix: &String| {
            let prefix = prefix.trim_end_matches('/');
            let rest = path.strip_prefix(prefix);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.paths.is_empty() || self.paths.iter().any(is_within)
    }

    /// Whether a host is within its own.
    pub(super) fn has_host(&self, host: &HostPattern) -> bool {
        self.hosts.is_empty() || self.hosts.iter().any(|own| own.covers(host))
    }

    /// Whether its own file may read a variable of the environment.
    pub(super) fn may_read(&self, variable: &str) -> bool {
        let is_allowed = |allowed: &String| match allowed.strip_suffix('*') {
            Some(prefix) => variable.starts_with(prefix),
            None => variable == allowed,
        };
        self.env.iter().any(is_allowed)
    }

    /// Its hosts, for people.
    pub(super) fn hosts_text(&self) -> String {
        let hosts = self.hosts.iter().map(|host| format!("`{host}`"));
        hosts.collect::<Vec<_>>().join(", ")
    }
}
