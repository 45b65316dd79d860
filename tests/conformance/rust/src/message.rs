//! Text messages, each of which is a command and its arguments.

use std::time::{SystemTime, UNIX_EPOCH};

use holdfast::connections::{AttachmentError, CloseError, SendError};
use holdfast::keyvalue::Store;
use holdfast::topics::{self, SUBSCRIBERS_MAX, SubscribeError};
use holdfast::websocket::Connection;
use holdfast::{Error, Result, config, connections, log};

use crate::command::{fetch, published, send_to, sleep};

/// Does what a message says, and returns the answer, if there is one.
pub(crate) async fn answer(connection: &Connection, text: &str) -> Result<Option<String>> {
    let (command, rest) = words(text);
    let answer = match command {
        "echo" => rest.to_owned(),
        "id" => connection.id().to_owned(),
        "time" => SystemTime::now()
            .duration_since(UNIX_EPOCH)?
            .as_millis()
            .to_string(),
        "random" => random()?,
        "sleep" => sleep(rest).await?.to_owned(),
        "fetch" => fetch(rest).await,
        "fail" => return Err(Error::msg(rest)),
        "trap" => panic!("told to trap"),
        "large" => "x".repeat(rest.parse()?),
        "too-large" => match connection.send("x".repeat(rest.parse()?)) {
            Err(SendError::TooLarge(limit)) => format!("too-large {limit}"),
            other => format!("{other:?}"),
        },
        "print" => {
            println!("{rest}");
            "printed".to_owned()
        }
        "log" => {
            write_log(rest)?;
            "logged".to_owned()
        }
        "config" => config::get(rest)?.unwrap_or_else(|| "none".into()),
        "set" | "get" | "delete" | "exists" | "increment" | "keys" => keys(command, rest)?,
        "subscribe" | "unsubscribe" | "publish" | "others" | "count" | "subscribers" => {
            topic(connection, command, rest)?
        }
        "close" => {
            let (code, reason) = words(rest);
            return Ok(close(connection, code.parse()?, reason));
        }
        _ => state(connection, command, rest)?,
    };
    Ok(Some(answer))
}

/// The first word, and the rest.
fn words(text: &str) -> (&str, &str) {
    text.split_once(' ').unwrap_or((text, ""))
}

fn random() -> Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn write_log(rest: &str) -> Result {
    let (level, text) = words(rest);
    match level {
        "trace" => log::trace!("{text}"),
        "debug" => log::debug!("{text}"),
        "info" => log::info!("{text}"),
        "warn" => log::warn!("{text}"),
        "error" => log::error!("{text}"),
        "critical" => log::critical!("{text}"),
        other => return Err(Error::msg(format!("no such level: {other}"))),
    }
    Ok(())
}

/// Attachments and other connections.
fn state(connection: &Connection, command: &str, rest: &str) -> Result<String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(match command {
        "attachment" => {
            let attachment = text(connection.attachment());
            format!("{} {attachment}", connection.attachment_version())
        }
        "remember" => match connection.set_attachment(rest, connection.attachment_version()) {
            Ok(version) => format!("remembered {version}"),
            Err(error) => error.to_string(),
        },
        "stale" => match connection.set_attachment(rest, 999) {
            Err(AttachmentError::Conflict(version)) => format!("conflict {version}"),
            other => format!("{other:?}"),
        },
        "peer" => match connections::get(rest) {
            Some(state) => text(&state.attachment),
            None => "none".to_owned(),
        },
        "send" => {
            let (id, message) = words(rest);
            send_to(id, message)?.to_owned()
        }
        other => return Err(Error::msg(format!("no such command: {other}"))),
    })
}

/// Closes the connection, and answers if that is not possible.
fn close(connection: &Connection, code: u16, reason: &str) -> Option<String> {
    let word = match connection.close(code, reason).err()? {
        CloseError::Gone => "gone",
        CloseError::InvalidCode => "invalid-code",
        CloseError::ReasonTooLong => "reason-too-long",
    };
    Some(word.to_owned())
}

fn topic(connection: &Connection, command: &str, rest: &str) -> Result<String> {
    let (topic, text) = words(rest);
    Ok(match command {
        "subscribe" => match connection.subscribe(rest) {
            Ok(()) => "subscribed".to_owned(),
            Err(SubscribeError::Gone) => "gone".to_owned(),
            Err(SubscribeError::TooMany(count)) => format!("too-many {count}"),
            Err(SubscribeError::InvalidName(bytes)) => format!("invalid-name {bytes}"),
        },
        "unsubscribe" => {
            connection.unsubscribe(rest);
            "unsubscribed".to_owned()
        }
        "publish" => published(topics::publish(topic, text)?),
        "others" => published(topics::publish_except(topic, text, connection.id())?),
        "count" => topics::count(rest).to_string(),
        _ => {
            let subscribers = topics::subscribers(rest, SUBSCRIBERS_MAX).into_iter();
            sorted(subscribers.map(|subscriber| subscriber.connection))
        }
    })
}

fn keys(command: &str, rest: &str) -> Result<String> {
    let store = Store::open("default")?;
    let (key, value) = words(rest);
    Ok(match command {
        "set" => {
            store.set(key, value)?;
            "done".to_owned()
        }
        "get" => match store.get(rest)? {
            Some(value) => String::from_utf8(value)?,
            None => "none".to_owned(),
        },
        "delete" => {
            store.delete(rest)?;
            "done".to_owned()
        }
        "exists" => store.exists(rest)?.to_string(),
        "increment" => store.increment(key, value.parse()?)?.to_string(),
        _ => sorted(store.keys()?),
    })
}

fn sorted(words: impl IntoIterator<Item = String>) -> String {
    let mut words: Vec<_> = words.into_iter().collect();
    words.sort_unstable();
    words.join(" ")
}
