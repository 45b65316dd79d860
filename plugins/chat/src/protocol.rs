//! The messages between server and clients, as `README.md` documents them.

use std::fmt::{self, Display, Formatter};

use holdfast::http::{HeaderValue, StatusCode};
use holdfast::websocket::Message as Frame;
use serde::{Deserialize, Serialize};

/// What a client says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ClientMessage {
    Join { nick: String, key: String },
    Say { text: String },
}

#[derive(Deserialize)]
struct RawClientMessage {
    r#type: String,
    nick: Option<String>,
    key: Option<String>,
    text: Option<String>,
}

impl ClientMessage {
    pub(crate) fn parse(frame: &Frame) -> Result<Self, Problem> {
        let text = frame.as_text().ok_or(Problem::NotJson)?;
        let raw: RawClientMessage = serde_json::from_str(text).map_err(|_| Problem::NotJson)?;
        match raw.r#type.as_str() {
            "join" => Ok(Self::Join {
                nick: raw.nick.unwrap_or_default(),
                key: raw.key.unwrap_or_default(),
            }),
            "say" => Ok(Self::Say {
                text: raw.text.unwrap_or_default(),
            }),
            _ => Err(Problem::UnknownType),
        }
    }
}

/// What somebody said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ChatMessage {
    /// Counts the messages of the room, from 1.
    pub(crate) id: u64,
    pub(crate) nick: String,
    pub(crate) text: String,
    /// Milliseconds since 1970.
    pub(crate) time: u64,
}

/// What the server says.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(crate) enum ServerMessage<'a> {
    Welcome {
        room: &'a str,
        nick: &'a str,
        members: Vec<String>,
        messages: Vec<ChatMessage>,
    },
    Message(ChatMessage),
    Joined {
        nick: &'a str,
        time: u64,
    },
    Left {
        nick: &'a str,
        time: u64,
    },
    Error {
        code: &'static str,
        text: String,
    },
}

impl From<&Problem> for ServerMessage<'_> {
    fn from(problem: &Problem) -> Self {
        Self::Error {
            code: problem.code(),
            text: problem.to_string(),
        }
    }
}

/// What the HTTP paths of a room list.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Listing {
    Members(Vec<String>),
    Messages(Vec<ChatMessage>),
}

/// The body of a POST.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Post {
    #[serde(default = "stranger")]
    pub(crate) nick: String,
    pub(crate) text: String,
}

fn stranger() -> String {
    "curl".to_owned()
}

impl Post {
    /// Reads JSON, or takes the whole body for the text.
    pub(crate) fn parse(body: &str, json: bool) -> Result<Self, Problem> {
        if json {
            return serde_json::from_str(body).map_err(|_| Problem::BadBody);
        }
        Ok(Self {
            nick: stranger(),
            text: body.to_owned(),
        })
    }
}

/// Whether a content type is that of JSON.
pub(crate) fn is_json(content_type: Option<&HeaderValue>) -> bool {
    let essence = content_type
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}

/// What a client did wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    NotJson,
    UnknownType,
    NotJoined,
    AlreadyJoined,
    NickTaken,
    BadNick(&'static str),
    BadKey,
    BadText(&'static str),
    RoomFull,
    BadBody,
}

impl Problem {
    /// For programs.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::NotJson => "not-json",
            Self::UnknownType => "unknown-type",
            Self::NotJoined => "not-joined",
            Self::AlreadyJoined => "already-joined",
            Self::NickTaken => "nick-taken",
            Self::BadNick(_) => "bad-nick",
            Self::BadKey => "bad-key",
            Self::BadText(_) => "bad-text",
            Self::RoomFull => "room-full",
            Self::BadBody => "bad-body",
        }
    }

    /// For HTTP clients.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::NickTaken => StatusCode::CONFLICT,
            Self::RoomFull => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

/// For people.
impl Display for Problem {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NotJson => "a message is a JSON object with a `type`",
            Self::UnknownType => "the type of a message is `join` or `say`",
            Self::NotJoined => "join the room before you say something",
            Self::AlreadyJoined => "you have joined this room already",
            Self::NickTaken => "somebody in this room has this nickname",
            Self::BadNick(why) => return write!(formatter, "the nickname {why}"),
            Self::BadKey => "a key has up to 64 printable ASCII characters",
            Self::BadText(why) => return write!(formatter, "the text {why}"),
            Self::RoomFull => "the room is full",
            Self::BadBody => "the body is a text, or JSON with `nick` and `text`, of up to 16 KiB",
        })
    }
}

impl std::error::Error for Problem {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_messages_are_read_by_their_type() {
        let parse = |text: &str| ClientMessage::parse(&text.into());
        let join = |key: &str| ClientMessage::Join {
            nick: "Ada".to_owned(),
            key: key.to_owned(),
        };
        let bare = parse(r#"{"type":"join","nick":"Ada","more":1}"#);
        assert_eq!(bare, Ok(join("")));
        let keyed = parse(r#"{"type":"join","nick":"Ada","key":"k"}"#);
        assert_eq!(keyed, Ok(join("k")));
        let text = String::new();
        assert_eq!(parse(r#"{"type":"say"}"#), Ok(ClientMessage::Say { text }));
        assert_eq!(parse(r#"{"type":"dance"}"#), Err(Problem::UnknownType));
        for bad in [
            "",
            "hello",
            "[]",
            "{}",
            r#"{"type":1}"#,
            r#"{"type":"say","text":1}"#,
        ] {
            assert_eq!(parse(bad), Err(Problem::NotJson), "{bad}");
        }
        let binary = ClientMessage::parse(&b"{}"[..].into());
        assert_eq!(binary, Err(Problem::NotJson));
    }

    #[test]
    fn server_messages_look_as_documented() {
        let message = ServerMessage::Message(ChatMessage {
            id: 1,
            nick: "Ada".to_owned(),
            text: "<b>".to_owned(),
            time: 2,
        });
        assert_eq!(
            serde_json::to_string(&message).unwrap(),
            r#"{"type":"message","id":1,"nick":"Ada","text":"<b>","time":2}"#
        );
        assert_eq!(
            serde_json::to_string(&ServerMessage::from(&Problem::BadText("is empty"))).unwrap(),
            r#"{"type":"error","code":"bad-text","text":"the text is empty"}"#
        );
        assert_eq!(
            serde_json::to_string(&Listing::Members(vec!["Ada".to_owned()])).unwrap(),
            r#"{"members":["Ada"]}"#
        );
    }

    #[test]
    fn a_post_is_a_text_or_json() {
        let post = Post::parse("{hello", false).unwrap();
        assert_eq!((post.nick.as_str(), post.text.as_str()), ("curl", "{hello"));
        let post = Post::parse(r#"{"nick":"Ada","text":"hi"}"#, true).unwrap();
        assert_eq!((post.nick.as_str(), post.text.as_str()), ("Ada", "hi"));
        assert_eq!(Post::parse("{hello", true), Err(Problem::BadBody));

        let json = HeaderValue::from_static("Application/JSON; charset=utf-8");
        assert!(is_json(Some(&json)));
        assert!(!is_json(Some(&HeaderValue::from_static("text/plain"))));
        assert!(!is_json(None));
    }
}
