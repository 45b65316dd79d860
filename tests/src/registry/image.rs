//! Images as others make them of a component.

use bytes::Bytes;
use sha2::{Digest, Sha256};

/// Who makes an image, which shows in its media types.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// `wkg`, Spin and wasmCloud today.
    Wasm,
    /// What was before that.
    Layer,
    /// wasmCloud before version 1.
    Module,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Wasm, Self::Layer, Self::Module];

    /// The media types of the configuration and of the component.
    fn types(self) -> (&'static str, &'static str) {
        match self {
            Self::Wasm => ("application/vnd.wasm.config.v0+json", "application/wasm"),
            Self::Layer => (
                "application/vnd.wasm.config.v1+json",
                "application/vnd.wasm.content.layer.v1+wasm",
            ),
            Self::Module => (
                "application/vnd.wasmcloud.actor.archive.config",
                "application/vnd.module.wasm.content.layer.v1+wasm",
            ),
        }
    }
}

/// What is pushed.
#[derive(Clone, Debug)]
pub struct Image {
    /// Its manifest, in JSON.
    pub manifest: String,
    /// What the manifest says of it.
    pub config: Bytes,
    /// The component.
    pub component: Bytes,
}

impl Image {
    /// One of these bytes.
    pub fn new(component: impl Into<Bytes>, kind: Kind) -> Self {
        let component = component.into();
        let config = Bytes::from_static(b"{\"architecture\":\"wasm\",\"os\":\"wasip2\"}");
        let (config_type, component_type) = kind.types();
        let descriptor = |media_type: &str, content: &Bytes| {
            serde_json::json!({
                "mediaType": media_type,
                "digest": format!("sha256:{}", digest(content)),
                "size": content.len(),
            })
        };
        let manifest = serde_json::json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": descriptor(config_type, &config),
            "layers": [descriptor(component_type, &component)],
        });
        Self {
            manifest: manifest.to_string(),
            config,
            component,
        }
    }

    /// The digest of its manifest, in hexadecimal digits.
    pub fn digest(&self) -> String {
        digest(self.manifest.as_bytes())
    }

    /// That of its component.
    pub fn component_digest(&self) -> String {
        digest(&self.component)
    }
}

/// A SHA-256 in hexadecimal digits.
pub(super) fn digest(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
