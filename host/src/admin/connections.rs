//! WebSockets as resources: listed, looked at, sent to, closed.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use holdfast_core::{ConnectionId, Edge, MessageRef};
use holdfast_edge::ConnectionView;
use hyper::StatusCode;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::failure::Failure;
use super::request::{Page, unknown_cursor, whole_number};
use crate::fleet::{Closed, Handle, Name};

/// The encoding of binary messages; bits that mean nothing may be set.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

/// A part of a plugin's WebSockets.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ConnectionPage {
    /// In an order that never changes.
    connections: Vec<ConnectionAnswer>,
    /// How many the plugin has, those in their handshake included.
    count: u32,
    /// The cursor of the next part; null if this is the last.
    next: Option<String>,
}

/// A WebSocket. What a guest keeps for it is the guest's, and not shown.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ConnectionAnswer {
    /// 32 hexadecimal digits.
    id: String,
    /// The generation to which its attachment belongs.
    generation: u32,
    /// Whether its end is decided.
    closing: bool,
    /// Size of the attachment.
    attachment_bytes: u64,
    /// Counts the changes of the attachment.
    attachment_version: u64,
    /// What waits to be written to the client.
    queue_bytes: u64,
    /// Number of its topics.
    topic_count: u32,
    /// Its topics; null in a list.
    topics: Option<Vec<String>>,
}

/// The body of a request to close a WebSocket; may be left out.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CloseRequest {
    /// Status code (RFC 6455, section 7.4).
    #[serde(default = "normal_closure", deserialize_with = "whole_number")]
    #[schemars(schema_with = "code_schema")]
    code: u16,
    /// At most 123 bytes.
    #[serde(default)]
    #[schemars(length(max = 123))]
    reason: String,
}

impl Default for CloseRequest {
    fn default() -> Self {
        Self {
            code: normal_closure(),
            reason: String::new(),
        }
    }
}

/// 1000 (RFC 6455, section 7.4.1).
fn normal_closure() -> u16 {
    1000
}

fn code_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "integer",
        "default": 1000,
        "anyOf": [
            { "enum": [1000, 1001, 1003] },
            { "minimum": 1007, "maximum": 1014 },
            { "minimum": 3000, "maximum": 4999 },
        ],
    })
}

/// What is said of a WebSocket that will be closed.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct CloseAnswer {
    /// Always.
    closing: bool,
}

/// The body of a request to send a message to a WebSocket.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SendRequest {
    message: Content,
}

/// What is in a WebSocket message.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Content {
    /// Text.
    Text(String),
    /// Bytes, as base64 (RFC 4648, section 4).
    Binary(#[schemars(schema_with = "base64_schema")] String),
}

fn base64_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "string",
        "contentEncoding": "base64",
        "pattern": "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$",
    })
}

impl Content {
    /// Its payload.
    pub(super) fn payload(self) -> Result<Payload, Failure> {
        match self {
            Self::Text(text) => Ok(Payload::Text(text)),
            Self::Binary(text) => match BASE64.decode(text) {
                Ok(bytes) => Ok(Payload::Binary(bytes.into())),
                Err(error) => Err(Failure::bad_request(
                    format!("`binary` is not base64: {error}"),
                    "use the standard alphabet, with padding",
                )),
            },
        }
    }
}

/// What is sent.
pub(super) enum Payload {
    Text(String),
    Binary(Bytes),
}

impl Payload {
    pub(super) fn message(&self) -> MessageRef<'_> {
        match self {
            Self::Text(text) => MessageRef::Text(text),
            Self::Binary(bytes) => MessageRef::Binary(bytes),
        }
    }
}

/// What has become of a message for one WebSocket.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct SendAnswer {
    /// What waits now to be written to the client, this message included.
    queue_bytes: u64,
}

/// Answers for a plugin's page of connections.
pub(super) async fn list(
    fleet: &Handle,
    name: &Name,
    page: Page,
) -> Result<ConnectionPage, Failure> {
    let (_, plugin) = ids(fleet, name)?;
    let after = page.after.as_deref().map(str::parse::<ConnectionId>);
    let after = after.transpose().map_err(|_| unknown_cursor())?;
    let (hub, limit) = (fleet.hub.clone(), page.limit);
    let count = hub.connection_count(plugin);
    // It may look at many, and this thread accepts new ones.
    let found = tokio::task::spawn_blocking(move || hub.connections(plugin, after, limit)).await;
    let found = found.map_err(|_| Closed)?;
    let last = found.last().map(|it| it.id.to_string());
    Ok(ConnectionPage {
        count,
        next: page.next(found.len(), last),
        connections: found.into_iter().map(ConnectionAnswer::from).collect(),
    })
}

/// One connection.
pub(super) fn one(
    fleet: &Handle,
    name: &Name,
    id: ConnectionId,
) -> Result<ConnectionAnswer, Failure> {
    let (tenant, plugin) = ids(fleet, name)?;
    let found = fleet.hub.connection_of(tenant, plugin, id);
    let (view, topics) = found.ok_or_else(gone)?;
    Ok(ConnectionAnswer {
        topics: Some(topics.iter().map(|topic| topic.to_string()).collect()),
        ..view.into()
    })
}

/// Sends to one.
pub(super) fn send(
    fleet: &Handle,
    name: &Name,
    id: ConnectionId,
    SendRequest { message }: SendRequest,
) -> Result<SendAnswer, Failure> {
    let (tenant, plugin) = ids(fleet, name)?;
    let payload = message.payload()?;
    fleet
        .hub
        .connection_of(tenant, plugin, id)
        .ok_or_else(gone)?;
    let queue_bytes = fleet.hub.send(tenant, id, payload.message())?;
    Ok(SendAnswer { queue_bytes })
}

/// Closes one.
pub(super) fn close(
    fleet: &Handle,
    name: &Name,
    id: ConnectionId,
    CloseRequest { code, reason }: &CloseRequest,
) -> Result<CloseAnswer, Failure> {
    let (tenant, plugin) = ids(fleet, name)?;
    let hub = &fleet.hub;
    hub.connection_of(tenant, plugin, id).ok_or_else(gone)?;
    hub.close(tenant, id, *code, reason)?;
    Ok(CloseAnswer { closing: true })
}

fn ids(
    fleet: &Handle,
    name: &Name,
) -> Result<(holdfast_core::TenantId, holdfast_core::PluginId), Failure> {
    let ids = fleet.plugin_ids(name);
    ids.ok_or_else(|| no_plugin(name))
}

/// 404.
pub(super) fn no_plugin(name: &Name) -> Failure {
    let hint = "GET /v1/status lists the plugins";
    Failure::not_found(format!("there is no plugin {name}"), hint)
}

fn gone() -> Failure {
    Failure::new(
        StatusCode::NOT_FOUND,
        "the plugin has no such connection",
        "list the plugin's connections",
    )
}

impl From<ConnectionView> for ConnectionAnswer {
    fn from(view: ConnectionView) -> Self {
        Self {
            id: view.id.to_string(),
            generation: view.generation,
            closing: view.is_closing,
            attachment_bytes: view.attachment_bytes,
            attachment_version: view.attachment_version,
            queue_bytes: view.queue_bytes,
            topic_count: view.topic_count,
            topics: None,
        }
    }
}
