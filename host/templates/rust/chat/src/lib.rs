//! A chat. `/rooms/NAME` is a room: its page, and the WebSocket of that page. A
//! text posted to it appears on every page.
//!
//! All state is in the host: the attachment says who a connection is, a topic
//! says who is in a room, the key-value store has the last messages. So new
//! code can take over at any moment, under open sockets.

mod protocol;
mod room;

use holdfast::http::{Method, Request, Response, StatusCode, header, html};
use holdfast::websocket::{Accept, Closure, Connection, Handshake, Message, Reject, WebSocket};

use protocol::{ClientMessage, ServerMessage};
use room::{Room, Visitor};

/// A posted text, in bytes.
const POST_BYTES_MAX: usize = 4000;

struct Chat;

impl WebSocket for Chat {
    fn accept(handshake: &Handshake) -> Result<Accept, Reject> {
        match room_of(handshake.path()) {
            Some(room) => Ok(Accept::new().attachment(Visitor::new(room).to_bytes()?)),
            None => Err(Reject::new(StatusCode::NOT_FOUND).text("rooms are at /rooms/NAME")),
        }
    }

    fn receive(connection: &Connection, message: Message) -> holdfast::Result {
        let visitor = Visitor::from_bytes(connection.attachment())?;
        let room = Room::new(&visitor.room);
        let answer = match (ClientMessage::parse(&message), &visitor.nick) {
            (Ok(ClientMessage::Join { nick }), None) => room.join(connection, nick.trim())?,
            (Ok(ClientMessage::Say { text }), Some(nick)) => room.say(nick, text.trim())?,
            (Ok(_), _) => Some("join once, then say something"),
            (Err(problem), _) => Some(problem),
        };
        if let Some(text) = answer {
            connection.send(ServerMessage::Error { text }.to_json()?)?;
        }
        Ok(())
    }

    fn close(connection: &Connection, _closure: Closure) -> holdfast::Result {
        let visitor = Visitor::from_bytes(connection.attachment())?;
        match visitor.nick {
            Some(nick) => Room::new(&visitor.room).leave(&nick),
            None => Ok(()),
        }
    }
}

async fn handle(request: Request) -> holdfast::Result<Response> {
    let path = request.path().to_owned();
    match (request.method(), path.as_str(), room_of(&path)) {
        (&Method::GET | &Method::HEAD, "/", _) => Ok(Response::builder()
            .status(StatusCode::SEE_OTHER)
            .header(header::LOCATION, "/rooms/lobby")
            .body("".into())?),
        (&Method::GET | &Method::HEAD, _, Some(_)) => Ok(html(include_str!("page.html"))),
        (&Method::POST, _, Some(room)) => {
            let text = request.into_body().text_up_to(POST_BYTES_MAX).await?;
            match Room::new(room).say("guest", text.trim())? {
                None => answer(StatusCode::CREATED, "It was said.\n"),
                Some(problem) => answer(StatusCode::BAD_REQUEST, problem),
            }
        }
        _ => answer(StatusCode::NOT_FOUND, "Rooms are at /rooms/NAME.\n"),
    }
}

fn answer(status: StatusCode, text: &'static str) -> holdfast::Result<Response> {
    Ok(Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "text/plain; charset=utf-8")
        .body(text.into())?)
}

/// The room's name in `/rooms/NAME`.
fn room_of(path: &str) -> Option<&str> {
    let name = path.strip_prefix("/rooms/")?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    ((1..=64).contains(&name.len()) && name.bytes().all(allowed)).then_some(name)
}

holdfast::export!(http = handle, websocket = Chat);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rooms_have_plain_names() {
        assert_eq!(room_of("/rooms/lobby"), Some("lobby"));
        for path in ["/", "/rooms/", "/rooms/a/b", "/rooms/a%20b", "/other/lobby"] {
            assert_eq!(room_of(path), None, "{path}");
        }
    }
}
