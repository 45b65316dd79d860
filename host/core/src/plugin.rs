//! What the edge knows of a plugin, and how it delivers events to it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::event::{ConnectionState, Event, Outcome, Request};
use crate::id::{PluginId, TenantId};
use crate::limits::{ConnectionLimits, HttpLimits, TenantLimits};
use crate::message::Message;
use crate::metrics::{LimitHit, PluginMetrics};
use crate::volume::{Verdict, Volume};

/// A future that stays on the event loop where it was made.
pub type LocalFuture<T> = Pin<Box<dyn Future<Output = T>>>;

/// Delivers events to plugins. Implemented by the runtime, one for each event
/// loop; it and its futures never leave that loop, so that an event reaches a
/// warm instance and returns without a change of thread.
pub trait Plugins {
    /// Runs one event in an instance of the plugin's current generation.
    ///
    /// The future always ends: by the handler's return, by a trap, or at the
    /// deadline in the plugin's limits. Dropping it abandons the event.
    fn deliver(&self, plugin: PluginId, event: Event) -> LocalFuture<Outcome>;

    /// The same for a message, which is handled before this returns if that is
    /// possible. Otherwise returns the future, which has been polled: it is to be
    /// polled again when the task is woken.
    fn deliver_now(
        &self,
        context: &mut Context<'_>,
        plugin: PluginId,
        state: ConnectionState,
        message: Message,
    ) -> Result<Outcome, LocalFuture<Outcome>> {
        begin(
            self.deliver(plugin, Event::Message(state, message)),
            context,
        )
    }

    /// The same for a request. A future that is returned was not polled.
    fn request(&self, plugin: PluginId, request: Request) -> Result<Outcome, LocalFuture<Outcome>> {
        Err(self.deliver(plugin, Event::Http(request)))
    }

    /// When a guest began or ended its turn on this event loop last. Right after
    /// an event that is as good as now, and the clock need not be read.
    fn last_turn(&self) -> Instant {
        Instant::now()
    }

    /// Says that the next event is delivered at [`Self::last_turn`]: nothing has
    /// happened on the event loop since, but that the event was taken up.
    fn follow(&self) {}

    /// Takes time from a tenant's share of this event loop which was spent on
    /// what its guests have left to do, such as writing to their connections.
    fn charge(&self, tenant: TenantId, time: Duration);
}

/// Polls an event's future for the first time: what [`Plugins::deliver_now`]
/// returns.
pub fn begin(
    mut event: LocalFuture<Outcome>,
    context: &mut Context<'_>,
) -> Result<Outcome, LocalFuture<Outcome>> {
    match event.as_mut().poll(context) {
        Poll::Ready(outcome) => Ok(outcome),
        Poll::Pending => Err(event),
    }
}

/// Which handlers a component exports, as the host found out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Handlers {
    /// `wasi:http`, 0.2 or 0.3.
    pub http: bool,
    /// It is 0.2: a request has an instance for itself from beginning to end.
    pub http_alone: bool,
    /// `holdfast:websocket`, either form.
    pub websocket: bool,
}

/// What the edge has to know of one generation of a plugin to serve it.
/// Immutable; a reload makes a new one. A connection holds that of the
/// generation to which its attachment belongs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The plugin's number.
    pub id: PluginId,
    /// Which generation of the plugin, counted from 1 by the host. It is never
    /// reused for the same plugin.
    pub generation: u32,
    /// Its tenant's number, the scope of its connections and topics.
    pub tenant: TenantId,
    /// Its name, unique in the tenant.
    pub name: Arc<str>,
    /// Its tenant's name.
    pub tenant_name: Arc<str>,
    /// What its tenant's plugins may take together.
    pub tenant_limits: Arc<TenantLimits>,
    /// What it exports.
    pub handlers: Handlers,
    /// Limits of its WebSocket connections.
    pub connection: ConnectionLimits,
    /// Limits of its HTTP requests.
    pub http: HttpLimits,
    /// Whether the access log has its requests, if there is one.
    pub access_log: bool,
    /// What is counted of the plugin. All its generations share it.
    pub metrics: Arc<PluginMetrics>,
    /// How much of it may be in the log.
    pub log: Arc<Volume>,
}

impl Settings {
    /// Whether one more line of so many bytes may be in the log, what the guest
    /// has written or what is said about it. If so, says how many before it may
    /// not have been; those that may not are counted.
    pub fn may_log(&self, len: usize) -> Option<u64> {
        match self.log.take(len, Instant::now()) {
            Verdict::Write { dropped } => Some(dropped),
            Verdict::Drop => {
                self.metrics.note_limit(LimitHit::Log);
                None
            }
        }
    }
}
