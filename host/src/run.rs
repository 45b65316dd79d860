//! `holdfast run`: a manifest from the command line.

use std::collections::BTreeMap;

use holdfast_core::manifest::{
    self, Image, Manifest, Raw, RawImages, RawListen, RawPlugin, RawRoute, RawValue,
};

use crate::cli::Run;
use crate::problem::Problem;

const NAME_DEFAULT: &str = "plugin";

/// The manifest which serves one component at every path.
pub(crate) fn manifest(arguments: &Run) -> Result<Manifest, Problem> {
    let folder = std::env::current_dir()
        .map_err(|error| Problem::new(format!("no current folder: {error}"), "change to one"))?;
    let name = name(arguments);
    let raw = Raw {
        listen: Some(RawListen::Address(arguments.listen.to_string())),
        plugin: vec![RawPlugin {
            name: name.clone(),
            tenant: None,
            component: arguments.component.to_string_lossy().into_owned(),
            config: pairs(&arguments.config),
            env: pairs(&arguments.env),
            folders: arguments.folder.iter().cloned().collect(),
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
        images: RawImages {
            plain_http: arguments.plain_http.clone(),
            ..Default::default()
        },
        ..Default::default()
    };
    Ok(manifest::resolve("command line", &folder, &raw)?)
}

fn pairs(pairs: &[(String, String)]) -> BTreeMap<String, RawValue> {
    let pairs = pairs.iter().cloned();
    pairs.map(|(key, value)| (key, value.into())).collect()
}

/// The name of the file or of the image, as far as it can be a plugin's name.
fn name(arguments: &Run) -> String {
    let image = arguments.component.to_str().and_then(|it| it.parse().ok());
    let stem = match &image {
        Some(image) => Image::name(image).into(),
        None => arguments
            .component
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy(),
    };
    let name: String = stem
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
