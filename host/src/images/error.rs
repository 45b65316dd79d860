//! Why a component does not come from a registry.

use std::path::PathBuf;

use hyper::StatusCode;

/// Why there is no component, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PullError {
    /// Nothing can be asked.
    #[error("{host} can't be reached: {why}")]
    Connect { host: String, why: String },
    /// It does not speak as it should.
    #[error("{host} does not answer as a registry: {why}")]
    Protocol { host: String, why: String },
    /// Neither on this machine nor allowed.
    #[error("{host} would be spoken with without TLS")]
    Plain { host: String },
    /// A registry of the internet leads into this network.
    #[error("the registry leads to {host}, which is in a network of its own")]
    Inward { host: String },
    #[error("{host} answers {status}: {what}")]
    Status {
        host: String,
        status: StatusCode,
        what: &'static str,
    },
    #[error("{} can't be read: {why}", path.display())]
    Credentials { path: PathBuf, why: String },
    #[error("what the registry has is sha256:{found}, and not sha256:{wanted}")]
    Digest { wanted: String, found: String },
    #[error("its manifest can't be used: {0}")]
    Document(String),
    #[error("it has {bytes} bytes, more than the {max} that are allowed")]
    TooLarge { bytes: u64, max: u64 },
    #[error("it takes longer than the {0} ms of `timeout_ms`")]
    Timeout(u64),
    #[error("{0}")]
    System(String),
}

impl PullError {
    /// An answer that is none of a registry which has the image.
    pub(super) fn status(host: &str, status: StatusCode) -> Self {
        let what = match status {
            StatusCode::NOT_FOUND => "it has no such image",
            StatusCode::UNAUTHORIZED => "it wants to know who asks",
            StatusCode::FORBIDDEN => "it does not give the image to who asks",
            StatusCode::TOO_MANY_REQUESTS => "it was asked too often",
            _ => "it does not say why in a way that is known",
        };
        Self::Status {
            host: host.to_owned(),
            status,
            what,
        }
    }

    /// Whether it may be otherwise soon, and is not for the image's sake.
    pub(super) fn is_outage(&self) -> bool {
        match self {
            Self::Connect { .. } | Self::Protocol { .. } => true,
            Self::Status { status, .. } => {
                status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS
            }
            _ => false,
        }
    }

    /// What to do about it.
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::Connect { .. } => "check the name, and that this machine may reach it",
            Self::Protocol { .. } => {
                "check the name; a registry without TLS has to be in `plain_http` of [images], \
                 or given by --plain-http"
            }
            Self::Plain { .. } => {
                "name it in `plain_http` of [images], or by --plain-http, if that is wanted"
            }
            Self::Inward { .. } => "bring the image to a registry that has it itself",
            Self::Status { status, .. } => match *status {
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                    "log in with `docker login`, or name a file of Docker's by `credentials` \
                     of [images]"
                }
                StatusCode::NOT_FOUND => "check the name, the tag and the digest",
                _ => "try again later",
            },
            Self::Credentials { .. } => "mend the file, or take `credentials` out of [images]",
            Self::Digest { .. } => {
                "somebody has replaced it: find out who, before you take the new digest"
            }
            Self::Document(_) => "push one component with `wkg oci push`, `oras push` or the like",
            Self::TooLarge { .. } => {
                "build a smaller component, or raise `component_bytes_max` in `[load]`"
            }
            Self::Timeout(_) => "raise `timeout_ms` in `[images]`, if the network is slow",
            Self::System(_) => "let this user have more open files and processes",
        }
    }
}
