//! One line of the access log.

use std::fmt::Write;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use holdfast_core::event::Closure;
use holdfast_core::manifest::AccessFormat;
use holdfast_core::time;
use http::{HeaderValue, StatusCode};

use super::escape;
use super::session::Session;
use super::visit::Request;

/// What a line says.
pub(super) struct Line<'a> {
    /// Where the client is; none for a Unix socket.
    client: Option<SocketAddr>,
    /// None if there was none that could be understood.
    request: Option<&'a Request>,
    status: u16,
    bytes: u64,
    duration: Duration,
    /// If it is a WebSocket's.
    session: Option<(&'a Session, &'a Closure)>,
}

impl<'a> Line<'a> {
    /// About a request.
    pub(super) fn of(request: &'a Request, status: u16, bytes: u64) -> Self {
        Self {
            client: request.client.address,
            request: Some(request),
            status,
            bytes,
            duration: request.begin.elapsed(),
            session: None,
        }
    }

    /// About what could not be read as a request.
    pub(super) fn nameless(client: Option<SocketAddr>, status: StatusCode, bytes: u64) -> Self {
        Self {
            client,
            request: None,
            status: status.as_u16(),
            bytes,
            duration: Duration::ZERO,
            session: None,
        }
    }

    /// The same about a WebSocket.
    pub(super) fn with_session(self, session: &'a Session, closure: &'a Closure) -> Self {
        Self {
            session: Some((session, closure)),
            ..self
        }
    }

    /// The line without its end.
    pub(super) fn text(&self, format: AccessFormat) -> String {
        let now = SystemTime::now();
        match format {
            AccessFormat::Combined => self.combined(now),
            AccessFormat::Json => self.json(now),
        }
    }

    fn remote(&self) -> String {
        let ip = self.client.map(|address| address.ip());
        ip.map_or_else(|| "unix".to_owned(), |ip| ip.to_string())
    }

    fn duration_ms(&self) -> f64 {
        self.duration.as_micros() as f64 / 1000.0
    }

    /// What is known besides the request itself, in the order in which it is
    /// written.
    fn more(&self) -> Vec<(&'static str, Shown<'a>)> {
        let mut more = Vec::with_capacity(10);
        if let Some(request) = self.request {
            let id = request.request_id.as_str();
            more.push(("request_id", Shown::Text(id)));
            if let Some(settings) = &request.settings {
                more.push(("tenant", Shown::Text(&settings.tenant_name)));
                more.push(("plugin", Shown::Text(&settings.name)));
            }
        }
        more.push(("duration_ms", Shown::Decimal(self.duration_ms())));
        if let Some((session, closure)) = self.session {
            let (received, sent) = (session.received, session.sent);
            more.push(("messages_in", Shown::Number(received.messages)));
            more.push(("bytes_in", Shown::Number(received.bytes)));
            more.push(("messages_out", Shown::Number(sent.messages)));
            more.push(("bytes_out", Shown::Number(sent.bytes)));
            more.push(("close_code", Shown::Number(closure.code.into())));
            more.push(("close_cause", Shown::Text(closure.cause.name())));
        }
        more
    }

    // In both formats a string takes whatever is written.

    fn combined(&self, now: SystemTime) -> String {
        let mut out = String::with_capacity(256);
        let _ = write!(out, "{} - - [{}] \"", self.remote(), time::common(now));
        match self.request {
            Some(request) => {
                escape::quoted(&mut out, request.method.as_str().as_bytes());
                out.push(' ');
                escape::quoted(&mut out, request.target.as_bytes());
                let _ = write!(out, " {:?}", request.version);
            }
            None => out.push('-'),
        }
        let _ = write!(out, "\" {} {} \"", self.status, self.bytes);
        let field = |out: &mut String, value: Option<&HeaderValue>| {
            let value = value.map_or(&b"-"[..], HeaderValue::as_bytes);
            escape::quoted(out, value);
        };
        field(&mut out, self.request.and_then(|it| it.referer.as_ref()));
        out.push_str("\" \"");
        field(&mut out, self.request.and_then(|it| it.user_agent.as_ref()));
        out.push('"');
        for (key, value) in self.more() {
            let _ = match value {
                // Names and ids, which have no space.
                Shown::Text(text) => write!(out, " {key}={text}"),
                Shown::Number(number) => write!(out, " {key}={number}"),
                Shown::Decimal(number) => write!(out, " {key}={number:.3}"),
            };
        }
        out
    }

    fn json(&self, now: SystemTime) -> String {
        let mut out = String::with_capacity(384);
        let (time, remote) = (time::rfc3339(now), self.remote());
        let _ = write!(out, "{{\"time\":\"{time}\",\"remote\":\"{remote}\"");
        let mut text = |key: &str, value: &[u8]| {
            let _ = write!(out, ",\"{key}\":");
            escape::json(&mut out, value);
        };
        if let Some(request) = self.request {
            text("method", request.method.as_str().as_bytes());
            text("target", request.target.as_bytes());
            text("protocol", format!("{:?}", request.version).as_bytes());
            for (key, value) in [
                ("host", &request.host),
                ("referer", &request.referer),
                ("user_agent", &request.user_agent),
            ] {
                if let Some(value) = value {
                    text(key, value.as_bytes());
                }
            }
        }
        let _ = write!(out, ",\"status\":{},\"bytes\":{}", self.status, self.bytes);
        for (key, value) in self.more() {
            let _ = write!(out, ",\"{key}\":");
            let _ = match value {
                Shown::Text(text) => {
                    escape::json(&mut out, text.as_bytes());
                    Ok(())
                }
                Shown::Number(number) => write!(out, "{number}"),
                Shown::Decimal(number) => write!(out, "{number:.3}"),
            };
        }
        out.push('}');
        out
    }
}

/// A value, as it is written.
enum Shown<'a> {
    Text(&'a str),
    Number(u64),
    /// With three digits behind the point.
    Decimal(f64),
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn what_is_no_request_has_a_line() {
        let address = Some(([10, 0, 0, 1], 7).into());
        let line = Line::nameless(address, StatusCode::BAD_REQUEST, 0);
        assert_eq!(
            line.combined(UNIX_EPOCH),
            "10.0.0.1 - - [01/Jan/1970:00:00:00 +0000] \"-\" 400 0 \"-\" \"-\" duration_ms=0.000"
        );
        assert_eq!(
            line.json(UNIX_EPOCH),
            "{\"time\":\"1970-01-01T00:00:00.000Z\",\"remote\":\"10.0.0.1\",\"status\":400,\
             \"bytes\":0,\"duration_ms\":0.000}"
        );
    }
}
