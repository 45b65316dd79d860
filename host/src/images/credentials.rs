//! Names and passwords for registries, from the file in which Docker keeps them.
//! Programs that it names for others (`credsStore`, `credHelpers`) are not run.

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use holdfast_core::Secret;
use serde::Deserialize;

use super::PullError;
use crate::fleet::read_text;

/// Bytes of the largest file.
const BYTES_MAX: u64 = 1 << 20;

/// What is shown to a registry: nothing, or name and password.
#[derive(Clone, Debug, Default)]
pub(super) struct Credentials(Option<Secret>);

/// `config.json`.
#[derive(Deserialize)]
struct File {
    #[serde(default)]
    auths: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
struct Entry {
    /// Name and password, in Base64.
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
}

impl Credentials {
    /// Those for a registry, if the file has some.
    pub(super) fn read(path: &Path, registry: &str) -> Result<Self, PullError> {
        let failed = |why: String| PullError::Credentials {
            path: path.to_owned(),
            why,
        };
        let text = read_text(None, path, BYTES_MAX).map_err(|error| failed(error.to_string()))?;
        // The error could show what is in the file.
        let wrong = |_| failed("it is no file of Docker's".to_owned());
        let file: File = serde_json::from_str(&text).map_err(wrong)?;
        let mut entries = file.auths.iter();
        let entry = entries.find(|(name, _)| is_name_of(name, registry));
        Ok(Self(entry.and_then(|(_, entry)| entry.pair())))
    }

    /// The value of `Authorization` (RFC 7617).
    pub(super) fn basic(&self) -> Option<String> {
        let pair = self.0.as_ref()?;
        Some(format!("Basic {}", STANDARD.encode(pair.reveal())))
    }
}

impl Entry {
    fn pair(&self) -> Option<Secret> {
        if let Some(auth) = self.auth.as_ref().filter(|it| !it.is_empty()) {
            let bytes = STANDARD.decode(auth).ok()?;
            let pair = String::from_utf8(bytes).ok()?;
            return pair.contains(':').then(|| pair.into());
        }
        let (name, password) = (self.username.as_ref()?, self.password.as_ref()?);
        Some(format!("{name}:{password}").into())
    }
}

/// Docker writes some names with scheme and path.
fn is_name_of(name: &str, registry: &str) -> bool {
    let name = name.split_once("://").map_or(name, |(_, rest)| rest);
    let host = name.split('/').next().unwrap_or_default();
    let is_hub = registry == "docker.io" && host == "index.docker.io";
    host.eq_ignore_ascii_case(registry) || is_hub
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_docker_is_read() {
        let path = std::env::temp_dir().join(format!("holdfast-docker-{}", std::process::id()));
        let text = r#"{ "credsStore": "desktop", "auths": {
            "https://index.docker.io/v1/": { "auth": "YWRhOnNlY3JldA==" },
            "r.example:5000": { "username": "bob", "password": "pass:word" },
            "empty.example": {} } }"#;
        std::fs::write(&path, text).unwrap();
        let of = |registry| Credentials::read(&path, registry).unwrap().basic();
        assert_eq!(of("docker.io").unwrap(), "Basic YWRhOnNlY3JldA==");
        let pair = format!("Basic {}", STANDARD.encode("bob:pass:word"));
        assert_eq!(of("r.example:5000").unwrap(), pair);
        assert_eq!(of("r.example"), None);
        assert_eq!(of("empty.example"), None);
        std::fs::write(&path, "{ \"auths\": \"hunter2\" }").unwrap();
        let error = Credentials::read(&path, "docker.io").unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
        std::fs::remove_file(&path).unwrap();
    }
}
