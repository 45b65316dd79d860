//! A plugin as the runtime knows it: what its instances are made from, what
//! they may do, and what all event loops together have of it.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use holdfast_core::deploy::Deploy;
use holdfast_core::event::Outcome;
use holdfast_core::limits::{
    EventLimits, FolderLimits, HttpLimits, InstanceLimits, KeyvalueLimits, OutboundLimits,
};
use holdfast_core::metrics::{Part, SplitCounter};
use holdfast_core::{Edge, Settings};
use tokio::sync::{Notify, Semaphore};

use crate::capability::folders::OpenFiles;
use crate::generation::{Generation, Grants};
use crate::load::Loaded;
use crate::probation::{Alarm, Tally};
use crate::rate::Rate;
use crate::store::Store;
use crate::tenant::Tenant;

/// One generation of a plugin.
pub(crate) struct Plugin {
    pub(crate) settings: Arc<Settings>,
    /// Whose it is.
    pub(crate) tenant: Arc<Tenant>,
    pub(crate) loaded: Loaded,
    pub(crate) grants: Grants,
    pub(crate) deploy: Deploy,
    /// Of its attachments; empty until it has been asked.
    format: OnceLock<Arc<str>>,
    pub(crate) event: EventLimits,
    pub(crate) instance: InstanceLimits,
    /// Of what the guest publishes.
    pub(crate) message_bytes_max: usize,
    pub(crate) keyvalue: KeyvalueLimits,
    pub(crate) http: HttpLimits,
    pub(crate) outbound: OutboundLimits,
    pub(crate) files: FolderLimits,
    pub(crate) edge: Arc<dyn Edge>,
    pub(crate) store: Store,
    pub(crate) shared: Shared,
    /// Told when its first events fail.
    alarm: Arc<Alarm>,
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
    /// What has become of its events.
    pub(crate) tally: Tally,
    /// Time that its guests have computed.
    pub(crate) cpu_ns: SplitCounter,
    /// One permit for each outbound request.
    pub(crate) outbound: Arc<Semaphore>,
    pub(crate) outbound_rate: Rate,
    pub(crate) files: OpenFiles,
}

impl Shared {
    fn new(limits: &InstanceLimits, outbound: &OutboundLimits, deploy: &Deploy) -> Self {
        Self {
            instances: Arc::new(Semaphore::new(limits.count_max as usize)),
            waiting: AtomicU32::new(0),
            events: AtomicU32::new(0),
            wanted: Notify::new(),
            tally: Tally::new(deploy.probation),
            cpu_ns: SplitCounter::default(),
            outbound: Arc::new(Semaphore::new(outbound.concurrent_max as usize)),
            outbound_rate: Rate::new(outbound.per_second_max),
            files: OpenFiles::default(),
        }
    }

    /// How many wait for an instance, on all loops.
    pub(crate) fn waiting(&self) -> u32 {
        self.waiting.load(Ordering::Relaxed)
    }
}

impl Plugin {
    /// A generation that has not been asked for its format.
    pub(crate) fn new(
        generation: Generation,
        tenant: Arc<Tenant>,
        edge: Arc<dyn Edge>,
        store: Store,
        alarm: Arc<Alarm>,
    ) -> Self {
        let limits = generation.limits;
        Self {
            settings: generation.settings,
            tenant,
            loaded: generation.loaded,
            grants: generation.grants,
            deploy: generation.deploy,
            format: OnceLock::new(),
            shared: Shared::new(&limits.instance, &limits.outbound, &generation.deploy),
            event: limits.event,
            instance: limits.instance,
            message_bytes_max: limits.connection.message_bytes_max,
            keyvalue: limits.keyvalue,
            http: limits.http,
            outbound: limits.outbound,
            files: limits.files,
            edge,
            store,
            alarm,
        }
    }

    /// Which generation it is.
    pub(crate) fn number(&self) -> u32 {
        self.settings.generation
    }

    /// How many instances of it there are, those included that are being made.
    pub(crate) fn instance_count(&self) -> u32 {
        let free = self.shared.instances.available_permits();
        let free = u32::try_from(free).unwrap_or(u32::MAX);
        self.instance.count_max.saturating_sub(free)
    }

    /// The format of its attachments.
    pub(crate) fn format(&self) -> &Arc<str> {
        self.format.get_or_init(Arc::default)
    }

    /// Notes what the guest has said its format is; only the first time.
    pub(crate) fn set_format(&self, format: &str) {
        self.format.get_or_init(|| format.into());
    }

    /// Whether an attachment of this format is migrated before the guest sees
    /// it.
    pub(crate) fn migrates(&self, format: &str) -> bool {
        let websocket = self.loaded.parts.websocket.as_ref();
        websocket.is_some_and(|it| it.migrates()) && **self.format() != *format
    }

    /// Counts an event that has ended among those of an event loop, and tells the
    /// host if the generation has failed its probation by that.
    pub(crate) fn note(&self, events: &Part, outcome: &Outcome) {
        if self.shared.tally.note(events, outcome)
            && let Some(alarm) = self.alarm.get()
        {
            alarm(self.settings.id, self.number());
        }
    }

    /// Counts an event, if there may be one more. The last one of a connection
    /// is never turned away, since every guest is promised it.
    pub(crate) fn enter(self: &Arc<Self>, is_last: bool) -> Option<Entered> {
        let before = self.shared.events.fetch_add(1, Ordering::Relaxed);
        let may_enter = is_last || before < self.event.concurrent_max;
        let entered = Entered(Arc::clone(self));
        may_enter.then_some(entered)
    }

    /// Whether there may be one more event. One that ends at once need not be
    /// counted: there is no more than one on each event loop.
    pub(crate) fn may_enter(&self) -> bool {
        self.shared.events.load(Ordering::Relaxed) < self.event.concurrent_max
    }

    /// Counts an event that has begun already, and takes longer.
    pub(crate) fn stay(self: &Arc<Self>) -> Entered {
        self.shared.events.fetch_add(1, Ordering::Relaxed);
        Entered(Arc::clone(self))
    }

    /// Whether a guest may write one more line of so many bytes to the log. Those
    /// that it may not are counted there.
    pub(crate) fn may_log(&self, len: usize) -> bool {
        match self.settings.may_log(len) {
            None => false,
            Some(0) => true,
            Some(dropped) => {
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

/// An event waits for an instance, for those who count.
pub(crate) struct Queued(Arc<Plugin>);

impl Queued {
    pub(crate) fn new(plugin: &Arc<Plugin>) -> Self {
        plugin.settings.metrics.waiting.add(1);
        Self(Arc::clone(plugin))
    }
}

impl Drop for Queued {
    fn drop(&mut self) {
        self.0.settings.metrics.waiting.sub(1);
    }
}

/// Somebody waits for an instance.
pub(crate) struct Waiting(Arc<Plugin>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.shared.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}
