//! The records and variants of `websocket-types` and of the imports.

use std::sync::Arc;

use bytes::Bytes;
use holdfast_core::event::{self, CloseCause as Cause};
use holdfast_core::message;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use wasmtime::component::{ComponentType, Lift, Lower, WasmList, WasmStr};
use wasmtime::{Result, StoreContextMut};

/// `header`.
#[derive(ComponentType, Lift, Lower)]
#[component(record)]
pub(super) struct Header {
    pub(super) name: String,
    pub(super) value: Vec<u8>,
}

fn to_fields(headers: &HeaderMap) -> Vec<Header> {
    headers
        .iter()
        .map(|(name, value)| Header {
            name: name.as_str().to_owned(),
            value: value.as_bytes().to_vec(),
        })
        .collect()
}

/// Header fields of a response, names and values together, in bytes; that many
/// `wasi:http` allows, too. Each field counts for a few bytes more than it has.
const FIELDS_BYTES_MAX: usize = 128 << 10;
const FIELD_BYTES: usize = 32;

/// The fields as a map, or the first that is none. A map panics when it has too
/// many fields, so the limit comes first.
fn to_map(fields: Vec<Header>) -> Result<HeaderMap, String> {
    let size_of = |field: &Header| FIELD_BYTES + field.name.len() + field.value.len();
    if fields.iter().map(size_of).sum::<usize>() > FIELDS_BYTES_MAX {
        return Err(format!(
            "the header fields have more than {FIELDS_BYTES_MAX} bytes"
        ));
    }
    let mut headers = HeaderMap::with_capacity(fields.len());
    for Header { name, value } in fields {
        let parsed = HeaderName::try_from(&name).ok();
        let (Some(parsed), Ok(value)) =
            (parsed, HeaderValue::from_maybe_shared(Bytes::from(value)))
        else {
            return Err(format!("`{}` is not a header field", name.escape_debug()));
        };
        headers.append(parsed, value);
    }
    Ok(headers)
}

/// `handshake`.
#[derive(ComponentType, Lower)]
#[component(record)]
pub(super) struct Handshake {
    id: String,
    scheme: String,
    authority: String,
    #[component(name = "path-with-query")]
    path_with_query: String,
    headers: Vec<Header>,
    subprotocols: Vec<String>,
    #[component(name = "remote-address")]
    remote_address: String,
}

impl From<event::Handshake> for Handshake {
    fn from(handshake: event::Handshake) -> Self {
        Self {
            id: handshake.id.to_string(),
            scheme: handshake.scheme.to_owned(),
            authority: handshake.authority,
            path_with_query: handshake.path_with_query,
            headers: to_fields(&handshake.headers),
            subprotocols: handshake.subprotocols,
            remote_address: handshake.remote_address,
        }
    }
}

/// `acceptance`.
#[derive(ComponentType, Lift)]
#[component(record)]
pub(super) struct Acceptance {
    pub(super) subprotocol: Option<String>,
    pub(super) headers: Vec<Header>,
    pub(super) attachment: Bytes,
    pub(super) topics: Vec<String>,
}

impl TryFrom<Acceptance> for event::Acceptance {
    type Error = String;

    fn try_from(acceptance: Acceptance) -> Result<Self, String> {
        Ok(Self {
            subprotocol: acceptance.subprotocol,
            headers: to_map(acceptance.headers)?,
            attachment: acceptance.attachment,
            topics: acceptance.topics,
        })
    }
}

/// `rejection`.
#[derive(ComponentType, Lift)]
#[component(record)]
pub(super) struct Rejection {
    pub(super) status: u16,
    pub(super) headers: Vec<Header>,
    pub(super) body: Bytes,
}

impl TryFrom<Rejection> for event::Rejection {
    type Error = String;

    fn try_from(rejection: Rejection) -> Result<Self, String> {
        Ok(Self {
            status: StatusCode::from_u16(rejection.status)
                .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            headers: to_map(rejection.headers)?,
            body: rejection.body,
        })
    }
}

/// `connection`.
#[derive(ComponentType, Lower)]
#[component(record)]
pub(super) struct Connection {
    id: Arc<str>,
    attachment: Bytes,
    #[component(name = "attachment-version")]
    attachment_version: u64,
    #[component(name = "buffered-bytes")]
    buffered_bytes: u64,
}

impl Connection {
    /// `name` is the text form of its id.
    pub(super) fn new(state: event::ConnectionState, name: Arc<str>) -> Self {
        Self {
            id: name,
            attachment: state.attachment,
            attachment_version: state.attachment_version,
            buffered_bytes: state.buffered_bytes,
        }
    }
}

/// `message`, on its way to the guest.
#[derive(ComponentType, Lower)]
#[component(variant)]
pub(super) enum Message {
    #[component(name = "text")]
    Text(String),
    #[component(name = "binary")]
    Binary(Vec<u8>),
}

impl From<message::Message> for Message {
    fn from(message: message::Message) -> Self {
        match message {
            message::Message::Text(text) => Self::Text(text),
            message::Message::Binary(bytes) => Self::Binary(bytes),
        }
    }
}

/// `message`, as it lies in the guest's memory.
#[derive(ComponentType, Lift)]
#[component(variant)]
pub(super) enum GuestMessage {
    #[component(name = "text")]
    Text(WasmStr),
    #[component(name = "binary")]
    Binary(WasmList<u8>),
}

impl GuestMessage {
    /// Shows the message to `f` without copying it. Traps on text that is not
    /// UTF-8, as the canonical ABI demands.
    pub(super) fn with<T: 'static, R>(
        &self,
        store: &StoreContextMut<'_, T>,
        f: impl FnOnce(message::MessageRef<'_>) -> R,
    ) -> Result<R> {
        match self {
            Self::Text(text) => {
                let text = text.to_str(store)?;
                Ok(f(message::MessageRef::Text(&text)))
            }
            Self::Binary(bytes) => Ok(f(message::MessageRef::Binary(bytes.as_le_slice(store)))),
        }
    }
}

/// `close-cause`.
#[derive(ComponentType, Lower, Clone, Copy)]
#[component(enum)]
#[repr(u8)]
pub(super) enum CloseCause {
    #[component(name = "client")]
    Client,
    #[component(name = "server")]
    Server,
    #[component(name = "idle")]
    Idle,
    #[component(name = "slow-consumer")]
    SlowConsumer,
    #[component(name = "limit")]
    Limit,
    #[component(name = "error")]
    Error,
    #[component(name = "deploy")]
    Deploy,
    #[component(name = "drain")]
    Drain,
    #[component(name = "connection-lost")]
    ConnectionLost,
}

impl From<Cause> for CloseCause {
    fn from(cause: Cause) -> Self {
        match cause {
            Cause::Client => Self::Client,
            Cause::Server => Self::Server,
            Cause::Idle => Self::Idle,
            Cause::SlowConsumer => Self::SlowConsumer,
            Cause::Limit => Self::Limit,
            Cause::Error => Self::Error,
            Cause::Deploy => Self::Deploy,
            Cause::Drain => Self::Drain,
            Cause::ConnectionLost => Self::ConnectionLost,
        }
    }
}

/// `closure`.
#[derive(ComponentType, Lower)]
#[component(record)]
pub(super) struct Closure {
    cause: CloseCause,
    code: u16,
    reason: String,
}

impl From<event::Closure> for Closure {
    fn from(closure: event::Closure) -> Self {
        Self {
            cause: closure.cause.into(),
            code: closure.code,
            reason: closure.reason,
        }
    }
}

/// `handler-error`.
#[derive(ComponentType, Lift)]
#[component(variant)]
pub(super) enum HandlerError {
    #[component(name = "failed")]
    Failed(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(count: usize, value: &str) -> Vec<Header> {
        let field = |_| Header {
            name: "x-a".into(),
            value: value.into(),
        };
        (0..count).map(field).collect()
    }

    #[test]
    fn fields_are_limited_before_they_are_a_map() {
        assert_eq!(to_map(fields(1000, "b")).unwrap().len(), 1000);
        for too_much in [fields(40_000, ""), fields(2, &"b".repeat(100_000))] {
            let error = to_map(too_much).unwrap_err();
            assert_eq!(error, "the header fields have more than 131072 bytes");
        }
        let error = to_map(fields(1, "a\nb")).unwrap_err();
        assert_eq!(error, "`x-a` is not a header field");
    }
}
