//! The answers to an opening handshake.

use crate::Error;
use crate::bindings::holdfast::websocket::websocket_types as wire;
use crate::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

/// Accepts a handshake.
///
/// ```
/// use holdfast::websocket::Accept;
///
/// let accept = Accept::new()
///     .subprotocol("chat.v1")
///     .attachment(b"ada")
///     .topic("room/1");
/// # let _ = accept;
/// ```
#[derive(Debug, Default)]
#[must_use]
pub struct Accept {
    subprotocol: Option<String>,
    headers: HeaderMap,
    attachment: Vec<u8>,
    topics: Vec<String>,
}

impl Accept {
    /// Accepts, with no subprotocol, no attachment and no topic.
    pub fn new() -> Self {
        Self::default()
    }

    /// Chooses one of the offered subprotocols. Any other makes the host answer
    /// 500, since RFC 6455, section 4.1 forbids it.
    pub fn subprotocol(mut self, name: impl Into<String>) -> Self {
        self.subprotocol = Some(name.into());
        self
    }

    /// Adds a field to the 101 response. Those of the handshake itself
    /// (`connection`, `upgrade`, `sec-websocket-*`) are the host's.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }

    /// The bytes which the host keeps for the connection and gives to each of
    /// its events. Limit: 4 KiB unless configured otherwise
    /// (`attachment_bytes_max`).
    pub fn attachment(mut self, attachment: impl AsRef<[u8]>) -> Self {
        self.attachment = attachment.as_ref().to_vec();
        self
    }

    /// Subscribes the connection before its first event.
    pub fn topic(mut self, topic: impl Into<String>) -> Self {
        self.topics.push(topic.into());
        self
    }

    pub(crate) fn into_wire(self) -> wire::Acceptance {
        wire::Acceptance {
            subprotocol: self.subprotocol,
            headers: to_wire(&self.headers),
            attachment: self.attachment,
            topics: self.topics,
        }
    }
}

/// Refuses a handshake with an ordinary response.
///
/// Errors turn into it by `?`: the client gets 500, and the text goes to the
/// plugin's standard error, which the host logs.
#[derive(Debug)]
#[must_use]
pub struct Reject(Box<Rejection>);

#[derive(Debug)]
struct Rejection {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
    error: Option<Error>,
}

impl Reject {
    /// Refuses with this status, from 300 to 599; any other becomes 500.
    pub fn new(status: StatusCode) -> Self {
        Self(Box::new(Rejection {
            status,
            headers: HeaderMap::new(),
            body: Vec::new(),
            error: None,
        }))
    }

    /// Adds a header field.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.append(name, value);
        self
    }

    /// A plain text for the body, with its content type.
    pub fn text(mut self, text: impl Into<String>) -> Self {
        let content_type = crate::http::TEXT_PLAIN;
        self.0.headers.insert(header::CONTENT_TYPE, content_type);
        self.0.body = text.into().into_bytes();
        self
    }

    /// Any body.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.0.body = body.into();
        self
    }

    pub(crate) fn into_wire(self) -> wire::Rejection {
        if let Some(error) = &self.0.error {
            eprintln!("accept failed: {error}");
        }
        wire::Rejection {
            status: self.0.status.as_u16(),
            headers: to_wire(&self.0.headers),
            body: self.0.body,
        }
    }
}

impl<E: Into<Error>> From<E> for Reject {
    fn from(error: E) -> Self {
        let mut reject = Self::new(StatusCode::INTERNAL_SERVER_ERROR);
        reject.0.error = Some(error.into());
        reject
    }
}

fn to_wire(headers: &HeaderMap) -> Vec<wire::Header> {
    let fields = headers.iter().map(|(name, value)| wire::Header {
        name: name.as_str().to_owned(),
        value: value.as_bytes().to_vec(),
    });
    fields.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_carry_what_was_put_into_them() {
        let accept = Accept::new()
            .subprotocol("v1")
            .header(header::SET_COOKIE, HeaderValue::from_static("a=1"))
            .header(header::SET_COOKIE, HeaderValue::from_static("b=2"))
            .attachment("ada")
            .topic("room")
            .into_wire();
        assert_eq!(accept.subprotocol.as_deref(), Some("v1"));
        assert_eq!(accept.headers.len(), 2);
        assert_eq!(accept.attachment, b"ada");
        assert_eq!(accept.topics, ["room"]);

        let reject = Reject::new(StatusCode::FORBIDDEN).text("no").into_wire();
        assert_eq!(reject.status, 403);
        assert_eq!(reject.body, b"no");

        fn fails() -> Result<(), Reject> {
            "x".parse::<u8>()?;
            Ok(())
        }
        assert_eq!(fails().unwrap_err().into_wire().status, 500);
    }
}
