//! Manifests and indexes of images (OCI image specification 1.1), as those write
//! them who push components: `wkg`, `oras`, Spin, wasmCloud.

use holdfast_core::manifest::is_digest;
use serde::Deserialize;

use super::PullError;

/// What a registry may answer with.
pub(super) const DOCUMENT_TYPES: &str = "application/vnd.oci.image.manifest.v1+json, \
    application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, */*";

/// Layers that are components: as the WebAssembly working group of the CNCF has
/// them, and what others wrote before.
const COMPONENT_TYPES: [&str; 4] = [
    "application/wasm",
    "application/vnd.wasm.content.layer.v1+wasm",
    "application/vnd.module.wasm.content.layer.v1+wasm",
    "application/vnd.bytecodealliance.wasm.component.layer.v0+wasm",
];

/// The processor of which an index speaks when it means WebAssembly.
const ARCHITECTURE: &str = "wasm";

/// Where something is.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub(super) struct Descriptor {
    #[serde(rename = "mediaType", default)]
    media_type: String,
    /// SHA-256 in hexadecimal digits, once it was checked.
    pub(super) digest: String,
    /// In bytes.
    pub(super) size: u64,
    platform: Option<Platform>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
struct Platform {
    architecture: String,
}

/// What a manifest leads to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Content {
    Component(Descriptor),
    /// Another manifest, of which an index speaks.
    Document(Descriptor),
}

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    layers: Vec<Descriptor>,
    #[serde(default)]
    manifests: Vec<Descriptor>,
}

/// Reads a manifest or an index.
///
/// # Errors
/// [`PullError::Document`] when it is neither, or not of exactly one component.
pub(super) fn read(text: &[u8]) -> Result<Content, PullError> {
    let wrong = |error: serde_json::Error| PullError::Document(error.to_string());
    let Document { layers, manifests } = serde_json::from_slice(text).map_err(wrong)?;
    match (layers.is_empty(), manifests.is_empty()) {
        (_, true) => component(layers).map(Content::Component),
        (true, false) => manifest(manifests).map(Content::Document),
        (false, false) => Err(PullError::Document("it is an index, too".into())),
    }
}

fn component(layers: Vec<Descriptor>) -> Result<Descriptor, PullError> {
    let types: Vec<_> = layers.iter().map(|it| it.media_type.clone()).collect();
    let is_component = |it: &Descriptor| COMPONENT_TYPES.contains(&&*it.media_type);
    let mut components = layers.into_iter().filter(is_component);
    match (components.next(), components.next()) {
        (Some(component), None) => checked(component),
        (None, _) => Err(PullError::Document(format!(
            "no layer is a component; there are {types:?}"
        ))),
        (Some(_), Some(_)) => Err(PullError::Document(
            "it has several components, and nothing says which is meant".into(),
        )),
    }
}

fn manifest(manifests: Vec<Descriptor>) -> Result<Descriptor, PullError> {
    let count = manifests.len();
    let is_wasm = |it: &Descriptor| {
        let platform = it.platform.as_ref();
        count == 1 || platform.is_some_and(|it| it.architecture == ARCHITECTURE)
    };
    let mut meant = manifests.into_iter().filter(is_wasm);
    match (meant.next(), meant.next()) {
        (Some(manifest), None) => checked(manifest),
        _ => Err(PullError::Document(format!(
            "its index has {count} manifests, of which not exactly one is for `{ARCHITECTURE}`"
        ))),
    }
}

fn checked(descriptor: Descriptor) -> Result<Descriptor, PullError> {
    let digest = descriptor.digest.strip_prefix("sha256:");
    let Some(digest) = digest.filter(|it| is_digest(it)) else {
        let text = format!("{:?} is no SHA-256", descriptor.digest);
        return Err(PullError::Document(text));
    };
    Ok(Descriptor {
        digest: digest.to_owned(),
        ..descriptor
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn descriptor(media_type: &str, digit: &str, rest: &str) -> String {
        let digest = digit.repeat(64);
        format!(
            "{{ \"mediaType\": \"{media_type}\", \"digest\": \"sha256:{digest}\", \"size\": 3{rest} }}"
        )
    }

    fn of(key: &str, descriptors: &[String]) -> Result<Content, PullError> {
        let text = format!(
            "{{ \"schemaVersion\": 2, \"{key}\": [{}] }}",
            descriptors.join(",")
        );
        read(text.as_bytes())
    }

    #[test]
    fn the_only_component_is_found() {
        for media_type in COMPONENT_TYPES {
            let data = descriptor("application/json", "1", "");
            let found = of("layers", &[data, descriptor(media_type, "2", "")]).unwrap();
            let Content::Component(found) = found else {
                panic!("{found:?}");
            };
            assert_eq!((found.digest, found.size), ("2".repeat(64), 3));
        }
    }

    #[test]
    fn an_index_leads_to_what_is_for_wasm() {
        let index = "application/vnd.oci.image.manifest.v1+json";
        let of_platform = |digit: &str, name: &str| {
            let platform =
                format!(", \"platform\": {{ \"architecture\": \"{name}\", \"os\": \"x\" }}");
            descriptor(index, digit, &platform)
        };
        let found = of(
            "manifests",
            &[of_platform("1", "amd64"), of_platform("2", "wasm")],
        );
        assert!(matches!(found, Ok(Content::Document(it)) if it.digest.starts_with('2')));
        assert!(of("manifests", &[descriptor(index, "1", "")]).is_ok());
        let two = [of_platform("1", "wasm"), of_platform("2", "wasm")];
        assert!(of("manifests", &two).is_err());
    }

    #[test]
    fn what_is_unclear_is_an_error() {
        let wasm = descriptor("application/wasm", "2", "");
        for (text, word) in [
            (of("layers", &[]), "no layer"),
            (
                of("layers", &[descriptor("text/plain", "1", "")]),
                "text/plain",
            ),
            (of("layers", &[wasm.clone(), wasm.clone()]), "several"),
            (of("layers", &[wasm.replace("sha256", "md5")]), "SHA-256"),
            (
                of("layers", &[wasm.replace("sha256:2", "sha256:/../2")]),
                "SHA-256",
            ),
            (read(b"<html>"), "expected"),
            (read(b"{ \"layers\": 5 }"), "invalid type"),
        ] {
            let error = text.unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
