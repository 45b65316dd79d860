//! Certificates for TLS: read at the start, and again when their files change.
//! What can't be read leaves the one before in force.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use holdfast_core::manifest::{Certificate, ClientAuth, Host, Manifest, Protocol};
use holdfast_edge::{Clients, Identities, Identity, IdentityError, Tls};

use super::beneath;
use super::fault::Fault;
use super::look::{Look, Why};
use super::stamp::{Seen, Stamp};
use crate::problem::Problem;

/// Bytes of the largest file of certificates or of a key.
const BYTES_MAX: u64 = 1 << 20;

/// The certificates of all listeners that speak TLS.
#[derive(Default)]
pub(crate) struct Certificates {
    /// None: no listener does, and nothing is read.
    tls: Option<Arc<Tls>>,
    /// Whether clients without a known name get none.
    strict_sni: bool,
    entries: Vec<Entry>,
    clients: Option<Authorities>,
}

/// A certificate with its key.
struct Entry {
    certificate: Certificate,
    cert: Seen,
    key: Seen,
    /// What was last read and good.
    identity: Option<Identity>,
    /// Why what is there now is not in force.
    fault: Option<Fault>,
}

/// Who signs the certificates of clients.
struct Authorities {
    file: PathBuf,
    auth: ClientAuth,
    seen: Seen,
    clients: Option<Clients>,
    fault: Option<Fault>,
}

impl Certificates {
    /// Reads those of a manifest, if some listener needs them.
    ///
    /// # Errors
    /// Fails when one of the operator's can't be used, or if there is none at
    /// all. One of a tenant's is a fault of that tenant.
    pub(crate) fn open(manifest: &Manifest) -> Result<Self, Problem> {
        if !is_needed(&manifest.host) {
            return Ok(Self::default());
        }
        let policy = &manifest.host.tls;
        let mut opened = Self {
            tls: None,
            strict_sni: policy.strict_sni,
            entries: manifest
                .certificates()
                .into_iter()
                .map(Entry::new)
                .collect(),
            clients: policy.client.clone().map(Authorities::new),
        };
        if opened.entries.is_empty() {
            return Err(Problem::new(
                "a listener has `tls = true`, but there is no certificate",
                "add certificates = [{ cert = \"host.pem\", key = \"host.key\" }] to [tls]",
            ));
        }
        opened.read(&Look::asked());
        if let Some(fault) = opened.fault() {
            return Err(fault.clone().into());
        }
        let tls = Tls::new(
            opened.identities(),
            opened.authorities(),
            policy.handshakes_max,
            Duration::from_millis(policy.handshake_timeout_ms),
        );
        opened.tls = Some(tls.map_err(|error| anyhow::anyhow!(error))?);
        Ok(opened)
    }

    /// What listeners speak with.
    pub(crate) fn tls(&self) -> Option<&Arc<Tls>> {
        self.tls.as_ref()
    }

    /// Looks at the files, those of `new` if there is another manifest. True if
    /// something is wrong now that was not, or the other way round.
    pub(super) fn look(&mut self, new: Option<&Manifest>, look: &Look) -> bool {
        let Some(tls) = self.tls.clone() else {
            return false;
        };
        let fault_at = self.fault().map(|fault| fault.at);
        let mut is_changed = false;
        if let Some(manifest) = new {
            is_changed = self.follow(manifest.certificates());
        }
        if self.read(look) || is_changed {
            match tls.set(self.identities(), self.authorities()) {
                Ok(()) => tracing::info!("new certificates are in force"),
                Err(error) => tracing::error!(%error, "the certificates stay as they were"),
            }
        }
        self.fault().map(|fault| fault.at) != fault_at
    }

    /// Takes the certificates of another manifest; what is known of those that
    /// stay is kept. True if some come or go.
    fn follow(&mut self, certificates: Vec<Certificate>) -> bool {
        let old = std::mem::take(&mut self.entries);
        let mut is_changed = old.len() != certificates.len();
        let mut old: Vec<_> = old.into_iter().map(Some).collect();
        let mut start = 0;
        for certificate in certificates {
            // Most are where they were.
            let places = old.iter().enumerate().skip(start);
            let is_it = |entry: &Option<Entry>| {
                entry
                    .as_ref()
                    .is_some_and(|it| it.certificate == certificate)
            };
            let found = places.into_iter().find(|(_, entry)| is_it(entry));
            let found = found.map(|(place, _)| place);
            let kept = found.and_then(|place| old.get_mut(place)?.take());
            start = found.map_or(start, |place| place + 1);
            is_changed |= kept.is_none();
            self.entries
                .push(kept.unwrap_or_else(|| Entry::new(certificate)));
        }
        is_changed
    }

    /// Reads what has changed. True if something new is good.
    fn read(&mut self, look: &Look) -> bool {
        let mut is_new = false;
        for entry in &mut self.entries {
            is_new |= entry.look(look);
        }
        if let Some(authorities) = &mut self.clients {
            is_new |= authorities.look(look);
        }
        is_new
    }

    fn identities(&self) -> Identities {
        let mut identities = Identities::default();
        for entry in &self.entries {
            let Some(identity) = &entry.identity else {
                continue;
            };
            if entry.certificate.tenant.is_none() && !self.strict_sni {
                identities.add_fallback(identity);
            }
            let names = identity.names().iter();
            for name in names.filter(|name| entry.certificate.is_for(name)) {
                identities.add(name, identity);
            }
        }
        identities
    }

    fn authorities(&self) -> Option<Clients> {
        self.clients.as_ref()?.clients.clone()
    }

    /// What is wrong with the operator's own.
    pub(super) fn fault(&self) -> Option<&Fault> {
        let own = self.entries.iter();
        let own = own.filter(|entry| entry.certificate.tenant.is_none());
        let clients = self.clients.iter().filter_map(|it| it.fault.as_ref());
        own.filter_map(|it| it.fault.as_ref()).chain(clients).next()
    }

    /// The files that matter.
    pub(super) fn files(&self) -> impl Iterator<Item = PathBuf> {
        let certificates = self.entries.iter().map(|it| &it.certificate);
        let files = certificates.flat_map(|it| [it.cert.clone(), it.key.clone()]);
        files.chain(self.clients.iter().map(|it| it.file.clone()))
    }
}

/// Whether some listener speaks TLS.
fn is_needed(host: &Host) -> bool {
    let mut protocols = host.listen.iter().map(|it| it.protocol);
    protocols.any(|it| it == Protocol::Tls)
}

impl Entry {
    fn new(certificate: Certificate) -> Self {
        Self {
            certificate,
            cert: Seen::default(),
            key: Seen::default(),
            identity: None,
            fault: None,
        }
    }

    fn look(&mut self, look: &Look) -> bool {
        let Certificate { cert, key, .. } = &self.certificate;
        let (cert_stamp, key_stamp) = (Stamp::of(cert), Stamp::of(key));
        let is_poll = look.why == Why::Poll;
        let is_due = [
            self.cert.is_due(cert_stamp, is_poll),
            self.key.is_due(key_stamp, is_poll),
        ];
        let is_first = self.identity.is_none() && self.fault.is_none();
        let is_retry = look.why == Why::Asked && self.fault.is_some();
        if look.is_busy(cert)
            || look.is_busy(key)
            || !(is_due.contains(&true) || is_first || is_retry)
        {
            return false;
        }
        self.cert = Seen::new(cert_stamp, None);
        self.key = Seen::new(key_stamp, None);
        match identity(cert, key) {
            Ok(identity) => {
                self.warn_of_names(&identity);
                self.identity = Some(identity);
                self.fault = None;
                true
            }
            Err(fault) => {
                let what = match self.identity {
                    Some(_) => "a certificate can't be used, the one before is",
                    None => "a certificate can't be used",
                };
                match &self.certificate.tenant {
                    Some(tenant) => fault.log_of_tenant(tenant, what),
                    // The host ends with it when it starts.
                    None if self.identity.is_none() => {}
                    None => fault.log(what),
                }
                self.fault = Some(fault);
                false
            }
        }
    }

    /// What a tenant's certificate is not used for.
    fn warn_of_names(&self, identity: &Identity) {
        let Some(tenant) = &self.certificate.tenant else {
            return;
        };
        let cert = self.certificate.cert.display();
        let names = identity.names().iter();
        for name in names.filter(|name| !self.certificate.is_for(name)) {
            tracing::warn!(
                tenant,
                %cert,
                "the certificate is not used for `{name}`, which is no host of the tenant"
            );
        }
    }
}

impl Authorities {
    fn new((file, auth): (PathBuf, ClientAuth)) -> Self {
        Self {
            file,
            auth,
            seen: Seen::default(),
            clients: None,
            fault: None,
        }
    }

    fn look(&mut self, look: &Look) -> bool {
        let stamp = Stamp::of(&self.file);
        let is_due = self.seen.is_due(stamp, look.why == Why::Poll);
        let is_first = self.clients.is_none() && self.fault.is_none();
        let is_retry = look.why == Why::Asked && self.fault.is_some();
        if look.is_busy(&self.file) || !(is_due || is_first || is_retry) {
            return false;
        }
        self.seen = Seen::new(stamp, None);
        let required = self.auth == ClientAuth::Required;
        let read = read(&self.file).and_then(|text| {
            Clients::from_pem(text.as_bytes(), required).map_err(|error| {
                Fault::new(
                    format!("{}: {error}", self.file.display()),
                    "name a PEM file of the authorities that sign the certificates of clients",
                )
            })
        });
        match read {
            Ok(clients) => {
                self.clients = Some(clients);
                self.fault = None;
                true
            }
            Err(fault) => {
                if self.clients.is_some() {
                    fault.log("the authorities of clients stay as they were");
                }
                self.fault = Some(fault);
                false
            }
        }
    }
}

fn identity(cert: &Path, key: &Path) -> Result<Identity, Fault> {
    let (chain, private) = (read(cert)?, read(key)?);
    Identity::from_pem(chain.as_bytes(), private.as_bytes()).map_err(|error| {
        let (file, cert) = match error.is_about_key() {
            true => (key.display(), cert.display()),
            false => (cert.display(), cert.display()),
        };
        let hint = match &error {
            IdentityError::Mismatch => {
                format!("name the key with which the certificate {cert} was made")
            }
            IdentityError::NoKey | IdentityError::Key(_) => {
                "name a PEM file with an RSA, ECDSA or Ed25519 key that has no passphrase".into()
            }
            IdentityError::NoName => "make a certificate for the name of the host".into(),
            IdentityError::NoCertificate | IdentityError::Certificate(_) => {
                "name a PEM file: the host's certificate, then those that lead to its authority"
                    .into()
            }
        };
        Fault::new(format!("{file}: {error}"), hint)
    })
}

fn read(file: &Path) -> Result<String, Fault> {
    beneath::read_text(None, file, BYTES_MAX).map_err(|error| {
        Fault::new(
            format!("{}: it can't be read: {error}", file.display()),
            "check the path, and that this user may read the file",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::fixture::manifest;

    fn of(names: &[&str]) -> Vec<Certificate> {
        let pairs = names.iter();
        let pairs = pairs.map(|it| format!("{{ cert = '{it}.pem', key = '{it}.key' }}"));
        let pairs = pairs.collect::<Vec<_>>().join(", ");
        manifest(&format!("[tls]\ncertificates = [{pairs}]")).certificates()
    }

    #[test]
    fn what_stays_in_the_manifest_is_not_read_again() {
        let mut certificates = Certificates::default();
        let mut follow = |names: &[&str]| {
            let is_changed = certificates.follow(of(names));
            let faults = certificates.entries.iter_mut();
            let known = faults.map(|it| it.fault.replace(Fault::new("seen", "")).is_some());
            (is_changed, known.collect::<Vec<_>>())
        };
        assert_eq!(follow(&["a", "b"]), (true, vec![false, false]));
        assert_eq!(follow(&["a", "b"]), (false, vec![true, true]));
        assert_eq!(follow(&["a", "c", "b"]), (true, vec![true, false, true]));
        assert_eq!(follow(&["b"]), (true, vec![true]));
    }

    #[test]
    fn without_tls_nothing_is_read() {
        let manifest = manifest("[tls]\ncertificates = [{ cert = '/none', key = '/none' }]");
        assert!(Certificates::open(&manifest).unwrap().tls().is_none());
    }
}
