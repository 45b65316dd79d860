//! Components in registries: `oci://REGISTRY/REPOSITORY:TAG@sha256:DIGEST`, as the
//! distribution specification of the Open Container Initiative names images.

use std::fmt;
use std::str::FromStr;

/// How references begin.
const SCHEME: &str = "oci://";

/// The tag that is meant by a reference without tag and digest.
const DEFAULT_TAG: &str = "latest";

/// Bytes of the longest repository and of the longest tag (distribution
/// specification 1.1, section "Pulling manifests").
const REPOSITORY_BYTES_MAX: usize = 255;
const TAG_BYTES_MAX: usize = 128;

/// Hexadecimal digits of a SHA-256.
const DIGEST_LEN: usize = 64;

/// An image in a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Name or address, and port if it is not that of HTTPS.
    pub registry: String,
    /// Its name there.
    pub repository: String,
    /// The name of one of its versions; none if only the digest counts.
    pub tag: Option<String>,
    /// SHA-256 of its manifest, in lower-case hexadecimal digits: what has another
    /// one is not taken.
    pub digest: Option<String>,
}

/// The text names no image.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" names no image in a registry")]
pub struct NotAnImage(pub String);

impl NotAnImage {
    /// How to write it.
    pub const HINT: &str =
        "write it as oci://registry.example.com/name:tag, or with @sha256: and a digest behind it";
}

impl Image {
    /// Whether a text is meant to be a reference, and not a path.
    pub fn is_meant(text: &str) -> bool {
        text.starts_with(SCHEME)
    }

    /// What is asked for at the registry: the digest, if there is one.
    pub fn version(&self) -> String {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => format!("sha256:{digest}"),
            (None, Some(tag)) => tag.clone(),
            (None, None) => DEFAULT_TAG.to_owned(),
        }
    }

    /// The last part of its name.
    pub fn name(&self) -> &str {
        let parts = self.repository.rsplit('/');
        parts.into_iter().next().unwrap_or_default()
    }
}

impl FromStr for Image {
    type Err = NotAnImage;

    fn from_str(text: &str) -> Result<Self, NotAnImage> {
        parse(text).ok_or_else(|| NotAnImage(text.to_owned()))
    }
}

impl fmt::Display for Image {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{SCHEME}{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(formatter, ":{tag}")?;
        }
        match &self.digest {
            Some(digest) => write!(formatter, "@sha256:{digest}"),
            None => Ok(()),
        }
    }
}

fn parse(text: &str) -> Option<Image> {
    let (registry, rest) = text.strip_prefix(SCHEME)?.split_once('/')?;
    let (rest, digest) = match rest.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest.strip_prefix("sha256:")?)),
        None => (rest, None),
    };
    let (repository, tag) = match rest.split_once(':') {
        Some((repository, tag)) => (repository, Some(tag)),
        None => (rest, None),
    };
    let is_good = is_registry(registry)
        && is_repository(repository)
        && tag.is_none_or(is_tag)
        && digest.is_none_or(is_digest);
    let no_version = tag.is_none() && digest.is_none();
    let tag = tag.or(no_version.then_some(DEFAULT_TAG));
    is_good.then(|| Image {
        registry: registry.to_ascii_lowercase(),
        repository: repository.to_owned(),
        tag: tag.map(str::to_owned),
        digest: digest.map(str::to_owned),
    })
}

fn is_registry(text: &str) -> bool {
    let Ok(authority) = text.parse::<http::uri::Authority>() else {
        return false;
    };
    let host = authority.host();
    let port = text.strip_prefix(host).unwrap_or_default();
    let port = port.strip_prefix(':').map(str::parse::<u16>);
    let is_good = match port {
        Some(port) => port.is_ok(),
        None => text == host,
    };
    is_good && !host.is_empty()
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`, several with slashes between them.
fn is_repository(text: &str) -> bool {
    text.len() <= REPOSITORY_BYTES_MAX && text.split('/').all(is_component)
}

fn is_component(text: &str) -> bool {
    let is_word = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    let separators = text.split(is_word).filter(|between| !between.is_empty());
    let are_good = separators.clone().all(|between| {
        matches!(between, "." | "_" | "__") || between.bytes().all(|byte| byte == b'-')
    });
    are_good && text.starts_with(is_word) && text.ends_with(is_word)
}

fn is_tag(text: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let mut bytes = text.bytes();
    text.len() <= TAG_BYTES_MAX
        && bytes.next().is_some_and(is_word)
        && bytes.all(|byte| is_word(byte) || byte == b'.' || byte == b'-')
}

/// Whether these are the digits of a SHA-256.
pub fn is_digest(text: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.len() == DIGEST_LEN && text.bytes().all(is_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read() {
        let digest = "a0".repeat(32);
        for (text, version) in [
            ("oci://ghcr.io/acme/chat:1.2", "1.2".to_owned()),
            ("oci://127.0.0.1:5000/chat", "latest".to_owned()),
            ("oci://[::1]:5000/a/b__c/d--e:_x", "_x".to_owned()),
            (
                &format!("oci://r.example/a.b:v1@sha256:{digest}"),
                format!("sha256:{digest}"),
            ),
            (
                &format!("oci://r.example/a@sha256:{digest}"),
                format!("sha256:{digest}"),
            ),
        ] {
            let image: Image = text.parse().unwrap();
            assert_eq!(image.version(), version, "{text}");
            let again: Image = image.to_string().parse().unwrap();
            assert_eq!(again, image, "{text}");
        }
        let image: Image = "oci://R.example/acme/chat".parse().unwrap();
        assert_eq!((image.name(), &*image.registry), ("chat", "r.example"));
    }

    #[test]
    fn other_texts_are_none() {
        let digest = "a0".repeat(32);
        for text in [
            "chat.wasm",
            "oci://ghcr.io",
            "oci:///chat",
            "oci://ghcr.io/",
            "oci://ghcr.io/Chat",
            "oci://ghcr.io/a//b",
            "oci://ghcr.io/../v2/x",
            "oci://ghcr.io/a___b",
            "oci://ghcr.io/-a",
            "oci://ghcr.io/a?x",
            "oci://user@ghcr.io/a",
            "oci://ghcr.io:x/a",
            "oci://ghcr.io/a:",
            "oci://ghcr.io/a:.x",
            "oci://ghcr.io/a:x/y",
            "oci://ghcr.io/a@sha256:a0",
            "oci://ghcr.io/a@sha512:a0",
            &format!("oci://ghcr.io/a@sha256:{}", digest.to_uppercase()),
            &format!("oci://ghcr.io/{}", "a".repeat(256)),
        ] {
            assert!(text.parse::<Image>().is_err(), "{text}");
        }
    }
}
