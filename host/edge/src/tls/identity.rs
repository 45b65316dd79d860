//! Certificates with their keys, and which of them a client is shown.

use std::collections::HashMap;
use std::sync::Arc;

use holdfast_core::manifest::HostPattern;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, pem};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{Error, InconsistentKeys};

/// A certificate, those which lead to its authority, and its private key.
#[derive(Clone, Debug)]
pub struct Identity {
    key: Arc<CertifiedKey>,
    names: Vec<HostPattern>,
}

/// Why there is no identity.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The first text has none.
    #[error("there is no certificate in it")]
    NoCertificate,
    /// It is there, but malformed.
    #[error("the certificate can't be read: {0}")]
    Certificate(String),
    /// The certificate names no host.
    #[error("the certificate names no host (subjectAltName)")]
    NoName,
    /// The second text has none.
    #[error("there is no private key in it")]
    NoKey,
    /// It is there, but can't be used.
    #[error("the private key can't be used: {0}")]
    Key(String),
    /// They don't belong together.
    #[error("the private key is not that of the certificate")]
    Mismatch,
}

impl IdentityError {
    /// Whether it is the file of the key that has to be mended.
    pub fn is_about_key(&self) -> bool {
        matches!(self, Self::NoKey | Self::Key(_) | Self::Mismatch)
    }
}

/// Which certificate is for which name.
#[derive(Debug, Default)]
pub struct Identities {
    /// Several for one name differ in the kind of their keys.
    exact: HashMap<String, Vec<Arc<CertifiedKey>>>,
    /// Wildcards, by the name directly below which they are.
    below: HashMap<String, Vec<Arc<CertifiedKey>>>,
    fallback: Vec<Arc<CertifiedKey>>,
}

impl Identity {
    /// Reads a chain of certificates and a private key, both in PEM.
    ///
    /// # Errors
    /// Fails when one of them is missing or malformed, or when they don't belong
    /// together.
    pub fn from_pem(certificates: &[u8], key: &[u8]) -> Result<Self, IdentityError> {
        let malformed = |error: pem::Error| IdentityError::Certificate(error.to_string());
        let chain = CertificateDer::pem_slice_iter(certificates);
        let chain = chain.collect::<Result<Vec<_>, _>>().map_err(malformed)?;
        let leaf = chain.first().ok_or(IdentityError::NoCertificate)?;
        let names = names(leaf)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| match error {
            pem::Error::NoItemsFound => IdentityError::NoKey,
            error => IdentityError::Key(error.to_string()),
        })?;
        let key = CertifiedKey::from_der(chain, key, &ring::default_provider());
        let key = key.map_err(|error| match error {
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => IdentityError::Mismatch,
            error => IdentityError::Key(error.to_string()),
        })?;
        Ok(Self {
            key: Arc::new(key),
            names,
        })
    }

    /// The names of the certificate: hosts and wildcards. A wildcard of a
    /// certificate stands for one label, unlike one of a route.
    pub fn names(&self) -> &[HostPattern] {
        &self.names
    }
}

/// The hosts which a certificate names (RFC 9525, section 6.3).
fn names(certificate: &CertificateDer<'_>) -> Result<Vec<HostPattern>, IdentityError> {
    let parsed = webpki::EndEntityCert::try_from(certificate);
    let parsed = parsed.map_err(|error| IdentityError::Certificate(error.to_string()))?;
    let names = parsed
        .valid_dns_names()
        .filter_map(|name| name.parse().ok());
    let names: Vec<_> = names.filter(|name| *name != HostPattern::Any).collect();
    match names.is_empty() {
        true => Err(IdentityError::NoName),
        false => Ok(names),
    }
}

impl Identities {
    /// Shows clients that ask for this name an identity, unless there is one of
    /// the same kind for it.
    pub fn add(&mut self, name: &HostPattern, identity: &Identity) {
        let place = match name {
            HostPattern::Exact(name) => self.exact.entry(name.clone()),
            HostPattern::Below(zone) => self.below.entry(zone.clone()),
            HostPattern::Any => return,
        };
        place.or_default().push(Arc::clone(&identity.key));
    }

    /// Shows it, after those before, to clients that name no host or an unknown
    /// one.
    pub fn add_fallback(&mut self, identity: &Identity) {
        self.fallback.push(Arc::clone(&identity.key));
    }

    fn find(&self, name: Option<&str>) -> &[Arc<CertifiedKey>] {
        let Some(name) = name else {
            return &self.fallback;
        };
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        let below = || {
            let (_, zone) = name.split_once('.')?;
            self.below.get(zone)
        };
        let found = self.exact.get(&name).or_else(below);
        found.unwrap_or(&self.fallback)
    }
}

impl ResolvesServerCert for Identities {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let found = self.find(hello.server_name());
        let schemes = hello.signature_schemes();
        let fits = |it: &&Arc<CertifiedKey>| it.key.choose_scheme(schemes).is_some();
        found.iter().find(fits).or(found.first()).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &[u8] = include_bytes!("../../../../tests/certificates/one.pem");
    const ONE_KEY: &[u8] = include_bytes!("../../../../tests/certificates/one.key");
    const TWO: &[u8] = include_bytes!("../../../../tests/certificates/two.pem");
    const TWO_KEY: &[u8] = include_bytes!("../../../../tests/certificates/two.key");

    #[test]
    fn a_certificate_is_found_by_its_names() {
        let one = Identity::from_pem(ONE, ONE_KEY).unwrap();
        let two = Identity::from_pem(TWO, TWO_KEY).unwrap();
        let names = two.names().iter().map(ToString::to_string);
        assert_eq!(names.collect::<Vec<_>>(), ["two.test", "*.two.test"]);
        let mut identities = Identities::default();
        identities.add_fallback(&one);
        for identity in [&one, &two] {
            for name in identity.names() {
                identities.add(name, identity);
            }
        }
        for (name, expected) in [
            (Some("one.test"), &one),
            (Some("two.test"), &two),
            (Some("TWO.test."), &two),
            (Some("a.two.test"), &two),
            (Some("a.b.two.test"), &one),
            (Some("else.test"), &one),
            (None, &one),
        ] {
            let found = identities.find(name).first().unwrap();
            assert!(Arc::ptr_eq(found, &expected.key), "{name:?}");
        }
        identities.fallback.clear();
        assert!(identities.find(Some("else.test")).is_empty());
    }

    #[test]
    fn what_is_wrong_is_told_apart() {
        let error = |certificate, key| Identity::from_pem(certificate, key).unwrap_err();
        assert!(matches!(error(b"", ONE_KEY), IdentityError::NoCertificate));
        assert!(matches!(error(ONE, b""), IdentityError::NoKey));
        assert!(matches!(error(ONE, ONE), IdentityError::NoKey));
        assert!(matches!(error(ONE, TWO_KEY), IdentityError::Mismatch));
        let garbled = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(matches!(
            error(garbled, ONE_KEY),
            IdentityError::Certificate(_)
        ));
        let garbled = b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        assert!(matches!(error(ONE, garbled), IdentityError::Key(_)));
    }
}
