//! How other threads reach an event loop, and wake its tasks: many tasks, one
//! wake-up.
//!
//! Waking a task of another loop costs a system call each time. A message
//! published to thousands of connections would spend its time there, so their
//! wakers are collected and the loop is woken for the first of them only.

use std::sync::Mutex;
use std::task::Waker;
use std::thread::{self, ThreadId};

use tokio::sync::Notify;

use crate::lock::lock;
use crate::sweep::Pace;

/// Wakers for the tasks of one event loop.
pub(crate) struct Mailbox {
    thread: ThreadId,
    wakers: Mutex<Vec<Waker>>,
    notify: Notify,
    /// How often its connections are swept.
    pub(crate) pace: Pace,
}

impl Mailbox {
    /// For the event loop of the calling thread.
    pub(crate) fn new() -> Self {
        Self {
            thread: thread::current().id(),
            wakers: Mutex::default(),
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
        let mut wakers = lock(&self.wakers);
        wakers.push(waker);
        let is_first = wakers.len() == 1;
        drop(wakers);
        if is_first {
            self.notify.notify_one();
        }
    }

    /// Passes on what other threads have left, for ever. Runs on the loop.
    pub(crate) async fn run(&self) {
        loop {
            self.notify.notified().await;
            let wakers = std::mem::take(&mut *lock(&self.wakers));
            for waker in wakers {
                waker.wake();
            }
        }
    }
}
