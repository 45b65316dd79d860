//! Certificates, and how TLS is spoken.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::host_pattern::HostPattern;
use super::resolve::Wrong;
use crate::limits::{counted, ranged};

/// `[tls]` as written.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawTls {
    /// Certificates of the operator; the first is for clients that name no host
    /// or an unknown one.
    #[serde(default)]
    pub certificates: Vec<RawCertificate>,
    /// Whether a client has to name a host for which there is a certificate.
    #[serde(default)]
    pub strict_sni: bool,
    /// A file of the authorities that sign the certificates of clients.
    pub client_ca: Option<String>,
    /// Whether a client has to have one; `required` if left out.
    pub client_auth: Option<ClientAuth>,
    /// Time a client has for its TLS handshake, the PROXY protocol included.
    pub handshake_timeout_ms: Option<u64>,
    /// TLS handshakes under way at once.
    pub handshakes_max: Option<u32>,
}

/// A certificate as written.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawCertificate {
    /// A PEM file of the certificate and of those that lead to its authority,
    /// relative to the manifest.
    pub cert: String,
    /// A PEM file of its private key, relative to the manifest.
    pub key: String,
}

/// Whether clients have to show a certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientAuth {
    /// Without one there is no connection.
    #[default]
    Required,
    /// One that is shown has to be good.
    Optional,
}

/// How TLS is spoken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// Whether a client has to name a host for which there is a certificate.
    pub strict_sni: bool,
    /// Whose certificates are taken from clients; none if they show none.
    pub client: Option<(PathBuf, ClientAuth)>,
    /// Time a client has for its TLS handshake.
    pub handshake_timeout_ms: u64,
    /// TLS handshakes under way at once. Reached: others wait, within their time.
    pub handshakes_max: u32,
}

/// A certificate and its key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Certificate {
    /// The chain, in PEM.
    pub cert: PathBuf,
    /// The private key, in PEM.
    pub key: PathBuf,
    /// Whose it is; none for the operator's own.
    pub tenant: Option<String>,
    /// Hosts for which it may be used; empty for all that it names.
    pub hosts: Vec<HostPattern>,
}

impl RawTls {
    /// Paths are relative to `folder`.
    pub(super) fn resolve(&self, folder: &Path) -> Result<Tls, Wrong> {
        let client = match (&self.client_ca, self.client_auth) {
            (Some(file), auth) => Some((folder.join(file), auth.unwrap_or_default())),
            (None, None) => None,
            (None, Some(_)) => {
                return Err((
                    "`tls.client_auth` is there, but no `tls.client_ca`".into(),
                    "name the file of the authorities that sign the certificates of clients".into(),
                ));
            }
        };
        let out_of_range = |error: crate::limits::OutOfRange| {
            (error.to_string(), "change it in `[tls]`".to_owned())
        };
        Ok(Tls {
            strict_sni: self.strict_sni,
            client,
            handshake_timeout_ms: ranged(
                "handshake_timeout_ms",
                self.handshake_timeout_ms,
                10_000,
                1..=600_000,
            )
            .map_err(out_of_range)?,
            handshakes_max: counted("handshakes_max", self.handshakes_max, 1_000, 1_000_000)
                .map_err(out_of_range)?,
        })
    }

    /// The operator's certificates.
    pub(super) fn certificates(&self, folder: &Path) -> Vec<Certificate> {
        let certificates = self.certificates.iter();
        let resolved = certificates.map(|it| it.resolve(None, &[]).beneath(folder));
        resolved.collect()
    }
}

impl RawCertificate {
    /// The same with a tenant's name in the place of `{tenant}`.
    pub(super) fn of(&self, tenant: &str) -> Self {
        Self {
            cert: self.cert.replace("{tenant}", tenant),
            key: self.key.replace("{tenant}", tenant),
        }
    }

    /// Paths stay as they are.
    pub(super) fn resolve(&self, tenant: Option<&str>, hosts: &[HostPattern]) -> Certificate {
        Certificate {
            cert: self.cert.clone().into(),
            key: self.key.clone().into(),
            tenant: tenant.map(str::to_owned),
            hosts: hosts.to_vec(),
        }
    }
}

impl Certificate {
    /// The same with paths that are relative to `folder`.
    pub(super) fn beneath(&self, folder: &Path) -> Self {
        Self {
            cert: folder.join(&self.cert),
            key: folder.join(&self.key),
            ..self.clone()
        }
    }

    /// Whether it may be used for a name of a host or a wildcard.
    pub fn is_for(&self, name: &HostPattern) -> bool {
        self.hosts.is_empty() || self.hosts.iter().any(|host| host.covers(name))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{parse, resolve};
    use super::*;

    const REST: &str = "tenants = 't'\n";

    #[test]
    fn certificates_are_relative_to_the_manifest() {
        let text = format!(
            "{REST}[tls]\ncertificates = [{{ cert = 'a.pem', key = '/k/a.key' }}]\n\
             client_ca = 'ca.pem'\nclient_auth = 'optional'\n\
             [tenant-defaults]\nhosts = ['{{tenant}}.example']\n\
             certificates = [{{ cert = 'c/{{tenant}}.pem', key = 'c/{{tenant}}.key' }}]\n\
             [tenant.acme]\n"
        );
        let manifest = resolve("m", Path::new("/app"), &parse("m", &text).unwrap()).unwrap();
        let [own, acme] = &manifest.certificates()[..] else {
            panic!("{:?}", manifest.certificates());
        };
        assert_eq!(own.cert, Path::new("/app/a.pem"));
        assert_eq!(own.key, Path::new("/k/a.key"));
        assert!(own.is_for(&HostPattern::Any));
        assert_eq!(acme.cert, Path::new("/app/c/acme.pem"));
        assert_eq!(acme.tenant.as_deref(), Some("acme"));
        assert!(acme.is_for(&"acme.example".parse().unwrap()));
        assert!(!acme.is_for(&"other.example".parse().unwrap()));
        let client = manifest.host.tls.client.unwrap();
        assert_eq!(client, ("/app/ca.pem".into(), ClientAuth::Optional));
    }

    #[test]
    fn client_auth_needs_authorities() {
        let text = format!("{REST}[tls]\nclient_auth = 'optional'\n");
        let error = resolve("m", Path::new("/"), &parse("m", &text).unwrap()).unwrap_err();
        assert!(error.message.contains("no `tls.client_ca`"), "{error}");
    }
}
