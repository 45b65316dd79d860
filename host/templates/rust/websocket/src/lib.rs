//! WebSocket events, and a page to try them. Open the URL that `holdfast dev`
//! prints, say something, change `answer` below, and save: the socket stays
//! open, and the next message is answered by the new code.

use holdfast::http::{Request, Response, html};
use holdfast::websocket::{Connection, Message, WebSocket};

struct Socket;

impl WebSocket for Socket {
    fn open(connection: &Connection) -> holdfast::Result {
        connection.send("Hello! Say something.")?;
        Ok(())
    }

    fn receive(connection: &Connection, message: Message) -> holdfast::Result {
        // Whatever is to be there at the next message is in the attachment,
        // which the host keeps: this code may be another by then.
        let count = count(connection.attachment()) + 1;
        connection.set_attachment(count.to_string(), None)?;
        match message {
            Message::Text(text) => connection.send(answer(count, &text))?,
            bytes @ Message::Binary(_) => connection.send(bytes)?,
        };
        Ok(())
    }
}

fn answer(count: u64, text: &str) -> String {
    format!("{count}: you said {text}")
}

/// How many messages a connection has sent, as its attachment says.
fn count(attachment: &[u8]) -> u64 {
    let text = std::str::from_utf8(attachment).unwrap_or_default();
    text.parse().unwrap_or(0)
}

async fn page(_request: Request) -> Response {
    html(include_str!("page.html"))
}

holdfast::export!(http = page, websocket = Socket);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_counted() {
        assert_eq!(count(b""), 0);
        assert_eq!(count(b"41"), 41);
        assert_eq!(answer(42, "hi"), "42: you said hi");
    }
}
