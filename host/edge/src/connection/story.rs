//! What few connections have, or only at their end, in one box: how they end, and
//! what is counted of them for the access log.

use std::sync::atomic::Ordering;

use holdfast_core::event::Closure;

use super::closure::lost;
use super::{Connection, Shared};
use crate::access::Session;
use crate::lock::lock;

#[derive(Default)]
pub(super) struct Story {
    /// How it ends, once that is decided. Nothing is queued from then on.
    closure: Option<Closure>,
    session: Option<Box<Session>>,
}

impl Shared {
    /// Whether it is decided how the connection ends.
    pub(super) fn is_closing(&self) -> bool {
        let story = self.story.as_ref();
        story.is_some_and(|story| story.closure.is_some())
    }

    /// How the connection ends: so, unless that was decided before.
    pub(super) fn decide(&mut self, closure: impl FnOnce() -> Closure) -> &Closure {
        let story = self.story.get_or_insert_default();
        story.closure.get_or_insert_with(closure)
    }

    /// What is counted for the access log.
    pub(super) fn session(&mut self) -> Option<&mut Session> {
        self.story.as_mut()?.session.as_deref_mut()
    }
}

impl Connection {
    /// Has it logged at its end.
    pub(crate) fn follow(&self, session: Option<Box<Session>>) {
        if session.is_some() {
            lock(&self.shared).story.get_or_insert_default().session = session;
            self.is_followed.store(true, Ordering::Relaxed);
        }
    }

    /// Counts what the client has sent, for the access log.
    pub(crate) fn count_received(&self, messages: u64, bytes: usize) {
        if self.is_followed.load(Ordering::Relaxed)
            && let Some(session) = lock(&self.shared).session()
        {
            session.receive(messages, bytes);
        }
    }

    /// It has ended: logs it, once.
    pub(super) fn tell(&self) {
        if !self.is_followed.load(Ordering::Relaxed) {
            return;
        }
        let mut shared = lock(&self.shared);
        let story = shared.story.get_or_insert_default();
        let session = story.session.take();
        let closure = shared.decide(lost).clone();
        drop(shared);
        if let Some(session) = session {
            session.end(&closure);
        }
    }
}
