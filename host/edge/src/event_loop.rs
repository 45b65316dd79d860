//! What the tasks of one event loop share.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io;
use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use holdfast_core::Plugins;
use holdfast_core::spare::emptied;
use http::HeaderMap;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinSet;

use crate::connection::Connection;
use crate::deflate::Expander;
use crate::http1::Date;
use crate::hub::{Front, Hub};
use crate::mailbox::Mailbox;
use crate::outbox::Outbox;
use crate::request_id::Ids;
use crate::sockets::{Place, Sockets, removed};
use crate::stream::Stream;

/// What is read at once, in bytes. One buffer for the whole loop: connections
/// own none while they wait.
const READ_BYTES_MAX: usize = 64 << 10;

/// WebSockets whose end begins at a time.
const ENDINGS_MAX: usize = 16;

/// One event loop.
pub(crate) struct EventLoop {
    pub(crate) hub: Arc<Hub>,
    pub(crate) plugins: Rc<dyn Plugins>,
    /// Hears of what there is to write.
    pub(crate) mailbox: Arc<Mailbox>,
    /// What its requests are called.
    pub(crate) ids: Ids,
    /// Its open WebSockets.
    pub(crate) sockets: Sockets,
    /// Where every connection reads to. Borrowed between two awaits only.
    input: RefCell<Box<[u8]>>,
    pub(crate) outbox: Outbox,
    /// For the ends of WebSockets, of which thousands may come at once: few of
    /// them begin at a time, so that others have their turns in between.
    pub(crate) endings: Semaphore,
    /// For requests that came together with one before them, see
    /// [`crate::http1`]: one begins at a time.
    pub(crate) pipelines: Arc<Semaphore>,
    /// Expands what its clients have compressed.
    pub(crate) expander: RefCell<Expander>,
    /// Of its responses.
    pub(crate) date: RefCell<Date>,
    /// What the hub had for requests, and the number of that.
    front: RefCell<(u64, Rc<Front>)>,
    /// An empty map, whose memory is used again.
    fields: RefCell<HeaderMap>,
    task_count: Cell<usize>,
    idle: Notify,
}

impl EventLoop {
    /// For the thread that calls.
    pub(crate) fn new(hub: Arc<Hub>, plugins: Rc<dyn Plugins>) -> Rc<Self> {
        let front = (hub.front_version(), Rc::new(hub.front()));
        Rc::new(Self {
            hub,
            plugins,
            mailbox: Arc::new(Mailbox::new()),
            ids: Ids::new(),
            sockets: Sockets::default(),
            input: RefCell::new(vec![0; READ_BYTES_MAX].into()),
            outbox: Outbox::default(),
            endings: Semaphore::new(ENDINGS_MAX),
            pipelines: Arc::new(Semaphore::new(1)),
            expander: RefCell::default(),
            date: RefCell::default(),
            front: RefCell::new(front),
            fields: RefCell::default(),
            task_count: Cell::new(0),
            idle: Notify::new(),
        })
    }

    /// Reads once, and hands what was read to `take`, unless that is nothing.
    pub(crate) fn poll_read<T>(
        &self,
        context: &mut Context<'_>,
        stream: &mut Stream,
        take: impl FnOnce(&[u8]) -> T,
    ) -> Poll<io::Result<T>> {
        let mut input = self.input.borrow_mut();
        let len = ready!(stream.poll_recv(context, &mut input))?;
        Poll::Ready(Ok(take(input.get(..len).unwrap_or_default())))
    }

    /// What requests meet first.
    pub(crate) fn front(&self) -> Rc<Front> {
        let mut front = self.front.borrow_mut();
        let version = self.hub.front_version();
        if front.0 != version {
            *front = (version, Rc::new(self.hub.front()));
        }
        Rc::clone(&front.1)
    }

    /// An empty map for header fields, which may own memory already.
    pub(crate) fn spare_fields(&self) -> HeaderMap {
        self.fields.take()
    }

    /// Nobody needs this map any more.
    pub(crate) fn keep_fields(&self, fields: HeaderMap) {
        if let Some(fields) = emptied(fields) {
            self.fields.replace(fields);
        }
    }

    /// Reads until the client has nothing more to say. Bytes that nobody reads
    /// would make the kernel reset the connection when it is closed, and the
    /// client might never see our last words.
    pub(crate) async fn linger(&self, stream: &RefCell<Stream>) {
        loop {
            let read =
                poll_fn(|context| self.poll_read(context, &mut stream.borrow_mut(), <[u8]>::len));
            let read = read.await;
            if !matches!(read, Ok(len) if len > 0) {
                return;
            }
        }
    }

    /// Enters a WebSocket that has been opened; returns its place among those of
    /// this loop.
    pub(crate) fn enter(
        &self,
        connection: &Arc<Connection>,
        stream: &Rc<RefCell<Stream>>,
    ) -> Place {
        if self.hub.tally().is_removed(connection.plugin) {
            connection.close(removed());
        }
        let idle_timeout_ms = connection.settings().connection.idle_timeout_ms;
        self.mailbox.pace.note(idle_timeout_ms);
        self.sockets.insert(connection.clone(), stream.clone())
    }

    /// Closes the WebSockets of plugins that are removed, for ever. None waits for
    /// those of another.
    pub(crate) async fn close_removed(self: Rc<Self>, mut removals: watch::Receiver<()>) {
        let mut closing = JoinSet::new();
        while removals.changed().await.is_ok() {
            while closing.try_join_next().is_some() {}
            // Nothing of them is kept by a loop that has no requests.
            self.front();
            let this = Rc::clone(&self);
            closing.spawn_local(async move {
                let (plugins, window) = (this.hub.tally().removed(), this.hub.close_window());
                this.sockets.close_plugins(&plugins, window).await;
            });
        }
    }

    /// Waits until no [`Ticket`] is left.
    pub(crate) async fn idle(&self) {
        while self.task_count.get() > 0 {
            self.idle.notified().await;
        }
    }
}

/// Held by every task that the shut-down waits for.
pub(crate) struct Ticket(Rc<EventLoop>);

impl Ticket {
    pub(crate) fn new(event_loop: &Rc<EventLoop>) -> Self {
        event_loop.task_count.update(|count| count + 1);
        Self(event_loop.clone())
    }

    /// For one more task.
    pub(crate) fn another(&self) -> Self {
        Self::new(&self.0)
    }
}

impl Deref for Ticket {
    type Target = EventLoop;

    fn deref(&self) -> &EventLoop {
        &self.0
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.task_count.update(|count| count - 1);
        if self.task_count.get() == 0 {
            self.idle.notify_one();
        }
    }
}
