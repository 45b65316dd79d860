//! What somebody is told when something can't be done: a status, an error and a
//! hint. Errors become statuses here and nowhere else.

use holdfast_core::edge::{CloseError, SendError};
use hyper::header::{ALLOW, HeaderValue, WWW_AUTHENTICATE};
use hyper::{Method, StatusCode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::reply::{Reply, json};
use crate::fleet::{Closed, Refusal, RefusalKind};

/// What is told.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Denial {
    pub(crate) error: String,
    /// What to do about it.
    pub(crate) hint: String,
}

/// A status that is no success, and why.
pub(super) struct Failure(StatusCode, Denial);

impl Failure {
    pub(super) fn new(
        status: StatusCode,
        error: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self(
            status,
            Denial {
                error: error.into(),
                hint: hint.into(),
            },
        )
    }

    /// 400.
    pub(super) fn bad_request(error: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error, hint)
    }

    /// 404.
    pub(super) fn not_found(error: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, error, hint)
    }

    /// 404, about what another tenant may have or not.
    pub(super) fn foreign() -> Self {
        Self::not_found(
            "there is no such tenant or plugin",
            "this token is for the plugins of one tenant",
        )
    }

    /// 401.
    pub(super) fn unauthorized() -> Reply {
        let hint = "send `Authorization: Bearer TOKEN`; the host has written the token to its \
                    admin file";
        let error = "the token is missing or wrong";
        let mut reply = Self::new(StatusCode::UNAUTHORIZED, error, hint).reply();
        let scheme = HeaderValue::from_static("Bearer");
        reply.headers_mut().insert(WWW_AUTHENTICATE, scheme);
        reply
    }

    /// 405, with the methods that there are.
    pub(super) fn other_methods(methods: &[Method]) -> Reply {
        let methods: Vec<_> = methods.iter().map(Method::as_str).collect();
        let methods = methods.join(", ");
        let error = "this can't be asked by this method";
        let hint = format!("use {methods}");
        let mut reply = Self::new(StatusCode::METHOD_NOT_ALLOWED, error, hint).reply();
        if let Ok(methods) = HeaderValue::from_str(&methods) {
            reply.headers_mut().insert(ALLOW, methods);
        }
        reply
    }

    /// The answer that says so.
    pub(super) fn reply(self) -> Reply {
        let Self(status, denial) = self;
        json(status, &denial)
    }
}

impl From<Closed> for Failure {
    fn from(closed: Closed) -> Self {
        let hint = "the host is ending, or has much to do: try again";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, closed.to_string(), hint)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let status = match refusal.kind {
            RefusalKind::NotFound => StatusCode::NOT_FOUND,
            RefusalKind::Conflict => StatusCode::CONFLICT,
            RefusalKind::Unusable => StatusCode::UNPROCESSABLE_ENTITY,
            RefusalKind::Storage => StatusCode::INSUFFICIENT_STORAGE,
        };
        Self::new(status, refusal.message, refusal.hint)
    }
}

/// For a connection that is not there, or not any more.
const GONE_HINT: &str = "list the plugin's connections";

impl From<SendError> for Failure {
    fn from(error: SendError) -> Self {
        let (status, hint) = match error {
            SendError::Gone => (StatusCode::NOT_FOUND, GONE_HINT),
            SendError::Full(_) => (
                StatusCode::CONFLICT,
                "try again when the client has read some of it",
            ),
            SendError::TooLarge(_) => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "`message_bytes_max` says how large a message may be",
            ),
        };
        Self::new(status, error.to_string(), hint)
    }
}

impl From<CloseError> for Failure {
    fn from(error: CloseError) -> Self {
        let (status, hint) = match error {
            CloseError::Gone => (StatusCode::NOT_FOUND, GONE_HINT),
            CloseError::InvalidCode => (
                StatusCode::BAD_REQUEST,
                "take 1000, 1001, 1003, 1007 to 1014, or 3000 to 4999",
            ),
            // Bytes can't be counted by a schema, so it is well formed.
            CloseError::ReasonTooLong => (StatusCode::UNPROCESSABLE_ENTITY, "shorten it"),
        };
        Self::new(status, error.to_string(), hint)
    }
}
