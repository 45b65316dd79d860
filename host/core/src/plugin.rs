//! What the edge knows of a plugin, and how it delivers events to it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::event::{Event, Outcome};
use crate::id::{PluginId, TenantId};
use crate::limits::{ConnectionLimits, HttpLimits, TenantLimits};
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

    /// Takes time from a tenant's share of this event loop which was spent on
    /// what its guests have left to do, such as writing to their connections.
    fn charge(&self, tenant: TenantId, time: Duration);
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
