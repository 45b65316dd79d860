//! What the conformance suite asks of every language, in Rust: the model for the
//! others. `tests/conformance/README.md` says what each command is to do.
// To trap is one of the things it is asked for.
#![allow(clippy::panic)]

mod command;
mod message;
mod request;

use holdfast::http::{HeaderName, HeaderValue, StatusCode};
use holdfast::topics;
use holdfast::websocket::{
    Accept, AsyncWebSocket, CloseCause, Closure, Connection, Handshake, Message, Reject,
};

struct Conformance;

impl AsyncWebSocket for Conformance {
    async fn accept(handshake: &Handshake) -> Result<Accept, Reject> {
        let mut target = handshake.path().to_owned();
        if let Some(query) = handshake.query() {
            target = format!("{target}?{query}");
        }
        let accept = Accept::new().attachment(target);
        match handshake.path() {
            "/refuse" => Err(Reject::new(StatusCode::FORBIDDEN)
                .header(
                    HeaderName::from_static("x-why"),
                    HeaderValue::from_static("refused"),
                )
                .body("refused")),
            "/protocol" => match handshake.subprotocols().last() {
                Some(last) => Ok(accept.subprotocol(last)),
                None => Ok(accept),
            },
            "/headers" => Ok(accept.header(
                HeaderName::from_static("x-conformance"),
                HeaderValue::from_static("yes"),
            )),
            "/trap" => panic!("told to trap in accept"),
            path => match path.strip_prefix("/topic/") {
                Some(topic) => Ok(accept.topic(topic)),
                None => Ok(accept),
            },
        }
    }

    async fn open(connection: &Connection) -> holdfast::Result {
        match connection.attachment() {
            b"/greet" => {
                connection.send("open")?;
            }
            b"/trap-open" => panic!("told to trap in open"),
            _ => {}
        }
        Ok(())
    }

    async fn receive(connection: &Connection, message: Message) -> holdfast::Result {
        let Message::Text(text) = message else {
            connection.send(message)?;
            return Ok(());
        };
        if let Some(answer) = message::answer(connection, &text).await? {
            connection.send(answer)?;
        }
        Ok(())
    }

    async fn close(connection: &Connection, closure: Closure) -> holdfast::Result {
        let target = String::from_utf8_lossy(connection.attachment());
        if let Some((_, topic)) = target.split_once("?observer=") {
            let cause = word(closure.cause);
            let text = format!("closed {cause} {} {}", closure.code, closure.reason);
            topics::publish(topic, text)?;
        }
        Ok(())
    }
}

/// The word of the WIT.
fn word(cause: CloseCause) -> &'static str {
    match cause {
        CloseCause::Client => "client",
        CloseCause::Server => "server",
        CloseCause::Idle => "idle",
        CloseCause::SlowConsumer => "slow-consumer",
        CloseCause::Limit => "limit",
        CloseCause::Error => "error",
        CloseCause::Deploy => "deploy",
        CloseCause::Drain => "drain",
        CloseCause::ConnectionLost => "connection-lost",
        _ => "unknown",
    }
}

holdfast::export!(http = request::handle, async_websocket = Conformance);
