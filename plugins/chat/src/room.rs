//! A room: who is in it and what was said, all of it kept by the host.

use std::time::{SystemTime, UNIX_EPOCH};

use holdfast::connections::{self, SendError};
use holdfast::keyvalue::Store;
use holdfast::topics::{self, SUBSCRIBERS_MAX, Subscriber};
use holdfast::websocket::Connection;
use holdfast::{Context, Result};

use crate::history::History;
use crate::limits::{self, MEMBERS_MAX, same_nick};
use crate::protocol::{ChatMessage, Problem, ServerMessage};
use crate::visitor::{Member, Visitor};

/// The close code of a connection whose place its own client has taken again.
const REPLACED: u16 = 4000;

/// The store that is there wherever stores are granted.
const STORE: &str = "default";

/// A room by its name, which is that of its topic and of its history too.
pub(crate) struct Room<'a> {
    name: &'a str,
    key: String,
}

impl<'a> Room<'a> {
    pub(crate) fn new(name: &'a str) -> Self {
        Self {
            name,
            key: format!("rooms/{name}"),
        }
    }

    /// Lets somebody in. Of two who come with one nickname at the same moment,
    /// both may be refused, but never are both let in: each first takes its
    /// place in the topic and then looks who else is there. One who has the key
    /// of the other connection takes its place.
    pub(crate) fn join(&self, connection: &Connection, nick: &str, key: &str) -> Result {
        let member = Member {
            nick: limits::nick(nick)?.to_owned(),
            key: limits::key(key)?.to_owned(),
        };
        let mut visitor = Visitor::new(self.name);
        visitor.member = Some(member.clone());
        connection.set_attachment(visitor.to_bytes(), None)?;
        connection.subscribe(&self.key)?;
        let result = self.settle(connection, &member);
        if result.is_err() {
            self.forget(connection.id());
        }
        result
    }

    fn settle(&self, connection: &Connection, member: &Member) -> Result {
        let replaced = self.check_place(connection.id(), member)?;
        if let Some(id) = &replaced {
            self.forget(id);
            // It may be gone by now, which is as good.
            let _ = connections::close(id, REPLACED, "replaced by a newer connection");
        }
        let nick = member.nick.as_str();
        let welcome = ServerMessage::Welcome {
            room: self.name,
            nick,
            members: self.members(),
            messages: self.history()?,
        };
        tell(connection, &welcome)?;
        if replaced.is_some() {
            return Ok(());
        }
        let time = now_ms()?;
        self.publish(&ServerMessage::Joined { nick, time }, Some(connection.id()))
    }

    /// Whether there is a place, and the connection whose place it is.
    fn check_place(&self, id: &str, member: &Member) -> Result<Option<String>, Problem> {
        let others = topics::subscribers(&self.key, SUBSCRIBERS_MAX).into_iter();
        let mut others = others.filter(|other| other.connection != id);
        let holder = others.find_map(|other| {
            let holder = member_of(&other)?;
            same_nick(&holder.nick, &member.nick).then_some((other.connection, holder.key))
        });
        match holder {
            Some((id, key)) if !key.is_empty() && key == member.key => Ok(Some(id)),
            Some(_) => Err(Problem::NickTaken),
            None if topics::count(&self.key) > MEMBERS_MAX => Err(Problem::RoomFull),
            None => Ok(None),
        }
    }

    /// Makes a connection that of somebody who has not joined. Errors mean that
    /// it is gone, which is as good.
    fn forget(&self, id: &str) {
        topics::unsubscribe(id, &self.key);
        let _ = connections::set_attachment(id, Visitor::new(self.name).to_bytes(), None);
    }

    /// Says to all others that somebody, whose connection has ended, is gone.
    pub(crate) fn leave(&self, nick: &str) -> Result {
        let time = now_ms()?;
        self.publish(&ServerMessage::Left { nick, time }, None)
    }

    /// Says something to everybody in the room, and keeps it. It is kept before
    /// it is published, so that nobody who comes in between misses it.
    pub(crate) fn say(&self, nick: &str, text: &str) -> Result<ChatMessage> {
        let text = limits::text(text)?;
        let time = now_ms()?;
        let mut message = None;
        Store::open(STORE)?.update(&self.key, |bytes| {
            let mut history = History::from_bytes(bytes.as_deref());
            message = Some(history.push(nick, text, time));
            history.to_bytes()
        })?;
        let message = message.context("the message was not kept")?;
        self.publish(&ServerMessage::Message(message.clone()), None)?;
        Ok(message)
    }

    /// The same for somebody without a connection, who must not take the name
    /// of a member.
    pub(crate) fn say_from_outside(&self, nick: &str, text: &str) -> Result<ChatMessage> {
        let nick = limits::nick(nick)?;
        if self.members().iter().any(|member| same_nick(member, nick)) {
            return Err(Problem::NickTaken.into());
        }
        self.say(nick, text)
    }

    /// The nicknames of those who are here, in order.
    pub(crate) fn members(&self) -> Vec<String> {
        let subscribers = topics::subscribers(&self.key, SUBSCRIBERS_MAX);
        let members = subscribers.iter().filter_map(member_of);
        let mut nicks: Vec<_> = members.map(|member| member.nick).collect();
        nicks.sort_by_cached_key(|nick| nick.to_lowercase());
        nicks
    }

    /// The last messages, oldest first.
    pub(crate) fn history(&self) -> Result<Vec<ChatMessage>> {
        let bytes = Store::open(STORE)?.get(&self.key)?;
        Ok(History::from_bytes(bytes.as_deref()).into_messages())
    }

    fn publish(&self, message: &ServerMessage<'_>, except: Option<&str>) -> Result {
        let message = serde_json::to_string(message)?;
        match except {
            Some(id) => topics::publish_except(&self.key, message, id)?,
            None => topics::publish(&self.key, message)?,
        };
        Ok(())
    }
}

/// Sends a message to one client. One that is gone needs none.
pub(crate) fn tell(connection: &Connection, message: &ServerMessage<'_>) -> Result {
    match connection.send(serde_json::to_string(message)?) {
        Ok(_) | Err(SendError::Gone) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn member_of(subscriber: &Subscriber) -> Option<Member> {
    Visitor::from_bytes(&subscriber.attachment).ok()?.member
}

fn now_ms() -> Result<u64> {
    let time = SystemTime::now().duration_since(UNIX_EPOCH)?;
    Ok(u64::try_from(time.as_millis())?)
}
