//! `holdfast run`: a manifest from the command line.

use holdfast_core::manifest::{self, Manifest, Raw, RawListen, RawPlugin, RawRoute};

use crate::cli::Run;
use crate::problem::Problem;

const NAME_DEFAULT: &str = "plugin";

/// The manifest which serves one component at every path.
pub(crate) fn manifest(arguments: &Run) -> Result<Manifest, Problem> {
    let folder = std::env::current_dir()
        .map_err(|error| Problem::new(format!("no current folder: {error}"), "change to one"))?;
    let name = name(arguments);
    let config = arguments.config.iter().cloned();
    let config = config.map(|(key, value)| (key, value.into()));
    let raw = Raw {
        listen: Some(RawListen::Address(arguments.listen.to_string())),
        plugin: vec![RawPlugin {
            name: name.clone(),
            tenant: None,
            component: arguments.component.to_string_lossy().into_owned(),
            config: config.collect(),
            allow_http: arguments.allow_http.clone(),
            slow_consumer: Default::default(),
            on_error: Default::default(),
            compression: Default::default(),
            encode: Default::default(),
            origins: None,
            replies: Default::default(),
            deploy: Default::default(),
            limits: Default::default(),
        }],
        route: vec![RawRoute {
            path: "/".into(),
            plugin: Some(name),
            ..Default::default()
        }],
        ..Default::default()
    };
    Ok(manifest::resolve("command line", &folder, &raw)?)
}

/// The file's name, as far as it can be a plugin's name.
fn name(arguments: &Run) -> String {
    let stem = arguments.component.file_stem().unwrap_or_default();
    let name: String = stem
        .to_string_lossy()
        .chars()
        .map(|letter| {
            if letter.is_ascii_alphanumeric() {
                letter
            } else {
                '-'
            }
        })
        .take(64)
        .collect();
    if name.is_empty() {
        NAME_DEFAULT.into()
    } else {
        name
    }
}
