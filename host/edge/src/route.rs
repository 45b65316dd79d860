//! From a host name, a path and a kind to a plugin or to files. Pure.
//!
//! Host names are in a hash map, wildcards in another, and the paths below each
//! in a tree of segments, so that a request costs the same whether there are ten
//! routes or a hundred thousand. For wildcards a host name is looked up once for
//! each of its last labels, as many as the longest wildcard has.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use holdfast_core::manifest::{Files, HOST_BYTES_MAX, HostPattern, Kind};
use holdfast_core::{PluginId, Settings};

/// A route to a plugin or to files.
#[derive(Clone, Debug)]
pub struct Route {
    /// Which hosts.
    pub host: HostPattern,
    /// Path prefix, matched by whole segments; starts with a slash.
    pub path: String,
    /// What comes along it; none for everything.
    pub kind: Option<Kind>,
    /// Where it leads.
    pub to: Destination,
}

/// Where a route leads.
#[derive(Clone, Debug)]
pub enum Destination {
    /// To a plugin.
    Plugin(Arc<Settings>),
    /// To files, for HTTP alone.
    Files(Arc<Files>),
}

/// All routes, ready for look-up. Immutable.
#[derive(Debug, Default)]
pub struct Site {
    hosts: HashMap<String, Node>,
    /// Wildcards, by the name below which they are.
    zones: HashMap<String, Node>,
    /// Labels of the longest of them.
    zone_labels_max: usize,
    any_host: Node,
    plugins: HashSet<PluginId>,
}

/// What a path prefix leads to.
#[derive(Debug, Default)]
struct Node {
    http: Option<Destination>,
    websocket: Option<Destination>,
    any: Option<Destination>,
    children: HashMap<Box<str>, Node>,
}

impl Site {
    /// Of two routes with the same host, path and kind the first counts.
    pub fn new(routes: Vec<Route>) -> Self {
        let mut site = Self::default();
        for route in routes {
            if let Destination::Plugin(settings) = &route.to {
                site.plugins.insert(settings.id);
            }
            let mut node = match route.host {
                HostPattern::Exact(host) => site.hosts.entry(host).or_default(),
                HostPattern::Below(zone) => {
                    let labels = zone.split('.').count();
                    site.zone_labels_max = site.zone_labels_max.max(labels);
                    site.zones.entry(zone).or_default()
                }
                HostPattern::Any => &mut site.any_host,
            };
            for segment in segments(&route.path).filter(|segment| !segment.is_empty()) {
                node = node.children.entry(segment.into()).or_default();
            }
            let place = match route.kind {
                Some(Kind::Http) => &mut node.http,
                Some(Kind::Websocket) => &mut node.websocket,
                None => &mut node.any,
            };
            place.get_or_insert(route.to);
        }
        site
    }

    /// Where a request belongs. `authority` is a host name with or without a
    /// port. A route of that host comes before one of a wildcard, a longer
    /// wildcard before a shorter one, and these before one of any host; then a
    /// longer path before a shorter one, a route of that kind before one of both.
    pub fn find(&self, authority: &str, path: &str, kind: Kind) -> Option<&Destination> {
        if self.hosts.is_empty() && self.zones.is_empty() {
            return self.any_host.find(path, kind);
        }
        let host = host(authority);
        self.hosts
            .get(&*host)
            .and_then(|node| node.find(path, kind))
            .or_else(|| self.find_below(&host, path, kind))
            .or_else(|| self.any_host.find(path, kind))
    }

    fn find_below(&self, host: &str, path: &str, kind: Kind) -> Option<&Destination> {
        if host.len() > HOST_BYTES_MAX {
            return None;
        }
        let dots = host.rmatch_indices('.').take(self.zone_labels_max);
        // The last that is found is the longest.
        dots.filter(|&(dot, _)| dot > 0)
            .fold(None, |found, (dot, _)| {
                let zone = host.get(dot + 1..).and_then(|zone| self.zones.get(zone));
                zone.and_then(|node| node.find(path, kind)).or(found)
            })
    }

    /// Whether a route leads to this plugin.
    pub(crate) fn has(&self, plugin: PluginId) -> bool {
        self.plugins.contains(&plugin)
    }
}

impl Node {
    fn find(&self, path: &str, kind: Kind) -> Option<&Destination> {
        let mut node = self;
        let mut found = self.destination(kind);
        for segment in segments(path) {
            let Some(child) = node.children.get(segment) else {
                break;
            };
            node = child;
            found = node.destination(kind).or(found);
        }
        found
    }

    fn destination(&self, kind: Kind) -> Option<&Destination> {
        let own = match kind {
            Kind::Http => &self.http,
            Kind::Websocket => &self.websocket,
        };
        own.as_ref().or(self.any.as_ref())
    }
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.strip_prefix('/').unwrap_or(path).split('/')
}

/// The host name of an authority, in lower case, without the dot of the root.
fn host(authority: &str) -> Cow<'_, str> {
    // A colon in brackets belongs to an IPv6 address.
    let name = match authority.rfind(':') {
        Some(colon) if !authority.ends_with(']') => authority.get(..colon).unwrap_or(authority),
        _ => authority,
    };
    let name = name.strip_suffix('.').unwrap_or(name);
    match name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => Cow::Owned(name.to_ascii_lowercase()),
        false => Cow::Borrowed(name),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use holdfast_core::limits::{Limits, OnError, RawLimits, SlowConsumer};
    use holdfast_core::plugin::Handlers;
    use holdfast_core::{PluginId, TenantId, Volume};

    use super::*;

    /// Those of a plugin of this name.
    pub(crate) fn settings(name: &str) -> Arc<Settings> {
        let raw = RawLimits::default();
        let limits = Limits::resolve(&raw, SlowConsumer::default(), OnError::default()).unwrap();
        Arc::new(Settings {
            id: PluginId(0),
            generation: 1,
            tenant: TenantId(0),
            name: name.into(),
            tenant_name: "default".into(),
            tenant_limits: Arc::default(),
            handlers: Handlers::default(),
            connection: limits.connection,
            http: limits.http,
            access_log: true,
            metrics: Arc::default(),
            log: Arc::new(Volume::new(limits.log.bytes_per_second_max)),
        })
    }

    fn site(routes: &[(Option<&str>, &str, Option<Kind>, &str)]) -> Site {
        let route = |&(host, path, kind, name): &(Option<&str>, &str, _, &str)| Route {
            host: host.map_or(HostPattern::Any, |host| host.parse().unwrap()),
            path: path.to_owned(),
            kind,
            to: Destination::Plugin(settings(name)),
        };
        Site::new(routes.iter().map(route).collect())
    }

    fn find<'a>(site: &'a Site, authority: &str, path: &str, kind: Kind) -> &'a str {
        match site.find(authority, path, kind) {
            Some(Destination::Plugin(settings)) => &settings.name,
            _ => "none",
        }
    }

    #[test]
    fn the_most_special_route_is_taken() {
        let site = site(&[
            (None, "/", None, "root"),
            (None, "/chat", Some(Kind::Websocket), "chat"),
            (None, "/chat/log", Some(Kind::Http), "log"),
            (None, "/chat/log", None, "any log"),
            (Some("A.example"), "/only", None, "only"),
            (Some("[::1]"), "/", None, "six"),
            (None, "/", None, "too late"),
        ]);
        use Kind::{Http, Websocket};
        for (authority, path, kind, name) in [
            ("", "/", Http, "root"),
            ("x", "/", Websocket, "root"),
            ("x", "/chat", Websocket, "chat"),
            ("x", "/chat", Http, "root"),
            ("x", "/chat/", Websocket, "chat"),
            ("x", "/chat/room/1", Websocket, "chat"),
            ("x", "/chatter", Websocket, "root"),
            ("x", "/chat/log", Http, "log"),
            ("x", "/chat/log/9", Websocket, "any log"),
            ("a.example", "/only", Http, "only"),
            ("A.EXAMPLE:8080", "/only/this", Http, "only"),
            ("a.example", "/other", Http, "root"),
            ("b.example", "/only", Http, "root"),
            ("[::1]", "/", Http, "six"),
            ("[::1]:80", "/", Http, "six"),
            ("x", "", Http, "root"),
            ("x", "*", Http, "root"),
        ] {
            assert_eq!(
                find(&site, authority, path, kind),
                name,
                "{authority} {path}"
            );
        }
    }

    #[test]
    fn an_exact_host_comes_before_a_wildcard_and_that_before_any() {
        let site = site(&[
            (None, "/", None, "any"),
            (Some("*.example"), "/", None, "short"),
            (Some("*.b.example"), "/deep", None, "long"),
            (Some("a.b.example"), "/exact", None, "exact"),
        ]);
        for (authority, path, name) in [
            ("example", "/", "any"),
            (".example", "/", "any"),
            ("badexample", "/", "any"),
            ("x.example", "/", "short"),
            ("X.Example.:80", "/", "short"),
            ("y.x.example", "/", "short"),
            ("x.b.example", "/deep/er", "long"),
            ("x.b.example", "/", "short"),
            ("b.example", "/deep", "short"),
            ("a.b.example", "/exact", "exact"),
            ("a.b.example", "/deep", "long"),
            ("a.b.example", "/", "short"),
        ] {
            let found = find(&site, authority, path, Kind::Http);
            assert_eq!(found, name, "{authority} {path}");
        }
        let long = format!("{}example", "a.".repeat(10_000));
        assert_eq!(find(&site, &long, "/", Kind::Http), "any");
    }

    #[test]
    fn a_look_up_does_not_depend_on_the_number_of_tenants() {
        let names = (0..1000).map(|tenant| (format!("*.t{tenant}.example"), format!("t{tenant}")));
        let names: Vec<_> = names.collect();
        let routes = names
            .iter()
            .map(|(host, name)| (Some(&**host), "/", None, &**name));
        let site = site(&routes.collect::<Vec<_>>());
        assert_eq!(find(&site, "www.t777.example", "/", Kind::Http), "t777");
        assert_eq!(site.zones.len(), 1000);
        // Two look-ups for whatever host: so many labels have the wildcards.
        assert_eq!(site.zone_labels_max, 2);
    }

    #[test]
    fn no_route_leads_nowhere() {
        let site = site(&[(None, "/a", Some(Kind::Http), "a")]);
        assert_eq!(find(&site, "x", "/", Kind::Http), "none");
        assert_eq!(find(&site, "x", "/a", Kind::Websocket), "none");
        assert_eq!(find(&Site::default(), "x", "/", Kind::Http), "none");
    }
}
