//! The last messages of a room, as they are kept in the key-value store.

use serde::{Deserialize, Serialize};

use crate::limits::HISTORY_LEN_MAX;
use crate::protocol::ChatMessage;

/// The last messages, oldest first, and the count of all.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct History {
    count: u64,
    messages: Vec<ChatMessage>,
}

impl History {
    /// What a value of the store says. One that can't be read, from a version
    /// of the plugin that wrote another format, counts as empty: losing the
    /// past is better than losing the room.
    pub(crate) fn from_bytes(bytes: Option<&[u8]>) -> Self {
        let history = bytes.and_then(|bytes| serde_json::from_slice(bytes).ok());
        history.unwrap_or_default()
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        // Numbers and strings are always JSON.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Adds a message, which gets the next id, and forgets the oldest.
    pub(crate) fn push(&mut self, nick: &str, text: &str, time: u64) -> ChatMessage {
        self.count += 1;
        let message = ChatMessage {
            id: self.count,
            nick: nick.to_owned(),
            text: text.to_owned(),
            time,
        };
        self.messages.push(message.clone());
        let surplus = self.messages.len().saturating_sub(HISTORY_LEN_MAX);
        self.messages.drain(..surplus);
        message
    }

    pub(crate) fn into_messages(self) -> Vec<ChatMessage> {
        self.messages
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_messages_are_kept_and_ids_go_on() {
        let mut bytes = None;
        for number in 1..=60 {
            let mut history = History::from_bytes(bytes.as_deref());
            let message = history.push("Ada", &number.to_string(), number);
            assert_eq!(message.id, number);
            bytes = Some(history.to_bytes());
        }
        let messages = History::from_bytes(bytes.as_deref()).into_messages();
        let ids: Vec<_> = messages.iter().map(|message| message.id).collect();
        assert_eq!(ids, (11..=60).collect::<Vec<_>>());
    }

    #[test]
    fn an_unreadable_value_counts_as_empty() {
        assert_eq!(History::from_bytes(Some(b"{")), History::default());
        assert_eq!(History::from_bytes(None), History::default());
    }
}
