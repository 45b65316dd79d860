//! The messages: JSON objects with a `type`.

use holdfast::websocket::Message;
use serde::{Deserialize, Serialize};

/// What a page says.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum ClientMessage {
    /// First, and once.
    Join { nick: String },
    /// Then.
    Say { text: String },
}

impl ClientMessage {
    /// Reads a message, or says what is wrong with it.
    pub fn parse(message: &Message) -> Result<Self, &'static str> {
        let text = message.as_text().ok_or("a message is a text")?;
        serde_json::from_str(text).map_err(|_| "a message is JSON: a `join` or a `say`")
    }
}

/// What somebody said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// Counts the messages of the room, from 1.
    pub id: u64,
    pub nick: String,
    pub text: String,
}

/// What the plugin says.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum ServerMessage<'a> {
    /// The answer to `join`: who is here, and what was said, oldest first.
    Welcome {
        nick: &'a str,
        members: Vec<String>,
        messages: Vec<Said>,
    },
    Message(Said),
    Joined {
        nick: &'a str,
    },
    Left {
        nick: &'a str,
    },
    Error {
        text: &'a str,
    },
}

impl ServerMessage<'_> {
    pub fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_messages_are_read_by_their_type() {
        let parse = |text: &str| ClientMessage::parse(&text.into());
        let nick = "Ada".to_owned();
        assert_eq!(
            parse(r#"{"type":"join","nick":"Ada","more":1}"#),
            Ok(ClientMessage::Join { nick })
        );
        let text = "hi".to_owned();
        assert_eq!(
            parse(r#"{"type":"say","text":"hi"}"#),
            Ok(ClientMessage::Say { text })
        );
        for bad in ["", "hi", "{}", r#"{"type":"dance"}"#, r#"{"type":"say"}"#] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn server_messages_have_a_type() {
        let said = Said {
            id: 1,
            nick: "Ada".to_owned(),
            text: "<b>".to_owned(),
        };
        assert_eq!(
            ServerMessage::Message(said).to_json().unwrap(),
            r#"{"type":"message","id":1,"nick":"Ada","text":"<b>"}"#
        );
    }
}
