//! Chat rooms by path, with a page of their own. `README.md` documents the
//! paths and the messages.
//!
//! This file only connects events to what they mean. All state is in the host:
//! the attachment says who a connection is, a topic says who is in a room, the
//! key-value store has the last messages. So any instance, of any version of
//! this code, can take any event.

mod history;
mod limits;
mod page;
mod protocol;
mod room;
mod route;
mod visitor;

use holdfast::http::{HeaderValue, Method, Request, Response, StatusCode, header, json};
use holdfast::websocket::{Accept, Closure, Connection, Handshake, Message, Reject, WebSocket};

use protocol::{ClientMessage, Listing, Post, Problem, ServerMessage};
use room::Room;
use route::Route;
use visitor::Visitor;

struct Chat;

impl WebSocket for Chat {
    fn accept(handshake: &Handshake) -> Result<Accept, Reject> {
        match Route::of(handshake.path()) {
            Route::Room(room) => Ok(Accept::new().attachment(Visitor::new(room).to_bytes())),
            Route::BadRoom => Err(Reject::new(StatusCode::NOT_FOUND).text(limits::ROOM_RULE)),
            _ => Err(Reject::new(StatusCode::NOT_FOUND).text("rooms are at /rooms/{room}")),
        }
    }

    fn receive(connection: &Connection, message: Message) -> holdfast::Result {
        let visitor = Visitor::from_bytes(connection.attachment())?;
        match react(connection, &visitor, &message) {
            Err(error) => {
                let problem = problem_in(error)?;
                room::tell(connection, &ServerMessage::from(&problem))
            }
            done => done,
        }
    }

    fn close(connection: &Connection, _closure: Closure) -> holdfast::Result {
        let visitor = Visitor::from_bytes(connection.attachment())?;
        match visitor.member {
            Some(member) => Room::new(&visitor.room).leave(&member.nick),
            None => Ok(()),
        }
    }
}

fn react(connection: &Connection, visitor: &Visitor, message: &Message) -> holdfast::Result {
    let room = Room::new(&visitor.room);
    match (ClientMessage::parse(message)?, &visitor.member) {
        (ClientMessage::Join { nick, key }, None) => room.join(connection, &nick, &key),
        (ClientMessage::Join { .. }, Some(_)) => Err(Problem::AlreadyJoined.into()),
        (ClientMessage::Say { text }, Some(member)) => room.say(&member.nick, &text).map(drop),
        (ClientMessage::Say { .. }, None) => Err(Problem::NotJoined.into()),
    }
}

async fn handle(request: Request) -> holdfast::Result<Response> {
    let path = request.path().to_owned();
    let method = match *request.method() {
        Method::HEAD => Method::GET,
        ref method => method.clone(),
    };
    match (Route::of(&path), method) {
        (Route::Front, Method::GET) => Ok(page::html("")),
        (Route::Room(_), Method::GET) => Ok(page::html("../")),
        (Route::Asset(asset), Method::GET) => Ok(page::asset(asset)),
        (Route::Members(room), Method::GET) => {
            answer(StatusCode::OK, &Listing::Members(Room::new(room).members()))
        }
        (Route::Messages(room), Method::GET) => answer(
            StatusCode::OK,
            &Listing::Messages(Room::new(room).history()?),
        ),
        (Route::Messages(room), Method::POST) => match post(room, request).await {
            Err(error) => {
                let problem = problem_in(error)?;
                answer(problem.status(), &ServerMessage::from(&problem))
            }
            done => done,
        },
        (Route::BadRoom, _) => refuse(StatusCode::NOT_FOUND, limits::ROOM_RULE),
        (Route::Unknown, _) => refuse(StatusCode::NOT_FOUND, "there is nothing here"),
        (route, _) => not_allowed(&route),
    }
}

/// Says something in a room without a connection.
async fn post(room: &str, request: Request) -> holdfast::Result<Response> {
    let json = protocol::is_json(request.headers().get(header::CONTENT_TYPE));
    let body = request.into_body().text_up_to(limits::BODY_BYTES_MAX).await;
    let post = Post::parse(&body.map_err(|_| Problem::BadBody)?, json)?;
    let message = Room::new(room).say_from_outside(&post.nick, &post.text)?;
    answer(StatusCode::CREATED, &ServerMessage::Message(message))
}

/// What a client is to be told; any other error is the host's to report.
fn problem_in(error: holdfast::Error) -> holdfast::Result<Problem> {
    match error.downcast_ref::<Problem>() {
        Some(problem) => Ok(problem.clone()),
        None => Err(error),
    }
}

fn answer(status: StatusCode, body: &impl serde::Serialize) -> holdfast::Result<Response> {
    let mut response = json(serde_json::to_string(body)? + "\n");
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

fn refuse(status: StatusCode, text: &str) -> holdfast::Result<Response> {
    Ok(Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "text/plain; charset=utf-8")
        .body(format!("{text}\n").into())?)
}

fn not_allowed(route: &Route<'_>) -> holdfast::Result<Response> {
    let allowed = match route {
        Route::Messages(_) => "GET, HEAD, POST",
        _ => "GET, HEAD",
    };
    let mut response = refuse(StatusCode::METHOD_NOT_ALLOWED, "not this method")?;
    let allowed = HeaderValue::from_static(allowed);
    response.headers_mut().insert(header::ALLOW, allowed);
    Ok(response)
}

holdfast::export!(http = handle, websocket = Chat);
