//! How a connection ended.

use crate::bindings::holdfast::websocket::websocket_types as wire;

/// Why a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CloseCause {
    /// The client sent a close frame.
    Client,
    /// A handler closed it.
    Server,
    /// Nothing was heard from the client for the idle time-out.
    Idle,
    /// The outbound queue was full and the policy is to close (1013).
    SlowConsumer,
    /// A limit was exceeded, for example the message size (1009).
    Limit,
    /// The client broke the protocol (1002, 1007), or a handler failed (1011).
    Error,
    /// The plugin was removed by a deployment (1001).
    Deploy,
    /// The host shuts down (1001).
    Drain,
    /// The transport ended without a close frame (1006).
    ConnectionLost,
}

/// How a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closure {
    /// Why.
    pub cause: CloseCause,
    /// The status code (RFC 6455, section 7.4): the client's for
    /// [`CloseCause::Client`], otherwise the one the host sent; 1005 if the
    /// client gave none, 1006 if no close frame was received.
    pub code: u16,
    /// The reason that came with the code; at most 123 bytes.
    pub reason: String,
}

impl Closure {
    pub(crate) fn from_wire(closure: wire::Closure) -> Self {
        let cause = match closure.cause {
            wire::CloseCause::Client => CloseCause::Client,
            wire::CloseCause::Server => CloseCause::Server,
            wire::CloseCause::Idle => CloseCause::Idle,
            wire::CloseCause::SlowConsumer => CloseCause::SlowConsumer,
            wire::CloseCause::Limit => CloseCause::Limit,
            wire::CloseCause::Error => CloseCause::Error,
            wire::CloseCause::Deploy => CloseCause::Deploy,
            wire::CloseCause::Drain => CloseCause::Drain,
            wire::CloseCause::ConnectionLost => CloseCause::ConnectionLost,
        };
        Self {
            cause,
            code: closure.code,
            reason: closure.reason,
        }
    }
}
