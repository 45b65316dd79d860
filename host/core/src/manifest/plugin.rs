//! A plugin of the manifest.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::image::{Image, NotAnImage};
use super::raw::RawPlugin;
use super::resolve::is_name;
use super::tenant::Tenant;
use super::value::{RawPlace, RawValue, Value};
use crate::deploy::Deploy;
use crate::limits::{Limits, RawLimits, TenantLimits};
use crate::websocket::{NotAnOrigin, Origins, Policies, Replies};

/// A plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plugin {
    /// Its owner.
    pub tenant: String,
    /// Unique in the tenant.
    pub name: String,
    /// Its component: a path, or the reference of an image as it is written.
    pub component: PathBuf,
    /// The image that `component` names; none if that is a path.
    pub image: Option<Image>,
    /// The folder which the component and other files of it can't be out of;
    /// none if the operator has named them.
    pub root: Option<PathBuf>,
    /// For `wasi:config`.
    pub config: BTreeMap<String, Value>,
    /// For `wasi:cli/environment`.
    pub env: BTreeMap<String, Value>,
    /// For `wasi:filesystem`: what the guest calls each folder, and its path.
    pub folders: BTreeMap<String, PathBuf>,
    /// For outbound `wasi:http`.
    pub allow_http: Vec<String>,
    /// How new generations take over.
    pub deploy: Deploy,
    /// Its limits.
    pub limits: Limits,
    /// Those of its tenant.
    pub tenant_limits: Arc<TenantLimits>,
    /// Whether the access log has its requests.
    pub access_log: bool,
}

/// What is wrong, and how to mend it.
pub(super) type Wrong = (String, &'static str);

/// Who has written an entry.
#[derive(Clone, Copy)]
pub(super) enum Author<'a> {
    /// The operator, whose paths are relative to this folder.
    Operator(&'a Path),
    /// The tenant, whose files are in this folder.
    Tenant(&'a Path),
}

impl Plugin {
    /// All that has a value: settings and environment variables.
    pub fn values(&self) -> impl Iterator<Item = &Value> {
        self.config.values().chain(self.env.values())
    }

    /// Checks an entry. `base` are the limits which it has where it sets none.
    pub(super) fn resolve(
        raw: &RawPlugin,
        tenant: &Tenant,
        base: &RawLimits,
        author: Author<'_>,
    ) -> Result<Self, Wrong> {
        if !is_name(&raw.name) {
            return Err((
                format!("the plugin `name` \"{}\" is not a name", raw.name),
                "use 1 to 64 letters, digits, hyphens and underscores",
            ));
        }
        let wrong = |message: String, hint| (format!("plugin `{}`: {message}", raw.name), hint);
        let mut limits = Limits::resolve(&raw.limits.over(base), raw.slow_consumer, raw.on_error)
            .map_err(|error| wrong(error.to_string(), "change it in `limits`"))?;
        limits.connection.policies =
            policies(raw).map_err(|(message, hint)| wrong(message, hint))?;
        let encode = raw.encode.resolve();
        let encode = encode.map_err(|(message, hint)| wrong(message, hint))?;
        limits.http.encode = encode.map(Arc::new);
        let deploy = Deploy::resolve(&raw.deploy)
            .map_err(|error| wrong(error.to_string(), "change it in `deploy`"))?;
        let (folder, root) = match author {
            Author::Operator(folder) => (folder, None),
            Author::Tenant(folder) => {
                check_own(raw, tenant, &limits).map_err(|(message, hint)| wrong(message, hint))?;
                (folder, Some(folder.to_owned()))
            }
        };
        let values = |raw: &BTreeMap<String, RawValue>| {
            let values = raw.iter();
            let values = values.map(|(key, value)| (key.clone(), value.resolve(folder)));
            values.collect()
        };
        let image = image(&raw.component)
            .map_err(|error| wrong(format!("`component`: {error}"), NotAnImage::HINT))?;
        let folders = folders(raw, folder).map_err(|(message, hint)| wrong(message, hint))?;
        check_env(raw).map_err(|(message, hint)| wrong(message, hint))?;
        Ok(Self {
            tenant: tenant.name.clone(),
            name: raw.name.clone(),
            component: match image {
                Some(_) => PathBuf::from(&raw.component),
                None => folder.join(&raw.component),
            },
            image,
            root,
            config: values(&raw.config),
            env: values(&raw.env),
            folders,
            allow_http: raw.allow_http.clone(),
            deploy,
            limits,
            tenant_limits: Arc::clone(&tenant.limits),
            access_log: tenant.access_log,
        })
    }
}

fn policies(raw: &RawPlugin) -> Result<Policies, Wrong> {
    let origins = match &raw.origins {
        None => Origins::default(),
        Some(list) => Origins::new(list).map_err(|error| (error.to_string(), NotAnOrigin::HINT))?,
    };
    let replies = Replies::new(&raw.replies)
        .map_err(|error| (error.to_string(), "let the guest answer such messages"))?;
    Ok(Policies {
        compression: raw.compression,
        origins,
        replies,
    })
}

/// The image that a component is, if it is one.
fn image(component: &str) -> Result<Option<Image>, NotAnImage> {
    let image = Image::is_meant(component).then(|| component.parse());
    image.transpose()
}

/// What a guest may call a folder.
fn folders(raw: &RawPlugin, folder: &Path) -> Result<BTreeMap<String, PathBuf>, Wrong> {
    let folders = raw.folders.iter().map(|(guest, host)| {
        let is_plain = |part| matches!(part, Component::Normal(_) | Component::RootDir);
        if !guest.starts_with('/') || !Path::new(guest).components().all(is_plain) {
            return Err((
                format!("the guest can't have a folder at \"{guest}\""),
                "begin with `/`, as in folders = { \"/public\" = \"public\" }",
            ));
        }
        if host.is_empty() {
            return Err((
                format!("the folder for \"{guest}\" has no path"),
                "name a folder relative to the manifest",
            ));
        }
        Ok((guest.clone(), folder.join(host)))
    });
    folders.collect()
}

/// Names of variables, as far as every system agrees on them.
fn check_env(raw: &RawPlugin) -> Result<(), Wrong> {
    let is_wrong = |name: &&String| name.is_empty() || name.contains(['=', '\0']);
    match raw.env.keys().find(is_wrong) {
        None => Ok(()),
        Some(name) => Err((
            format!(
                "\"{}\" can't be the name of a variable",
                name.escape_debug()
            ),
            "use letters, digits and underscores",
        )),
    }
}

/// Whether a tenant may say that of itself.
fn check_own(raw: &RawPlugin, tenant: &Tenant, limits: &Limits) -> Result<(), Wrong> {
    if Image::is_meant(&raw.component) {
        return Err((
            format!("`component` is the image \"{}\"", raw.component),
            "name a file in the tenant's own folder; images are for the operator's manifest",
        ));
    }
    if !is_inside(&raw.component) {
        return Err((
            format!("`component` is \"{}\"", raw.component),
            "name a file in the tenant's own folder, without `..`",
        ));
    }
    if let Some(folder) = raw.folders.values().next() {
        return Err((
            format!("`folders` may not have \"{folder}\""),
            "the operator can grant folders, by a [[plugin]] of the tenant in the manifest",
        ));
    }
    for (key, value) in raw.config.iter().chain(&raw.env) {
        match value {
            RawValue::Place(RawPlace::File(path)) if !is_inside(path) => {
                return Err((
                    format!("the file of the setting `{key}` is \"{path}\""),
                    "name a file in the tenant's own folder, without `..`",
                ));
            }
            RawValue::Place(RawPlace::Env(name)) if !tenant.may_read(name) => {
                return Err((
                    format!("the setting `{key}` may not be read from the variable `{name}`"),
                    "use { file = \"…\" }; the operator can allow it by `env` of the tenant",
                ));
            }
            RawValue::Place(_) | RawValue::Text(_) => {}
        }
    }
    for entry in &raw.allow_http {
        if is_special(entry) && !tenant.allow_http.contains(entry) {
            return Err((
                format!("`allow_http` may not have \"{entry}\""),
                "the operator can allow it by `allow_http` of the tenant",
            ));
        }
    }
    // They are in their ranges, or the manifest would not have been read.
    let above = tenant.ceiling().ok().and_then(|most| limits.above(&most));
    match above {
        Some(key) => Err((
            format!("`{key}` is more than this tenant's plugins may have"),
            "lower it in `limits`; the operator can raise it by `plugin_limits` of the tenant",
        )),
        None => Ok(()),
    }
}

/// Whether a path can't lead out of its folder, links aside.
pub(super) fn is_inside(path: &str) -> bool {
    let mut parts = Path::new(path).components().peekable();
    let is_plain = |part| matches!(part, Component::Normal(_) | Component::CurDir);
    parts.peek().is_some() && parts.all(is_plain)
}

/// Whether an entry of an allow-list grants more than the public internet.
fn is_special(entry: &str) -> bool {
    let host = entry.split(':').next().unwrap_or_default();
    let host = host.to_ascii_lowercase();
    let is_address = host.parse::<IpAddr>().is_ok() || entry.parse::<IpAddr>().is_ok();
    is_address || entry.starts_with('[') || host == "localhost" || host.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_this_machine_are_special() {
        for entry in [
            "127.0.0.1",
            "10.0.0.1:80",
            "localhost",
            "LocalHost:9",
            "localhost:+80",
            "*.localhost",
            "::1",
            "[::1]:80",
        ] {
            assert!(is_special(entry), "{entry}");
        }
        for entry in ["example.com", "*.example.com:8443", "localhost.example"] {
            assert!(!is_special(entry), "{entry}");
        }
    }

    #[test]
    fn a_path_can_lead_out_of_its_folder() {
        for path in ["a.wasm", "x/a.wasm", "./a.wasm", "..a.wasm"] {
            assert!(is_inside(path), "{path}");
        }
        for path in ["", "/a.wasm", "../a.wasm", "x/../../a.wasm", "x/.."] {
            assert!(!is_inside(path), "{path}");
        }
    }
}
