//! A room: who is in it and what was said, all of it kept by the host.

use holdfast::keyvalue::Store;
use holdfast::topics::{self, SUBSCRIBERS_MAX};
use holdfast::websocket::Connection;
use holdfast::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::protocol::{Said, ServerMessage};

/// A nickname, in characters.
const NICK_LEN_MAX: usize = 24;
/// A text, in characters.
const TEXT_LEN_MAX: usize = 1000;
/// Messages which are kept for those who come later.
const HISTORY_LEN_MAX: usize = 50;

/// Who a connection is: its attachment.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visitor {
    pub room: String,
    /// None before it has joined.
    pub nick: Option<String>,
}

impl Visitor {
    pub fn new(room: &str) -> Self {
        Self {
            room: room.to_owned(),
            nick: None,
        }
    }

    pub fn to_bytes(&self) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(self)
    }

    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        serde_json::from_slice(bytes).context("the attachment")
    }
}

/// A room, by the name of its topic and of its history.
pub struct Room<'a> {
    name: &'a str,
    key: String,
}

impl<'a> Room<'a> {
    pub fn new(name: &'a str) -> Self {
        Self {
            name,
            key: format!("rooms/{name}"),
        }
    }

    /// Lets somebody in, or says why not.
    pub fn join(&self, connection: &Connection, nick: &str) -> Result<Option<&'static str>> {
        if nick.is_empty() || nick.chars().count() > NICK_LEN_MAX {
            return Ok(Some("a nickname has 1 to 24 characters"));
        }
        if self.members().iter().any(|member| member == nick) {
            return Ok(Some("somebody here has this nickname"));
        }
        let mut visitor = Visitor::new(self.name);
        visitor.nick = Some(nick.to_owned());
        connection.set_attachment(visitor.to_bytes()?, None)?;
        connection.subscribe(&self.key)?;
        let welcome = ServerMessage::Welcome {
            nick,
            members: self.members(),
            messages: self.history()?,
        };
        connection.send(welcome.to_json()?)?;
        let joined = ServerMessage::Joined { nick }.to_json()?;
        topics::publish_except(&self.key, joined, connection.id())?;
        Ok(None)
    }

    /// Says something to everybody here and keeps it, or says why not.
    pub fn say(&self, nick: &str, text: &str) -> Result<Option<&'static str>> {
        if text.is_empty() || text.chars().count() > TEXT_LEN_MAX {
            return Ok(Some("a text has 1 to 1000 characters"));
        }
        let bytes = Store::open("default")?.update(&self.key, |bytes| {
            // What can't be read was written by other code, and is given up.
            added(parse(bytes.as_deref()).unwrap_or_default(), nick, text)
        })?;
        let said = parse(Some(&bytes))?.pop().context("it was not kept")?;
        topics::publish(&self.key, ServerMessage::Message(said).to_json()?)?;
        Ok(None)
    }

    pub fn leave(&self, nick: &str) -> Result {
        topics::publish(&self.key, ServerMessage::Left { nick }.to_json()?)?;
        Ok(())
    }

    fn members(&self) -> Vec<String> {
        let subscribers = topics::subscribers(&self.key, SUBSCRIBERS_MAX).into_iter();
        let visitors = subscribers.map(|subscriber| Visitor::from_bytes(&subscriber.attachment));
        let mut nicks: Vec<_> = visitors.filter_map(|visitor| visitor.ok()?.nick).collect();
        nicks.sort();
        nicks
    }

    fn history(&self) -> Result<Vec<Said>> {
        let bytes = Store::open("default")?.get(&self.key)?;
        Ok(parse(bytes.as_deref()).unwrap_or_default())
    }
}

fn parse(history: Option<&[u8]>) -> Result<Vec<Said>> {
    match history {
        Some(bytes) => serde_json::from_slice(bytes).context("the history"),
        None => Ok(Vec::new()),
    }
}

/// A history with one message more, and without the oldest if there are too many.
fn added(mut history: Vec<Said>, nick: &str, text: &str) -> Vec<u8> {
    history.push(Said {
        id: history.last().map_or(0, |last| last.id) + 1,
        nick: nick.to_owned(),
        text: text.to_owned(),
    });
    let surplus = history.len().saturating_sub(HISTORY_LEN_MAX);
    history.drain(..surplus);
    // Numbers and strings are always JSON.
    serde_json::to_vec(&history).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_messages_are_kept_and_ids_go_on() {
        let mut bytes = None;
        for number in 1..=60 {
            let history = parse(bytes.as_deref()).unwrap();
            bytes = Some(added(history, "Ada", &number.to_string()));
        }
        let history = parse(bytes.as_deref()).unwrap();
        let ids: Vec<_> = history.iter().map(|said| said.id).collect();
        assert_eq!(ids, (11..=60).collect::<Vec<_>>());
    }

    #[test]
    fn a_visitor_survives_the_attachment() {
        let mut visitor = Visitor::new("lobby");
        visitor.nick = Some("Ada".to_owned());
        let bytes = visitor.to_bytes().unwrap();
        assert_eq!(Visitor::from_bytes(&bytes).unwrap(), visitor);
        assert!(Visitor::from_bytes(b"?").is_err());
    }
}
