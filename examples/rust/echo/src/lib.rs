//! A WebSocket echo, for text and binary messages, and a greeting over HTTP.

use holdfast::http::Request;
use holdfast::websocket::{Connection, Message, WebSocket};

struct Echo;

impl WebSocket for Echo {
    fn receive(connection: &Connection, message: Message) -> holdfast::Result {
        connection.send(message)?;
        Ok(())
    }
}

async fn handle(_request: Request) -> &'static str {
    "hello"
}

holdfast::export!(http = handle, websocket = Echo);
