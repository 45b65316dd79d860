//! A WebSocket that is to be logged at its end.

use holdfast_core::event::Closure;
use http::{StatusCode, Version};

use super::line::Line;
use super::visit::Request;

/// What is counted of it until then.
pub(crate) struct Session {
    request: Request,
    pub(super) received: Count,
    pub(super) sent: Count,
}

/// One direction.
#[derive(Clone, Copy, Default)]
pub(crate) struct Count {
    /// Whole messages.
    pub(crate) messages: u64,
    /// Everything that goes over the connection, TLS left out.
    pub(crate) bytes: u64,
}

impl Session {
    pub(super) fn new(request: Request) -> Self {
        Self {
            request,
            received: Count::default(),
            sent: Count::default(),
        }
    }

    /// Counts what the client has sent.
    pub(crate) fn receive(&mut self, messages: u64, bytes: usize) {
        self.received.messages += messages;
        self.received.bytes += bytes as u64;
    }

    /// Counts what is sent to the client.
    pub(crate) fn send(&mut self, messages: u64, bytes: usize) {
        self.sent.messages += messages;
        self.sent.bytes += bytes as u64;
    }

    /// Logs it.
    pub(crate) fn end(self, closure: &Closure) {
        let status = match self.request.version {
            // RFC 8441, section 5.
            Version::HTTP_2 => StatusCode::OK,
            _ => StatusCode::SWITCHING_PROTOCOLS,
        };
        let line = Line::of(&self.request, status.as_u16(), self.sent.bytes);
        self.request.log.put(&line.with_session(&self, closure));
    }
}
