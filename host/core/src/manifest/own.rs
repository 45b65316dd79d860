//! What a tenant says of itself in its own folder, and how that joins what the
//! operator says.

use std::collections::HashSet;
use std::path::Path;

use super::ManifestError;
use super::plugin::{Author, Plugin};
use super::raw::{Raw, RawOwn};
use super::resolve::{Manifest, Wrong};
use super::route::{Beside, Destination, Route, Taken};
use super::tenant::Tenant;

/// A tenant's own plugins and routes, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    tenant: Tenant,
    plugins: Vec<Plugin>,
    /// They lead to plugins of this part, and to files.
    routes: Vec<Route>,
    left_out: Vec<String>,
}

impl Part {
    /// Its plugins.
    pub fn plugins(&self) -> &[Plugin] {
        &self.plugins
    }
}

/// What becomes of a route that the operator does not let the tenant have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strictness {
    /// It is an error of the whole file: the tenant has just written it.
    Refuse,
    /// It is left out, and the others are served: the operator has changed what
    /// the tenant may have.
    LeaveOut,
}

/// Checks a tenant's own file. `file` is for errors, `folder` is the tenant's,
/// whose name is that of the tenant, and `operator` is the manifest.
///
/// # Errors
/// Fails when something in it does not hold, or is not for the tenant to say.
pub fn resolve_own(
    file: &str,
    folder: &Path,
    name: &str,
    own: &RawOwn,
    operator: &Raw,
    strictness: Strictness,
) -> Result<Part, ManifestError> {
    let fail = |(message, hint): Wrong| ManifestError {
        message: format!("{file}: {message}"),
        hint: Some(hint),
    };
    let tenant = Tenant::resolve(name, operator).map_err(fail)?;
    if tenant.hosts.is_empty() {
        return Err(fail((
            format!("the manifest gives the tenant `{name}` no host"),
            format!(
                "add `hosts` to [tenant.{name}] or [tenant-defaults] there; [\"*\"] is for any"
            ),
        )));
    }
    let plugins = plugins(own, &tenant, folder).map_err(fail)?;
    let mut part = Part {
        tenant,
        plugins,
        routes: Vec::new(),
        left_out: Vec::new(),
    };
    for raw in &own.route {
        check_owner(raw.tenant.as_deref(), name).map_err(fail)?;
        let beside = Beside {
            tenant: &part.tenant,
            plugins: &part.plugins,
            base: &own.limits.over(&part.tenant.plugin_limits),
            author: Author::Tenant(folder),
        };
        let routes = Route::resolve(raw, beside).map_err(fail)?;
        for route in routes {
            match (route.check(&part.tenant), strictness) {
                (Ok(()), _) => part.routes.push(route),
                (Err(wrong), Strictness::Refuse) => return Err(fail(wrong)),
                (Err((message, _)), Strictness::LeaveOut) => part.left_out.push(message),
            }
        }
    }
    Ok(part)
}

fn plugins(own: &RawOwn, tenant: &Tenant, folder: &Path) -> Result<Vec<Plugin>, Wrong> {
    let most = tenant.limits.plugins_max as usize;
    if own.plugin.len() > most {
        return Err((
            format!(
                "there are {} plugins, but {most} are allowed",
                own.plugin.len()
            ),
            "the operator can raise `plugins_max` in the `limits` of the tenant".into(),
        ));
    }
    let base = own.limits.over(&tenant.plugin_limits);
    let mut names = HashSet::new();
    let mut plugins = Vec::with_capacity(own.plugin.len());
    for raw in &own.plugin {
        check_owner(raw.tenant.as_deref(), &tenant.name)?;
        let plugin = Plugin::resolve(raw, tenant, &base, Author::Tenant(folder))
            .map_err(|(message, hint)| (message, hint.to_owned()))?;
        if !names.insert(&raw.name) {
            return Err((
                format!("two plugins are named `{}`", raw.name),
                "give one of them another name".into(),
            ));
        }
        plugins.push(plugin);
    }
    Ok(plugins)
}

/// A tenant's file speaks of that tenant alone.
fn check_owner(named: Option<&str>, tenant: &str) -> Result<(), Wrong> {
    match named {
        Some(other) if other != tenant => Err((
            format!("`tenant` is `{other}`, but this is the file of `{tenant}`"),
            "leave it out".into(),
        )),
        _ => Ok(()),
    }
}

/// Joins the tenants' own files with the manifest, one after the other: what
/// somebody has already, a later one can't have.
pub struct Join {
    manifest: Manifest,
    taken: Taken,
    names: HashSet<(String, String)>,
}

impl Join {
    /// Begins with the operator's manifest.
    pub fn new(manifest: Manifest) -> Self {
        let mut taken = Taken::default();
        for route in &manifest.routes {
            if let Some(tenant) = route.tenant(&manifest.plugins) {
                // They were told apart when the manifest was checked.
                let _ = taken.take(route, tenant);
            }
        }
        let names = manifest.plugins.iter();
        Self {
            names: names
                .map(|it| (it.tenant.clone(), it.name.clone()))
                .collect(),
            manifest,
            taken,
        }
    }

    /// Adds a tenant's part. Returns sentences about what of it is left out.
    pub fn add(&mut self, part: &Part) -> Vec<String> {
        let mut left_out = part.left_out.clone();
        let name = &part.tenant.name;
        // Where the plugins of the part are now; none for what is left out.
        let mut places = Vec::with_capacity(part.plugins.len());
        for plugin in &part.plugins {
            if self.names.insert((name.clone(), plugin.name.clone())) {
                places.push(Some(self.manifest.plugins.len()));
                self.manifest.plugins.push(plugin.clone());
            } else {
                places.push(None);
                left_out.push(format!(
                    "the manifest has a plugin `{}` of this tenant already",
                    plugin.name
                ));
            }
        }
        for route in &part.routes {
            let to = match &route.to {
                Destination::Plugin(plugin) => match places.get(*plugin) {
                    Some(&Some(plugin)) => Destination::Plugin(plugin),
                    _ => continue,
                },
                Destination::Files(files) => Destination::Files(files.clone()),
            };
            match self.taken.take(route, name) {
                Ok(()) => self.manifest.routes.push(Route {
                    to,
                    ..route.clone()
                }),
                Err(other) => left_out.push(format!(
                    "the route `{}` of the host `{}` belongs to the tenant `{other}`",
                    route.path, route.host
                )),
            }
        }
        self.manifest.enter(part.tenant.clone());
        left_out
    }

    /// All of it.
    pub fn finish(self) -> Manifest {
        self.manifest
    }
}

#[cfg(test)]
mod tests {
    use super::super::{parse, parse_own, resolve};
    use super::*;

    const OPERATOR: &str = "tenants = 'tenants'\n[tenant-defaults]\n\
        hosts = ['{tenant}.example', '*.{tenant}.example', 'shared.example']\n\
        [tenant.acme]\nenv = ['ACME_*']\n[tenant.acme.limits]\nweight = 7\n";
    const PLUGIN: &str = "[[plugin]]\nname = 'a'\ncomponent = 'a.wasm'\n";

    fn operator(text: &str) -> Raw {
        parse("m.toml", text).unwrap()
    }

    fn part(name: &str, text: &str, strictness: Strictness) -> Result<Part, String> {
        let own = parse_own("t.toml", text).map_err(|error| error.to_string())?;
        let folder = Path::new("/app/tenants").join(name);
        resolve_own(
            "t.toml",
            &folder,
            name,
            &own,
            &operator(OPERATOR),
            strictness,
        )
        .map_err(|error| error.to_string())
    }

    fn refused(text: &str) -> String {
        part("acme", text, Strictness::Refuse).unwrap_err()
    }

    fn join(parts: &[Part]) -> (Manifest, Vec<Vec<String>>) {
        let manifest = resolve("m.toml", Path::new("/app"), &operator(OPERATOR)).unwrap();
        let mut join = Join::new(manifest);
        let left_out = parts.iter().map(|part| join.add(part)).collect();
        (join.finish(), left_out)
    }

    #[test]
    fn a_tenant_has_its_folder_its_hosts_and_its_limits() {
        let text = format!("{PLUGIN}[[route]]\npath = '/'\nplugin = 'a'\n");
        let part = part("acme", &text, Strictness::Refuse).unwrap();
        let (manifest, left_out) = join(&[part]);
        assert_eq!(left_out, [Vec::<String>::new()]);
        let plugin = &manifest.plugins[0];
        assert_eq!(plugin.component, Path::new("/app/tenants/acme/a.wasm"));
        assert_eq!(plugin.root.as_deref(), Some("/app/tenants/acme".as_ref()));
        assert_eq!(plugin.tenant_limits.weight, 7);
        let hosts = manifest.routes.iter().map(|it| it.host.to_string());
        let hosts: Vec<_> = hosts.collect();
        assert_eq!(hosts, ["acme.example", "*.acme.example", "shared.example"]);
        let names = manifest.tenants.iter().map(|it| it.name.as_str());
        assert_eq!(names.collect::<Vec<_>>(), ["acme"]);
    }

    #[test]
    fn a_tenant_speaks_of_itself_alone() {
        let route = |host| format!("{PLUGIN}[[route]]\nhost = '{host}'\npath = '/'\nplugin = 'a'");
        for (text, expected) in [
            (format!("{PLUGIN}tenant = 'other'"), "`tenant` is `other`"),
            ("[limits]\nweight = 1".into(), "unknown field `weight`"),
            ("listen = 'x'".into(), "unknown field `listen`"),
            (
                PLUGIN.replace("a.wasm", "../a.wasm"),
                "`component` is \"../a.wasm\"",
            ),
            (
                PLUGIN.replace("a.wasm", "/a.wasm"),
                "`component` is \"/a.wasm\"",
            ),
            (
                PLUGIN.replace("a.wasm", "oci://r.example/a"),
                "`component` is the image \"oci://r.example/a\"",
            ),
            (
                format!("{PLUGIN}config = {{ k = {{ file = '/etc/passwd' }} }}"),
                "the file of the setting `k`",
            ),
            (
                format!("{PLUGIN}config = {{ k = {{ env = 'HOME' }} }}"),
                "may not be read from the variable `HOME`",
            ),
            (
                format!("{PLUGIN}env = {{ k = {{ env = 'HOME' }} }}"),
                "may not be read from the variable `HOME`",
            ),
            (
                format!("{PLUGIN}folders = {{ '/a' = 'a' }}"),
                "`folders` may not have \"a\"",
            ),
            (
                format!("{PLUGIN}allow_http = ['localhost:9']"),
                "`allow_http` may not have",
            ),
            (
                format!("{PLUGIN}limits = {{ idle_timeout_ms = 0 }}"),
                "`idle_timeout_ms` is more than",
            ),
            (route("*"), "which is not the tenant's"),
            (route("example"), "which is not the tenant's"),
            (route("*.example"), "which is not the tenant's"),
        ] {
            let error = refused(&text);
            assert!(error.contains(expected), "{text}: {error}");
            assert!(error.starts_with("t.toml: "), "{error}");
        }
        let many = (0..101).map(|index| PLUGIN.replace("'a'", &format!("'p{index}'")));
        let error = refused(&many.collect::<String>());
        assert!(error.contains("101 plugins, but 100 are"), "{error}");
        let allowed = format!("{PLUGIN}config = {{ k = {{ env = 'ACME_KEY' }} }}");
        assert!(part("acme", &allowed, Strictness::Refuse).is_ok());
    }

    #[test]
    fn the_later_one_does_not_get_what_somebody_has() {
        let text = |kind: &str| {
            format!(
                "{PLUGIN}[[route]]\nhost = 'shared.example'\npath = '/x'\n{kind}plugin = 'a'\n\
                 [[route]]\nhost = 'b.example'\npath = '/'\nplugin = 'a'"
            )
        };
        let one = part("a", &text(""), Strictness::LeaveOut).unwrap();
        let other = part("b", &text("kind = 'http'\n"), Strictness::LeaveOut).unwrap();
        let (manifest, left_out) = join(&[one, other]);
        assert!(left_out[0][0].contains("not the tenant's"), "{left_out:?}");
        assert!(
            left_out[1][0].ends_with("belongs to the tenant `a`"),
            "{left_out:?}"
        );
        assert_eq!(manifest.routes.len(), 2);
        assert_eq!(manifest.plugins.len(), 2);
    }

    #[test]
    fn a_folder_needs_hosts() {
        let own = parse_own("t.toml", PLUGIN).unwrap();
        let raw = operator("tenants = 't'");
        let strictness = Strictness::Refuse;
        let part = resolve_own("t.toml", Path::new("/t"), "x", &own, &raw, strictness);
        let error = part.unwrap_err().to_string();
        assert!(error.contains("gives the tenant `x` no host"), "{error}");
    }
}
