//! How an event loop hears of what there is to do for its connections: from its
//! own tasks and from other threads.
//!
//! Waking a task of another loop costs a system call each time. A message
//! published to thousands of connections would spend its time there, so what is
//! to be done is collected, and the loop is woken for the first of it only.

use std::ptr;
use std::sync::Mutex;
use std::task::Waker;
use std::thread::{self, ThreadId};

use holdfast_core::TenantId;
use tokio::sync::Notify;

use crate::lock::lock;
use crate::sockets::Place;
use crate::sweep::Pace;

/// Sockets of which a loop is told at once, so that it can begin to write while a
/// message is still being queued for others.
const POSTS_LEN_MAX: usize = 64;

/// What there is to do for the connections of one event loop.
pub(crate) struct Mailbox {
    thread: ThreadId,
    letters: Mutex<Letters>,
    notify: Notify,
    /// How often its connections are swept.
    pub(crate) pace: Pace,
}

/// What was collected.
#[derive(Default)]
pub(crate) struct Letters {
    pub(crate) due: Vec<Letter>,
    /// Of tasks, from other threads.
    pub(crate) wakers: Vec<Waker>,
}

/// Of a socket to which there is something to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Letter {
    pub(crate) tenant: TenantId,
    pub(crate) place: Place,
}

impl Letters {
    fn is_empty(&self) -> bool {
        self.due.is_empty() && self.wakers.is_empty()
    }
}

impl Mailbox {
    /// For the event loop of the calling thread.
    pub(crate) fn new() -> Self {
        Self {
            thread: thread::current().id(),
            letters: Mutex::default(),
            notify: Notify::new(),
            pace: Pace::new(),
        }
    }

    /// Wakes a task of this loop. Called from any thread.
    pub(crate) fn wake(&self, waker: Waker) {
        if thread::current().id() == self.thread {
            waker.wake();
            return;
        }
        self.leave(|letters| letters.wakers.push(waker));
    }

    /// Has the loop write what is queued for one of its sockets. Called from any
    /// thread.
    pub(crate) fn post(&self, letter: Letter) {
        self.leave(|letters| letters.due.push(letter));
    }

    fn post_all(&self, more: &[Letter]) {
        self.leave(|letters| letters.due.extend_from_slice(more));
    }

    fn leave(&self, add: impl FnOnce(&mut Letters)) {
        let mut letters = lock(&self.letters);
        let is_first = letters.is_empty();
        add(&mut letters);
        drop(letters);
        if is_first {
            self.notify.notify_one();
        }
    }

    /// Has the loop look for what there is to do, after this round of tasks.
    pub(crate) fn notify(&self) {
        self.notify.notify_one();
    }

    /// Waits until there is something to do.
    pub(crate) async fn notified(&self) {
        self.notify.notified().await;
    }

    /// Swaps what was collected for `letters`, which has to be empty.
    pub(crate) fn collect(&self, letters: &mut Letters) {
        std::mem::swap(&mut *lock(&self.letters), letters);
    }
}

/// Sockets to which a message is to be written that many get, by their loops: a
/// loop is told of several at once.
#[derive(Default)]
pub(crate) struct Posts<'a>(Vec<(&'a Mailbox, Vec<Letter>)>);

impl<'a> Posts<'a> {
    /// As [`Mailbox::post`], but perhaps later.
    pub(crate) fn add(&mut self, to: &'a Mailbox, letter: Letter) {
        let index = self.0.iter().position(|(other, _)| ptr::eq(*other, to));
        let Some((_, all)) = index.and_then(|index| self.0.get_mut(index)) else {
            self.0.push((to, vec![letter]));
            return;
        };
        all.push(letter);
        if all.len() == POSTS_LEN_MAX {
            to.post_all(all);
            all.clear();
        }
    }
}

impl Drop for Posts<'_> {
    fn drop(&mut self) {
        for (mailbox, all) in &self.0 {
            if !all.is_empty() {
                mailbox.post_all(all);
            }
        }
    }
}
