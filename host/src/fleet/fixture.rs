//! Manifests and generations for unit tests.

use std::sync::Arc;
use std::time::SystemTime;

use holdfast_core::manifest::{self, Manifest, Plugin};
use holdfast_core::{PluginId, Settings, TenantId};

use super::deployed::settings;
use super::version::Version;

/// A manifest with one plugin, `a`, and these keys of the host before it.
pub(crate) fn manifest(host: &str) -> Manifest {
    let rest = "[[plugin]]\nname = 'a'\ncomponent = 'a.wasm'\n";
    resolve(&format!(
        "{host}\n{rest}[[route]]\npath = '/'\nplugin = 'a'\n"
    ))
}

/// The plugin `a` with these keys.
pub(crate) fn entry(keys: &str) -> Plugin {
    let rest = "[[route]]\npath = '/'\nplugin = 'a'\n";
    let text = format!("[[plugin]]\nname = 'a'\ncomponent = 'a.wasm'\n{keys}\n{rest}");
    resolve(&text).plugins.remove(0)
}

fn resolve(text: &str) -> Manifest {
    let raw = manifest::parse("m.toml", text).unwrap();
    manifest::resolve("m.toml", "/app".as_ref(), &raw).unwrap()
}

/// A generation of the plugin `a`.
pub(crate) fn version(number: u32, digest: &str) -> Version<()> {
    let entry = Arc::new(entry(""));
    Version {
        number,
        digest: digest.to_owned(),
        settings: Arc::new(Settings {
            generation: number,
            ..settings(&entry, PluginId(0), TenantId(0), &Arc::default())
        }),
        entry,
        loaded: (),
        since: SystemTime::UNIX_EPOCH,
        given_up: false,
    }
}
