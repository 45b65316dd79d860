//! TLS (RFC 8446) of the clients' connections: handshakes within limits, and
//! what they are made with, which a reload replaces.
//!
//! Reading files is for the host; here are their contents. Connections that are
//! open keep what they have begun with.

mod identity;
mod subject;

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use holdfast_core::metrics::TlsFailure;
use http::HeaderValue;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::server::{Acceptor, VerifierBuilderError, WebPkiClientVerifier};
use tokio_rustls::rustls::{self, RootCertStore, ServerConfig};
use tokio_rustls::server::TlsStream;

pub use identity::{Identities, Identity, IdentityError};

/// What is spoken over TLS, best first (RFC 7301).
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// How TLS is spoken on all listeners that speak it.
pub struct Tls {
    config: ArcSwap<ServerConfig>,
    handshakes: Semaphore,
    timeout: Duration,
}

/// From whom certificates of clients are taken, and whether they need one.
#[derive(Clone, Debug)]
pub struct Clients {
    authorities: RootCertStore,
    required: bool,
}

/// Why certificates of clients can't be checked.
#[derive(Debug, thiserror::Error)]
pub enum ClientsError {
    /// It is no PEM, or what is in it is no certificate.
    #[error("there is no certificate of an authority in it that can be read: {0}")]
    Malformed(String),
    /// There is none in it.
    #[error("there is no certificate in it")]
    Empty,
}

/// TLS can't be spoken like this.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Something that rustls does not take.
    #[error("TLS can't be set up: {0}")]
    Rustls(#[from] rustls::Error),
    /// Something about clients' certificates.
    #[error("the certificates of clients can't be checked: {0}")]
    Clients(#[from] VerifierBuilderError),
}

/// Why a client has no connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HandshakeError {
    #[error("the TLS handshake took too long")]
    Timeout,
    #[error("the TLS handshake failed: {0}")]
    Failed(#[from] std::io::Error),
}

impl HandshakeError {
    /// Of what kind it is, for whoever counts.
    pub(crate) fn kind(&self) -> TlsFailure {
        use rustls::Error as Tls;

        let error = match self {
            Self::Timeout => return TlsFailure::Timeout,
            Self::Failed(error) => error,
        };
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
        match inner {
            None => TlsFailure::Closed,
            Some(Tls::AlertReceived(_)) => TlsFailure::Alert,
            Some(Tls::PeerIncompatible(_) | Tls::NoApplicationProtocol) => TlsFailure::Incompatible,
            Some(Tls::NoCertificatesPresented | Tls::InvalidCertificate(_)) => {
                TlsFailure::ClientCertificate
            }
            // With these words alone it says that nobody has a certificate.
            Some(Tls::General(text)) if text.contains("certificate") => TlsFailure::NoCertificate,
            Some(
                Tls::InappropriateMessage { .. }
                | Tls::InappropriateHandshakeMessage { .. }
                | Tls::InvalidMessage(_)
                | Tls::PeerMisbehaved(_)
                | Tls::DecryptError
                | Tls::PeerSentOversizedRecord,
            ) => TlsFailure::Malformed,
            Some(_) => TlsFailure::Other,
        }
    }
}

/// A connection after its handshake.
pub(crate) struct Secured {
    pub(crate) stream: Box<TlsStream<TcpStream>>,
    /// Whether the client has chosen HTTP/2.
    pub(crate) is_http2: bool,
    /// Who the client is, by its certificate.
    pub(crate) subject: Option<HeaderValue>,
}

impl Clients {
    /// Takes certificates which one of the authorities in this PEM text has
    /// signed.
    ///
    /// # Errors
    /// Fails when there is none in it.
    pub fn from_pem(pem: &[u8], required: bool) -> Result<Self, ClientsError> {
        let mut authorities = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let malformed =
                |error: &dyn std::error::Error| ClientsError::Malformed(error.to_string());
            let certificate = certificate.map_err(|error| malformed(&error))?;
            authorities
                .add(certificate)
                .map_err(|error| malformed(&error))?;
        }
        match authorities.is_empty() {
            true => Err(ClientsError::Empty),
            false => Ok(Self {
                authorities,
                required,
            }),
        }
    }
}

impl Tls {
    /// At most so many handshakes are under way at once, others wait; each has
    /// so much time, with the waiting.
    ///
    /// # Errors
    /// As those of [`Self::set`].
    pub fn new(
        identities: Identities,
        clients: Option<Clients>,
        handshakes_max: u32,
        timeout: Duration,
    ) -> Result<Arc<Self>, ConfigError> {
        Ok(Arc::new(Self {
            config: ArcSwap::new(config(identities, clients)?),
            handshakes: Semaphore::new(handshakes_max as usize),
            timeout,
        }))
    }

    /// Replaces the certificates. Handshakes from now on are made with these.
    ///
    /// # Errors
    /// Fails when they can't be used; then everything is as before.
    pub fn set(&self, identities: Identities, clients: Option<Clients>) -> Result<(), ConfigError> {
        self.config.store(config(identities, clients)?);
        Ok(())
    }

    /// Makes the handshake with a client.
    pub(crate) async fn accept(&self, stream: TcpStream) -> Result<Secured, HandshakeError> {
        let handshake = async {
            // Who says nothing takes nobody's turn.
            let start = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
            // It is closed when nobody needs it any more.
            let _permit = self.handshakes.acquire().await;
            start.into_stream(self.config.load_full()).await
        };
        let stream = timeout(self.timeout, handshake)
            .await
            .map_err(|_| HandshakeError::Timeout)??;
        let (_, session) = stream.get_ref();
        let certificate = session.peer_certificates().and_then(<[_]>::first);
        Ok(Secured {
            is_http2: session.alpn_protocol() == Some(b"h2"),
            subject: certificate.and_then(subject::field),
            stream: Box::new(stream),
        })
    }
}

/// For fuzzing: the subject of what may be a certificate.
pub(crate) fn subject_of(certificate: &[u8]) -> Option<HeaderValue> {
    subject::field(&CertificateDer::from(certificate))
}

/// For fuzzing: what may be a subject, as text.
pub(crate) fn subject_text(subject: &[u8]) -> Option<String> {
    subject::text(subject)
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Tls").finish_non_exhaustive()
    }
}

/// TLS 1.2 and 1.3, with what rustls thinks safe.
fn config(
    identities: Identities,
    clients: Option<Clients>,
) -> Result<Arc<ServerConfig>, ConfigError> {
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?;
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(clients) => {
            let authorities = Arc::new(clients.authorities);
            let verifier = WebPkiClientVerifier::builder_with_provider(authorities, provider);
            let verifier = match clients.required {
                true => verifier,
                false => verifier.allow_unauthenticated(),
            };
            builder.with_client_cert_verifier(verifier.build()?)
        }
    };
    let mut config = builder.with_cert_resolver(Arc::new(identities));
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).into();
    // Sessions are resumed without that the host keeps anything of them. The
    // keys are new, so no session outlives the certificates it was made with.
    config.ticketer = ring::Ticketer::new()?;
    Ok(Arc::new(config))
}
