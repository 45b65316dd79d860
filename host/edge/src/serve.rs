//! One event loop at work, from its first connection to its drained end.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use holdfast_core::Plugins;
use tokio::task::{JoinHandle, unconstrained, yield_now};
use tokio::time::{timeout, timeout_at};

use crate::drain::Drain;
use crate::event_loop::{EventLoop, Ticket};
use crate::hub::Hub;
use crate::listen::{Accepted, Incoming};
use crate::protocol;

/// Connections that begin at a time. Where thousands come at once, others have
/// their turns in between.
const BEGINNINGS_MAX: u32 = 2;

/// Time for the `close` events of the connections that are still open when the
/// shut-down is out of time.
const LAST_EVENTS_TIMEOUT: Duration = Duration::from_secs(2);

/// Serves the connections that come along a lane, until the shut-down. Runs on
/// a [`tokio::runtime::LocalRuntime`], one for each event loop.
///
/// When the shut-down starts, HTTP connections end with the request under way
/// and WebSockets are closed with the [drain code](Hub::set_drain_code), many of them over the
/// [close window](Hub::set_close_window). This returns when all have ended, two
/// seconds after the deadline of the shut-down at the latest.
pub async fn serve(
    hub: Arc<Hub>,
    plugins: Rc<dyn Plugins>,
    mut incoming: Incoming,
    mut drain: Drain,
) {
    let event_loop = EventLoop::new(hub, plugins);
    let _outbox = Background::new(&event_loop, |event_loop| async move {
        // It counts by itself how much it does before others have their turn.
        unconstrained(event_loop.write_outbox()).await;
    });
    let _sweep = Background::new(&event_loop, |event_loop| async move {
        event_loop.mailbox.pace.sweep(&event_loop.sockets).await;
    });
    let removals = event_loop.hub.removals();
    let _removals = Background::new(&event_loop, |event_loop| async move {
        event_loop.close_removed(removals).await;
    });
    let signal = drain.clone();
    let begin = |accepted: Accepted| {
        let ticket = Ticket::new(&event_loop);
        tokio::task::spawn_local(protocol::serve(ticket, accepted, signal.clone()));
    };
    let mut begun = 0;
    let deadline = loop {
        if begun == BEGINNINGS_MAX {
            begun = 0;
            yield_now().await;
        }
        tokio::select! {
            biased;
            deadline = drain.started() => break deadline,
            accepted = incoming.0.recv() => match accepted {
                Some(accepted) => {
                    begin(accepted);
                    begun += 1;
                }
                None => break drain.started().await,
            },
        }
    };
    // Those that were accepted before the shut-down may have sent a request. The
    // lane ends when there are no more of them.
    while let Ok(Some(accepted)) = timeout_at(deadline, incoming.0.recv()).await {
        begin(accepted);
    }
    drop(incoming);
    // Only now: who is closed and comes back at once finds that nobody listens,
    // and goes elsewhere.
    let _closing = Background::new(&event_loop, |event_loop| async move {
        let hub = &event_loop.hub;
        let (window, code) = (hub.close_window(), hub.drain_code());
        event_loop.sockets.close(window, code).await;
    });
    if timeout_at(deadline, event_loop.idle()).await.is_err() {
        event_loop.sockets.abort();
        if timeout(LAST_EVENTS_TIMEOUT, event_loop.idle())
            .await
            .is_err()
        {
            tracing::warn!("some connections did not end in time");
        }
    }
}

/// A task that runs as long as this lives.
struct Background(JoinHandle<()>);

impl Background {
    fn new<F: Future<Output = ()> + 'static>(
        event_loop: &Rc<EventLoop>,
        task: impl FnOnce(Rc<EventLoop>) -> F,
    ) -> Self {
        Self(tokio::task::spawn_local(task(event_loop.clone())))
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.0.abort();
    }
}
