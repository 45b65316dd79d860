//! What is spoken where clients come in.

use std::sync::Arc;

use holdfast_core::limits::Http2Limits;
use holdfast_core::manifest::Proxies;

use crate::tls::Tls;

/// What one listener has to know. All its connections share it.
#[derive(Clone, Debug)]
pub struct Entrance {
    /// What is spoken there.
    pub speech: Speech,
    /// Limits of connections that speak HTTP/2.
    pub http2: Http2Limits,
    /// Which proxies are believed, and what.
    pub proxies: Arc<Proxies>,
    /// Whether every connection is one of theirs, and begins with the PROXY
    /// protocol.
    pub proxy_protocol: bool,
}

/// What is spoken.
#[derive(Clone, Debug)]
pub enum Speech {
    /// HTTP without TLS.
    Plain {
        /// HTTP/2 with prior knowledge (RFC 9113, section 3.3), too.
        h2c: bool,
    },
    /// HTTP over TLS.
    Tls(Arc<Tls>),
    /// HTTP without TLS, where every request is sent to `https`, at this port.
    Redirect(u16),
}

impl Default for Entrance {
    fn default() -> Self {
        Self {
            speech: Speech::Plain { h2c: true },
            http2: Http2Limits::default(),
            proxies: Arc::default(),
            proxy_protocol: false,
        }
    }
}

impl Entrance {
    /// Where requests are sent that come without TLS.
    pub(crate) fn redirect_port(&self) -> Option<u16> {
        match self.speech {
            Speech::Redirect(port) => Some(port),
            Speech::Plain { .. } | Speech::Tls(_) => None,
        }
    }
}
