//! Sends every message back to the connection it came from.

use holdfast::websocket::{Connection, Message, WebSocket};

struct Echo;

impl WebSocket for Echo {
    fn receive(connection: &Connection, message: Message) -> holdfast::Result {
        connection.send(message)?;
        Ok(())
    }
}

holdfast::export!(websocket = Echo);
