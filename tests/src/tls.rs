//! Clients that speak TLS.

use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use http_body_util::BodyExt;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tokio_tungstenite::WebSocketStream;

use crate::host::Host;
use crate::http::{Body, Response};
use crate::place;
use crate::wait::patiently;

/// How a client is.
#[derive(Clone, Debug, Default)]
pub struct Client {
    /// What it offers by ALPN.
    pub protocols: Vec<&'static str>,
    /// The files of its certificate and key, without their ends.
    pub certificate: Option<&'static str>,
    /// Whether it knows TLS 1.2 alone.
    pub is_old: bool,
}

/// A connection after its handshake.
pub type Stream = TlsStream<TcpStream>;

impl Client {
    /// One that offers these protocols.
    pub fn offering(protocols: &[&'static str]) -> Self {
        Self {
            protocols: protocols.to_vec(),
            ..Self::default()
        }
    }

    fn config(&self) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates("authority.pem") {
            roots.add(certificate).expect("a certificate");
        }
        let versions = if self.is_old {
            &[&TLS12][..]
        } else {
            &[&TLS13]
        };
        let builder = ClientConfig::builder_with_protocol_versions(versions);
        let builder = builder.with_root_certificates(roots);
        let mut config = match self.certificate {
            None => builder.with_no_client_auth(),
            Some(name) => {
                let key = place::certificate(&format!("{name}.key"));
                let key = PrivateKeyDer::from_pem_slice(&key).expect("a key");
                builder
                    .with_client_auth_cert(certificates(&format!("{name}.pem")), key)
                    .expect("a certificate")
            }
        };
        let protocols = self.protocols.iter();
        config.alpn_protocols = protocols.map(|it| it.as_bytes().to_vec()).collect();
        Arc::new(config)
    }

    /// Connects to the host under a name, which its certificate has to have.
    ///
    /// # Errors
    /// Fails when one of the two does not like the other.
    pub async fn connect(&self, host: &Host, name: &'static str) -> std::io::Result<Stream> {
        let tcp = TcpStream::connect(host.secure_address()).await?;
        tcp.set_nodelay(true)?;
        let name = ServerName::try_from(name).expect("a name");
        let connector = TlsConnector::from(self.config());
        patiently("a TLS handshake", connector.connect(name, tcp)).await
    }
}

fn certificates(file: &str) -> Vec<CertificateDer<'static>> {
    let pem = place::certificate(file);
    let certificates = CertificateDer::pem_slice_iter(&pem);
    certificates.map(|it| it.expect("a certificate")).collect()
}

/// Sends a request over HTTP/1.1 and reads the whole answer; an error if the
/// host ends the connection, which over TLS 1.3 it may only do now.
pub async fn ask(stream: Stream, request: Request<Body>) -> Result<Response, hyper::Error> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let (head, body) = patiently("an answer", sender.send_request(request))
        .await?
        .into_parts();
    let body: Bytes = patiently("the body", body.collect()).await?.to_bytes();
    Ok(Response {
        status: head.status,
        headers: head.headers,
        body,
    })
}

/// Opens a WebSocket.
pub async fn websocket(stream: Stream, path: &str) -> WebSocketStream<Stream> {
    let request = crate::socket::handshake(path);
    let opening = tokio_tungstenite::client_async(request, stream);
    patiently("a handshake", opening)
        .await
        .expect("a WebSocket")
        .0
}
