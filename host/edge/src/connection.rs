//! What the host keeps for one WebSocket: its queue, its attachment, and
//! whether it is closing. Shared by its task and whoever sends to it.
//!
//! What is queued is written by the [outbox](crate::outbox) of the connection's
//! event loop, so that a message to it wakes no task. The task writes only where
//! it has to know what becomes of it: when the socket is full, or at the end.

mod attachment;
mod closure;
mod compression;
mod counts;
mod sending;
mod story;
mod view;

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};

use arc_swap::{ArcSwap, Guard};
use bytes::Bytes;
use holdfast_core::edge::SubscribeError;
use holdfast_core::event::Closure;
use holdfast_core::{PluginId, Settings};

use crate::frame;
use crate::key::Key;
use crate::lock::lock;
use crate::mailbox::Mailbox;
use crate::queue::{Batch, Queue};
use crate::sockets::Place;
pub(crate) use closure::closure;
use closure::lost;
use story::Story;
pub use view::ConnectionView;

/// One WebSocket, from its handshake to its `close` event.
pub(crate) struct Connection {
    pub(crate) key: Key,
    /// Whose it is, in whatever generation.
    pub(crate) plugin: PluginId,
    settings: ArcSwap<Settings>,
    /// Of the settings, what each message asks for; what is larger is looked up.
    message_bytes_max: AtomicU32,
    queue_bytes_max: AtomicU32,
    home: Arc<Mailbox>,
    /// Whether the client has shown life since the last sweep.
    heard: AtomicBool,
    /// Whether it is counted for the access log.
    is_followed: AtomicBool,
    /// What host and client have agreed on for compression, packed.
    agreed: AtomicU16,
    shared: Mutex<Shared>,
}

#[derive(Default)]
struct Shared {
    queue: Queue,
    story: Option<Box<Story>>,
    /// The shut-down is out of time.
    aborted: bool,
    /// Whether a guest is at work on an event of it.
    busy: bool,
    /// Wakes the task, while that waits.
    parked: Option<Waker>,
    /// The plugin has no more to do with it.
    left: bool,
    /// Where it is among the sockets of its loop, once it is one of them.
    place: Option<Place>,
    writer: Writer,
    /// To which the attachment belongs; that of the settings.
    generation: u32,
    attachment: Bytes,
    attachment_version: u64,
    topics: Option<TopicNames>,
}

/// Who writes what is queued.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Writer {
    /// The task, when it looks at the queue next.
    #[default]
    Task,
    /// The outbox of the loop, which has been told.
    Outbox,
    /// The task, when the socket has room.
    Blocked,
}

/// Boxed, since a set has 48 bytes even when it is empty, and most connections
/// have none.
type TopicNames = Box<HashSet<Arc<str>>>;

/// What a task finds when it goes on.
#[derive(Clone, Copy)]
pub(crate) struct Signals {
    /// The connection is to be closed.
    pub(crate) closing: bool,
    /// The shut-down is out of time: nothing more may be waited for.
    pub(crate) aborted: bool,
    /// There is something to write, and nobody else does.
    pub(crate) output: bool,
    /// What is queued.
    pub(crate) queue_bytes: usize,
    /// Whose settings hold.
    pub(crate) generation: u32,
}

/// What a task that parks waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wait {
    /// Input, output, or the decision to close.
    Input,
    /// A guest.
    Guest,
    /// The end of the closing handshake.
    Close,
}

impl Connection {
    pub(crate) fn new(key: Key, settings: Arc<Settings>, home: Arc<Mailbox>) -> Self {
        let shared = Shared {
            generation: settings.generation,
            ..Shared::default()
        };
        let limits = &settings.connection;
        Self {
            key,
            plugin: settings.id,
            message_bytes_max: AtomicU32::new(saturated(limits.message_bytes_max)),
            queue_bytes_max: AtomicU32::new(saturated(limits.queue_bytes_max)),
            settings: ArcSwap::new(settings),
            home,
            heard: AtomicBool::new(true),
            is_followed: AtomicBool::new(false),
            agreed: AtomicU16::new(0),
            shared: Mutex::new(shared),
        }
    }

    /// What holds for it now: the settings of its plugin's generation.
    pub(crate) fn settings(&self) -> Guard<Arc<Settings>> {
        self.settings.load()
    }

    /// The task has begun, as one of its loop's sockets.
    pub(crate) fn enter(&self, place: Place) {
        lock(&self.shared).place = Some(place);
    }

    /// Other settings hold from now on.
    fn set_settings(&self, settings: &Arc<Settings>) {
        let limits = &settings.connection;
        self.message_bytes_max
            .store(saturated(limits.message_bytes_max), Ordering::Relaxed);
        self.queue_bytes_max
            .store(saturated(limits.queue_bytes_max), Ordering::Relaxed);
        self.settings.store(Arc::clone(settings));
    }

    fn wake(&self, waker: Option<Waker>) {
        if let Some(waker) = waker {
            self.home.wake(waker);
        }
    }

    /// Decides how the connection ends, after what is queued. False if that
    /// was decided before.
    pub(crate) fn close(&self, closure: Closure) -> bool {
        let mut shared = lock(&self.shared);
        if shared.is_closing() {
            return false;
        }
        shared.close(closure);
        let waker = shared.parked.take();
        drop(shared);
        self.wake(waker);
        true
    }

    /// The client is gone: what is queued can't be sent any more.
    pub(crate) fn lose(&self) {
        let mut shared = lock(&self.shared);
        self.clear(&mut shared);
        shared.decide(lost);
    }

    /// Lets the task wait for nothing any more but its `close` event.
    pub(crate) fn abort(&self) {
        let mut shared = lock(&self.shared);
        shared.aborted = true;
        shared.decide(lost);
        let waker = shared.parked.take();
        drop(shared);
        self.wake(waker);
    }

    /// How the connection has ended.
    pub(crate) fn closure(&self) -> Closure {
        lock(&self.shared).decide(lost).clone()
    }

    /// The task goes on: nobody need wake it now.
    pub(crate) fn resume(&self) -> Signals {
        let mut shared = lock(&self.shared);
        shared.parked = None;
        shared.busy = false;
        shared.signals()
    }

    /// The task is about to wait. False if there is something to do first.
    /// `blocked` says that the socket takes no output now.
    pub(crate) fn park(&self, context: &Context<'_>, wait: Wait, blocked: bool) -> bool {
        let mut shared = lock(&self.shared);
        let signals = shared.signals();
        if signals.aborted
            || (signals.output && !blocked)
            || (signals.closing && wait == Wait::Input)
        {
            return false;
        }
        shared.busy = wait == Wait::Guest;
        shared.parked = Some(context.waker().clone());
        true
    }

    /// Answers a ping. Called by the task, which then writes.
    pub(crate) fn pong(&self, payload: &[u8]) {
        let mut shared = lock(&self.shared);
        if !shared.is_closing() {
            shared.queue.pong(payload);
        }
    }

    /// Notes that the client has shown life.
    pub(crate) fn hear(&self) {
        self.heard.store(true, Ordering::Relaxed);
    }

    /// Whether the client has shown life since the last call, or could not
    /// because a guest is at work for it.
    pub(crate) fn was_heard(&self) -> bool {
        self.heard.swap(false, Ordering::Relaxed) || lock(&self.shared).busy
    }

    /// Asks the client for a sign of life.
    pub(crate) fn ping(&self) {
        let mut shared = lock(&self.shared);
        if !shared.is_closing() {
            shared.queue.ping();
            self.post(shared);
        }
    }

    /// Notes a subscription. Called with the topic locked, so that none can
    /// slip in behind [`Self::end`].
    pub(crate) fn add_topic(&self, name: &Arc<str>) -> Result<(), SubscribeError> {
        let topics_max = self.settings().connection.topics_max;
        let mut shared = lock(&self.shared);
        if shared.is_closing() {
            return Err(SubscribeError::Gone);
        }
        let topics = shared.topics.get_or_insert_default();
        if topics.len() >= topics_max as usize && !topics.contains(name) {
            return Err(SubscribeError::TooMany(topics_max));
        }
        topics.insert(name.clone());
        Ok(())
    }

    /// Forgets a subscription.
    pub(crate) fn remove_topic(&self, name: &str) {
        let mut shared = lock(&self.shared);
        let Some(topics) = &mut shared.topics else {
            return;
        };
        topics.remove(name);
        if topics.is_empty() {
            shared.topics = None;
        }
    }

    /// No subscription can be added any more; returns those there are.
    pub(crate) fn end(&self) -> Option<TopicNames> {
        let mut shared = lock(&self.shared);
        shared.decide(lost);
        // Nobody writes it any more.
        self.clear(&mut shared);
        shared.topics.take()
    }
}

/// As far as a limit can be told in 32 bits.
fn saturated(limit: usize) -> u32 {
    u32::try_from(limit).unwrap_or(u32::MAX)
}

impl Shared {
    fn close(&mut self, closure: Closure) {
        let code = (closure.code != 1005).then_some(closure.code);
        self.queue.push(frame::close(code, &closure.reason));
        self.decide(|| closure);
    }

    fn signals(&self) -> Signals {
        Signals {
            closing: self.is_closing(),
            aborted: self.aborted,
            output: !self.queue.is_empty() && self.writer != Writer::Outbox,
            queue_bytes: self.queue.bytes(),
            generation: self.generation,
        }
    }

    fn take(&mut self, batch: &mut Batch) -> bool {
        if self.queue.is_empty() {
            self.writer = Writer::Task;
            return false;
        }
        self.queue.take(batch);
        true
    }
}
