//! Requests to other servers.

use std::error::Error;
use std::fmt::{self, Display, Formatter};

use wasip3::http::client;
use wasip3::http::types::ErrorCode;

use super::{Request, Response, wire};

/// Sends a request and waits for the head of the response. Both bodies stream.
///
/// The URI has a scheme and an authority. The host asks nobody but those whom
/// the operator has allowed (`allow_http`, none by default).
///
/// ```no_run
/// use holdfast::http::{self, IntoResponse, Request};
///
/// // Passes the request on; neither body enters the guest's memory.
/// async fn handle(mut request: Request) -> holdfast::Result<impl IntoResponse> {
///     *request.uri_mut() = "http://backend.example/".parse()?;
///     Ok(http::send(request).await?)
/// }
/// ```
pub async fn send(request: impl Into<Request>) -> Result<Response, SendError> {
    let request = request.into();
    let host = request.uri().host().unwrap_or_default().to_owned();
    let request =
        wire::write_request(request).map_err(|error| SendError::Invalid(error.to_string()))?;
    match client::send(request).await {
        Ok(response) => wire::read_response(response),
        Err(code) => Err(SendError::from_wire(code, host)),
    }
}

/// Why there is no response.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendError {
    /// The operator has not allowed requests to this host.
    Denied(String),
    /// The request, or the response, is not one that can be passed on.
    Invalid(String),
    /// The server could not be reached.
    Unreachable(String),
    /// The server did not answer in time.
    Timeout,
    /// Anything else.
    Failed(String),
}

impl SendError {
    fn from_wire(code: ErrorCode, host: String) -> Self {
        match code {
            ErrorCode::HttpRequestDenied | ErrorCode::DestinationIpProhibited => Self::Denied(host),
            ErrorCode::DnsTimeout
            | ErrorCode::DnsError(_)
            | ErrorCode::DestinationNotFound
            | ErrorCode::DestinationUnavailable
            | ErrorCode::DestinationIpUnroutable
            | ErrorCode::ConnectionRefused
            | ErrorCode::ConnectionTerminated => Self::Unreachable(wire::describe(&code)),
            ErrorCode::ConnectionTimeout
            | ErrorCode::ConnectionReadTimeout
            | ErrorCode::ConnectionWriteTimeout
            | ErrorCode::HttpResponseTimeout => Self::Timeout,
            code => Self::Failed(wire::describe(&code)),
        }
    }
}

impl Display for SendError {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied(host) => write!(
                formatter,
                "requests to `{host}` are not allowed; the operator allows them with \
                 `--allow-http {host}` or `allow_http` in the manifest"
            ),
            Self::Invalid(text) => write!(formatter, "no valid message: {text}"),
            Self::Unreachable(text) => write!(formatter, "the server can't be reached: {text}"),
            Self::Timeout => formatter.write_str("the server did not answer in time"),
            Self::Failed(text) => write!(formatter, "the request failed: {text}"),
        }
    }
}

impl Error for SendError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denied_request_says_how_to_allow_it() {
        let error = SendError::from_wire(ErrorCode::HttpRequestDenied, "example.org".to_owned());
        assert!(error.to_string().contains("--allow-http example.org"));
        let error = SendError::from_wire(ErrorCode::ConnectionRefused, String::new());
        assert_eq!(
            error.to_string(),
            "the server can't be reached: ConnectionRefused"
        );
    }
}
