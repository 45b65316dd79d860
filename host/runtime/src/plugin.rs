//! A plugin as the runtime knows it: what its instances are made from, what
//! they may do, and what all event loops together have of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use holdfast_core::deploy::Deploy;
use holdfast_core::event::Event;
use holdfast_core::limits::{EventLimits, InstanceLimits, Limits};
use holdfast_core::{Edge, Settings};
use tokio::sync::{Notify, Semaphore};

use crate::capability::outbound::AllowList;
use crate::load::Loaded;
use crate::store::Store;
use crate::volume::{Verdict, Volume};

/// What a new generation of a plugin consists of.
pub struct Generation {
    /// Who it is, and what the edge has to know of it.
    pub settings: Arc<Settings>,
    /// Its component.
    pub loaded: Loaded,
    /// What it has been granted.
    pub grants: Grants,
    /// Its limits.
    pub limits: Limits,
    /// How it takes over.
    pub deploy: Deploy,
}

/// What a plugin has been granted.
#[derive(Clone, Debug, Default)]
pub struct Grants {
    /// For `wasi:config`.
    pub config: BTreeMap<String, String>,
    /// Where outbound requests may go.
    pub allow_http: AllowList,
}

/// One generation of a plugin.
pub(crate) struct Plugin {
    pub(crate) settings: Arc<Settings>,
    pub(crate) loaded: Loaded,
    pub(crate) grants: Arc<Grants>,
    pub(crate) event: EventLimits,
    pub(crate) instance: InstanceLimits,
    /// Of what the guest publishes.
    pub(crate) message_bytes_max: usize,
    /// Of the tenant's keys and values.
    pub(crate) keyvalue_bytes_max: u64,
    pub(crate) edge: Arc<dyn Edge>,
    pub(crate) store: Store,
    pub(crate) shared: Shared,
}

/// What the event loops share of a plugin.
pub(crate) struct Shared {
    /// One permit an instance.
    pub(crate) instances: Arc<Semaphore>,
    /// How many wait for an instance.
    waiting: AtomicU32,
    /// Events under way.
    events: AtomicU32,
    /// Told when somebody begins to wait, so that other loops give up
    /// instances which they keep warm.
    pub(crate) wanted: Notify,
    /// What the guests write to the log.
    log: Volume,
}

impl Shared {
    pub(crate) fn new(limits: &InstanceLimits) -> Self {
        Self {
            instances: Arc::new(Semaphore::new(limits.count_max as usize)),
            waiting: AtomicU32::new(0),
            events: AtomicU32::new(0),
            wanted: Notify::new(),
            log: Volume::new(),
        }
    }

    /// How many wait for an instance, on all loops.
    pub(crate) fn waiting(&self) -> u32 {
        self.waiting.load(Ordering::Relaxed)
    }
}

impl Plugin {
    /// Counts an event, if there may be one more. The last one of a connection
    /// is never turned away, since every guest is promised it.
    pub(crate) fn enter(self: &Arc<Self>, event: &Event) -> Option<Entered> {
        let before = self.shared.events.fetch_add(1, Ordering::Relaxed);
        let entered = Entered(Arc::clone(self));
        let is_last = matches!(event, Event::Close(..));
        (is_last || before < self.event.concurrent_max).then_some(entered)
    }

    /// Whether a guest may write one more line of so many bytes to the log. Those
    /// that it may not are counted there.
    pub(crate) fn may_log(&self, len: usize) -> bool {
        match self.shared.log.take(len, Instant::now()) {
            Verdict::Drop => false,
            Verdict::Write { dropped: 0 } => true,
            Verdict::Write { dropped } => {
                let (tenant, plugin) = (&*self.settings.tenant_name, &*self.settings.name);
                tracing::warn!(tenant, plugin, dropped, "the guest wrote too many lines");
                true
            }
        }
    }

    /// Counts somebody who waits for an instance, and tells the loops.
    pub(crate) fn wait(self: &Arc<Self>) -> Waiting {
        self.shared.waiting.fetch_add(1, Ordering::Relaxed);
        self.shared.wanted.notify_waiters();
        Waiting(Arc::clone(self))
    }
}

/// An event is under way.
pub(crate) struct Entered(Arc<Plugin>);

impl Drop for Entered {
    fn drop(&mut self) {
        self.0.shared.events.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Somebody waits for an instance.
pub(crate) struct Waiting(Arc<Plugin>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.shared.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}
