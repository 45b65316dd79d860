//! Connections at `/subscribe` get what connections elsewhere send.

use holdfast::topics;
use holdfast::websocket::{Accept, Connection, Handshake, Message, Reject, WebSocket};

const TOPIC: &str = "all";

struct Fan;

impl WebSocket for Fan {
    fn accept(handshake: &Handshake) -> Result<Accept, Reject> {
        Ok(match handshake.path() {
            "/subscribe" => Accept::new().topic(TOPIC),
            _ => Accept::new(),
        })
    }

    fn receive(_: &Connection, message: Message) -> holdfast::Result {
        topics::publish(TOPIC, message)?;
        Ok(())
    }
}

holdfast::export!(websocket = Fan);
