//! TLS for whoever asks a server of the public internet.

use std::sync::{Arc, LazyLock};

use tokio_rustls::rustls::{ClientConfig, RootCertStore};

static CLIENT: LazyLock<Arc<ClientConfig>> = LazyLock::new(|| {
    let roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.into(),
    };
    let config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
});

/// A client's side of TLS: a server has to show a certificate of an authority
/// which Mozilla trusts. There is one for the whole process.
pub fn public_tls() -> Arc<ClientConfig> {
    Arc::clone(&CLIENT)
}
