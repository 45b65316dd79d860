//! The closed set of things that can happen to a plugin, and of what can come
//! of them.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;

use crate::id::ConnectionId;
use crate::message::Message;
use crate::request_id::RequestId;

/// Any error of a body that is being streamed.
pub type BodyError = Box<dyn std::error::Error + Send + Sync>;

/// A body that streams in either direction.
pub type Body = UnsyncBoxBody<Bytes, BodyError>;

/// An extension of a request that came over TLS: its scheme is `https`. One
/// that came without has none.
#[derive(Clone, Copy, Debug)]
pub struct Encrypted;

/// A request: its head boxed, since it is large and handed on many times.
#[derive(Debug)]
pub struct Request {
    /// What it is called. Its header fields don't say it, see [`Request::into_http`].
    pub id: RequestId,
    /// Method, target, header fields (RFC 9110, section 6.2).
    pub head: Box<http::request::Parts>,
    /// The content, as it comes.
    pub body: Body,
}

impl Request {
    /// The same as one type, with all header fields.
    pub fn into_http(mut self) -> http::Request<Body> {
        self.id.put(&mut self.head.headers);
        http::Request::from_parts(*self.head, self.body)
    }
}

/// One call into an instance.
pub enum Event {
    /// An HTTP request (RFC 9110). Answered by [`Outcome::Response`].
    Http(Request),
    /// An opening handshake, found to be well formed. Answered by
    /// [`Outcome::Accepted`] or [`Outcome::Rejected`].
    Accept(Box<Handshake>),
    /// The 101 has been sent. Answered, like those that follow, by
    /// [`Outcome::Done`].
    Open(ConnectionState),
    /// A message has arrived.
    Message(ConnectionState, Message),
    /// The connection has ended.
    Close(ConnectionState, Closure),
}

/// What came of an [`Event`]. Small, since each event hands one on several times.
pub enum Outcome {
    /// The response; its body may still be streaming.
    Response(Box<http::Response<Body>>),
    /// The handshake is accepted.
    Accepted(Box<Acceptance>),
    /// The handshake is refused.
    Rejected(Box<Rejection>),
    /// The handler has returned.
    Done,
    /// The handler has not done its work.
    Failed(Failure),
}

/// An opening handshake (RFC 6455, section 4.2.1).
#[derive(Debug)]
pub struct Handshake {
    /// The id the connection has if it is accepted.
    pub id: ConnectionId,
    /// The generation which the connection has been given at first.
    pub generation: u32,
    /// `http` or `https`.
    pub scheme: &'static str,
    /// The `Host` field, or `:authority`.
    pub authority: String,
    /// Path and query as sent.
    pub path_with_query: String,
    /// All header fields.
    pub headers: HeaderMap,
    /// Offered subprotocols, best first.
    pub subprotocols: Vec<String>,
    /// Address of the client.
    pub remote_address: String,
}

/// What the guest said to accept a handshake. The edge checks it.
#[derive(Debug, Default)]
pub struct Acceptance {
    /// One of those offered.
    pub subprotocol: Option<String>,
    /// Extra header fields for the 101.
    pub headers: HeaderMap,
    /// The first attachment.
    pub attachment: Bytes,
    /// Topics to subscribe to before `open`.
    pub topics: Vec<String>,
}

/// What the guest said to refuse a handshake.
#[derive(Debug)]
pub struct Rejection {
    /// 300 to 599.
    pub status: StatusCode,
    /// Header fields of the response.
    pub headers: HeaderMap,
    /// Body of the response.
    pub body: Bytes,
}

/// A connection and what the host keeps for it, as an event shows it.
#[derive(Clone, Debug)]
pub struct ConnectionState {
    /// Which connection.
    pub id: ConnectionId,
    /// The generation to which the attachment belongs.
    pub generation: u32,
    /// The guest's bytes.
    pub attachment: Bytes,
    /// Counts the changes of the attachment.
    pub attachment_version: u64,
    /// Bytes queued for the client and not yet written.
    pub buffered_bytes: u64,
}

/// Why a connection ended. The names are those of the WIT enum `close-cause`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseCause {
    /// The client sent a close frame.
    Client,
    /// A handler closed it.
    Server,
    /// Nothing heard for the idle time-out.
    Idle,
    /// Outbound queue full, policy `close`.
    SlowConsumer,
    /// A limit was exceeded.
    Limit,
    /// Protocol error or failed handler.
    Error,
    /// The plugin was removed.
    Deploy,
    /// The host shuts down.
    Drain,
    /// Transport ended without a close frame.
    ConnectionLost,
}

impl CloseCause {
    /// What a log calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
            Self::Idle => "idle",
            Self::SlowConsumer => "slow-consumer",
            Self::Limit => "limit",
            Self::Error => "error",
            Self::Deploy => "deploy",
            Self::Drain => "drain",
            Self::ConnectionLost => "connection-lost",
        }
    }
}

/// How a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closure {
    /// Why.
    pub cause: CloseCause,
    /// Status code (RFC 6455, section 7.4), 1005 and 1006 included.
    pub code: u16,
    /// At most 123 bytes.
    pub reason: String,
}

/// Why a handler has not done its work. One event has failed; nothing is said
/// here about any other.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The plugin has no handler for this kind of event, or is gone.
    #[error("the plugin has no handler for this event")]
    NoHandler,
    /// The guest trapped; its instance is gone. HTTP 500, WebSocket 1011.
    #[error("the guest trapped: {0}")]
    Trap(String),
    /// The guest did not finish before its deadline; its instance is gone.
    /// HTTP 504, WebSocket 1011.
    #[error("the guest did not finish within {0} ms")]
    Timeout(u64),
    /// Another event ended the instance in which this one was running. HTTP
    /// 500; a WebSocket stays open, and the event is skipped.
    #[error("another event ended the instance")]
    Disrupted,
    /// No instance could be had: the plugin, the tenant or the host is at a
    /// limit. HTTP 503, WebSocket 1013.
    #[error("no instance available: {0}")]
    Overloaded(String),
    /// The handler returned an error of its own. HTTP 500; WebSocket as the
    /// plugin's `on_error` says.
    #[error("the handler failed: {0}")]
    Handler(String),
}
