//! What has come from the client, before the guest sees it: broken frames,
//! compressed messages, messages which the host itself answers.

use bytes::Bytes;
use holdfast_core::event::CloseCause;
use holdfast_core::limits::ConnectionLimits;
use holdfast_core::metrics::LimitHit;
use holdfast_core::{Message, MessageRef, Settings};

use super::Socket;
use crate::connection::closure;
use crate::deflate::ExpandError;
use crate::frame::{Deflated, FrameError, Item, Rules};

/// Expanded bytes that are as much work as one more item.
const ITEM_BYTES: usize = 1024;

impl Socket {
    /// What holds for what the client sends.
    pub(super) fn rules(&self, limits: &ConnectionLimits) -> Rules {
        Rules {
            message_bytes_max: limits.message_bytes_max,
            may_deflate: self.connection().agreed().is_some(),
        }
    }

    /// Expands a compressed message. Closes the connection if the client broke
    /// the protocol.
    pub(super) fn checked(
        &mut self,
        item: Result<Option<Item>, FrameError>,
        rules: Rules,
    ) -> Option<Item> {
        let item = match item {
            Ok(Some(Item::Deflated(deflated))) => self.expand(&deflated, rules).map(Some),
            item => item,
        };
        match item {
            Ok(Some(item)) => {
                self.turn = self.turn.saturating_sub(1);
                Some(item)
            }
            Ok(None) => None,
            Err(error) => {
                self.broken(error);
                None
            }
        }
    }

    fn expand(&mut self, deflated: &Deflated, rules: Rules) -> Result<Item, FrameError> {
        // That takes its time, which is not the guest's.
        self.at_once = false;
        let expanded = self.connection().expand(
            &deflated.payload,
            rules.message_bytes_max,
            &mut self.event_loop.expander.borrow_mut(),
        );
        let bytes = expanded.map_err(|error| match error {
            ExpandError::Invalid => FrameError::Deflate,
            ExpandError::TooLarge => FrameError::TooLarge,
        })?;
        let settings = self.connection().settings();
        settings.metrics.note_compressed_in(deflated.payload.len());
        drop(settings);
        // Few bytes can become many, so they are counted as what they are.
        let items = u8::try_from(bytes.len() / ITEM_BYTES).unwrap_or(u8::MAX);
        self.turn = self.turn.saturating_sub(items);
        let message = match deflated.is_text {
            true => Message::Text(String::from_utf8(bytes).map_err(|_| FrameError::Utf8)?),
            false => Message::Binary(bytes),
        };
        Ok(Item::Message(message))
    }

    /// Counts a ping or pong. True if it was one too many, and the connection is
    /// closed.
    pub(super) fn is_flooded(&mut self) -> bool {
        let settings = self.connection().settings();
        let count_max = settings.connection.control_frames_per_second_max;
        let sockets = &self.event_loop.sockets;
        if sockets.count_control(self.place, count_max) {
            return false;
        }
        settings.metrics.note_limit(LimitHit::Control);
        drop(settings);
        self.turn_deaf();
        let closure = closure(CloseCause::Limit, 1008, "too many control frames");
        self.connection().close(closure);
        true
    }

    /// Reads nothing of what the client goes on to send.
    fn turn_deaf(&mut self) {
        self.garbled = true;
        self.rest = Bytes::new();
    }

    fn broken(&mut self, error: FrameError) {
        let cause = match error {
            FrameError::TooLarge | FrameError::Flood => {
                let settings = self.connection().settings();
                settings.metrics.note_limit(LimitHit::Message);
                CloseCause::Limit
            }
            FrameError::Protocol(_) | FrameError::Utf8 | FrameError::Deflate => CloseCause::Error,
        };
        self.turn_deaf();
        self.connection()
            .close(closure(cause, error.code(), &error.to_string()));
    }

    /// Answers a message that the guest need not see. False if there is no such
    /// answer.
    pub(super) fn replied(&self, message: &Message, settings: &Settings) -> bool {
        let Message::Text(text) = message else {
            return false;
        };
        let limits = &settings.connection;
        let Some(reply) = limits.policies.replies.get(text) else {
            return false;
        };
        let compressors = self.event_loop.hub.compressors();
        // Where the queue is full, `slow_consumer` says what happens.
        let _ = self
            .connection()
            .send_message(MessageRef::Text(reply), compressors);
        true
    }
}
