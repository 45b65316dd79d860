//! The data of one store: who the guest is, and what its imports act on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use holdfast_core::metrics::LimitHit;
use wasmtime::component::ResourceTable;
use wasmtime::{ResourceLimiterAsync, Store, UpdateDeadline};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView, async_trait};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::capability::outbound::{Budget, Outbound};
use crate::capability::stdio;
use crate::direct;
use crate::http_0_3;
use crate::plugin::Plugin;
use crate::reaper::LARGE_BYTES;
use crate::subject::{Names, Subjects};
use crate::tenant::Memory;

/// The data of one store.
pub(crate) struct Guest {
    plugin: Arc<Plugin>,
    /// Made when it is first asked for: many guests never do.
    wasi: Option<Box<WasiCtx>>,
    http: WasiHttpCtx,
    outbound: Outbound,
    table: ResourceTable,
    table_0_3: http_0_3::Table,
    meter: Arc<Meter>,
    memory_bytes: Used,
    memory: Memory,
    /// The bytes of memory which the instance was made with, once it is.
    made_with: Option<usize>,
    table_elements: Used,
    /// What its events are about.
    pub(crate) subjects: Subjects,
    pub(crate) names: Names,
    /// For a guest that is linked directly.
    pub(crate) direct: direct::State,
}

/// Random bytes a guest gets at once. The event loop makes them without a
/// pause, so that more would keep it from others.
const RANDOM_BYTES_MAX: u64 = 64 << 10;

/// What the host keeps for a guest (requests, bodies, header fields, buckets,
/// and so on), for each event the instance may run, and at least.
const RESOURCES_PER_EVENT: usize = 32;
const RESOURCES_MIN: usize = 4096;

/// The same for what the engine keeps: tasks, waits and timers that are under way,
/// and ends of streams and futures, of which a response alone has ten.
const WAITS_PER_EVENT: usize = 64;
const WAITS_MIN: usize = 8192;

/// What an instance has of something in all its parts together: a component can
/// consist of several memories, and of several tables.
#[derive(Default)]
struct Used(usize);

impl Used {
    /// Counts what a part grows by, if it may. What the engine then fails to
    /// provide stays counted: a guest could make it fail for that.
    fn grow(&mut self, current: usize, desired: usize, max: usize) -> bool {
        let used = self.0.saturating_add(desired.saturating_sub(current));
        if used > max {
            return false;
        }
        self.0 = used;
        true
    }
}

/// The tenant has no memory left for another instance.
#[derive(Debug, thiserror::Error)]
#[error("all instances of the tenant together have as much memory as they may")]
pub(crate) struct NoMemory;

/// Tells whoever polls a guest's future why it is pending.
#[derive(Default)]
pub(crate) struct Meter(AtomicBool);

impl Meter {
    /// Whether the guest was interrupted while it computed, since last asked.
    pub(crate) fn take_interrupted(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}

impl Guest {
    /// A store for an instance of the plugin.
    pub(crate) fn store(engine: &wasmtime::Engine, plugin: &Arc<Plugin>) -> Store<Self> {
        let mut table = ResourceTable::new();
        let resources = RESOURCES_PER_EVENT * plugin.instance.events_max as usize;
        let resources_max = resources.max(RESOURCES_MIN);
        let waits = WAITS_PER_EVENT * plugin.instance.events_max as usize;
        let waits_max = waits.max(WAITS_MIN);
        table.set_max_capacity(resources_max);
        let mut store = Store::new(
            engine,
            Self {
                plugin: Arc::clone(plugin),
                wasi: None,
                http: WasiHttpCtx::new(),
                outbound: Outbound::new(plugin),
                table,
                table_0_3: http_0_3::Table::new(resources_max),
                meter: Arc::default(),
                memory_bytes: Used::default(),
                memory: Memory::new(&plugin.tenant),
                made_with: None,
                table_elements: Used::default(),
                subjects: Subjects::default(),
                names: Names::default(),
                direct: direct::State::new(waits_max),
            },
        );
        store.limiter_async(|guest| guest);
        store.set_max_component_handles(waits_max);
        if let Some(table) = store.concurrent_resource_table() {
            table.set_max_capacity(waits_max);
        }
        store.set_hostcall_fuel(plugin.instance.call_bytes_max);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|store| {
            store.data().meter.0.store(true, Ordering::Relaxed);
            // Tokio looks for input and output before a task that yields this
            // way runs again; a plain wake would starve them.
            let others = Box::pin(tokio::task::yield_now());
            Ok(UpdateDeadline::YieldCustom(1, others))
        });
        store
    }

    pub(crate) fn plugin(&self) -> &Arc<Plugin> {
        &self.plugin
    }

    /// The instance is made: from now on it is told that it can't have memory,
    /// instead of the host.
    pub(crate) fn set_made(&mut self) {
        self.made_with = Some(self.memory_bytes());
    }

    pub(crate) fn table(&mut self) -> &mut ResourceTable {
        &mut self.table
    }

    pub(crate) fn http_0_3(&mut self) -> http_0_3::View<'_> {
        http_0_3::View {
            table: &mut self.table_0_3,
            outbound: &mut self.outbound,
        }
    }

    /// What its events may spend on outbound requests.
    pub(crate) fn budget(&self) -> &Arc<Budget> {
        self.outbound.budget()
    }

    pub(crate) fn meter(&self) -> &Arc<Meter> {
        &self.meter
    }

    /// Whether a memory may grow; if so, it is counted.
    ///
    /// # Errors
    /// Fails when the tenant has no memory for an instance that is being made.
    fn may_grow(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool, NoMemory> {
        let max = self.plugin.instance.memory_bytes_max;
        let may_be = maximum.is_none_or(|maximum| desired <= maximum);
        let before = self.memory_bytes.0;
        let metrics = &self.plugin.settings.metrics;
        if !(may_be && self.memory_bytes.grow(current, desired, max)) {
            metrics.note_limit(LimitHit::Memory);
            return Ok(false);
        }
        metrics.memory_bytes.add(self.memory_bytes.0 - before);
        let may_be = self.memory.grow(desired.saturating_sub(current));
        if !may_be {
            metrics.note_limit(LimitHit::TenantMemory);
        }
        match may_be || self.made_with.is_some() {
            true => Ok(may_be),
            false => Err(NoMemory),
        }
    }

    /// Of all its memories together.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.memory_bytes.0
    }

    /// What it has taken besides what it was made with.
    pub(crate) fn taken_bytes(&self) -> usize {
        let made_with = self.made_with.unwrap_or(usize::MAX);
        self.memory_bytes().saturating_sub(made_with)
    }

    /// Whether it takes long to give its memory back.
    pub(crate) fn is_large(&self) -> bool {
        self.memory_bytes() >= LARGE_BYTES
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let metrics = &self.plugin.settings.metrics;
        metrics.memory_bytes.sub(self.memory_bytes.0);
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let plugin = &self.plugin;
        WasiCtxView {
            ctx: self.wasi.get_or_insert_with(|| Box::new(wasi(plugin))),
            table: &mut self.table,
        }
    }
}

/// What an instance has of WASI.
fn wasi(plugin: &Arc<Plugin>) -> WasiCtx {
    let mut wasi = WasiCtx::builder()
        .envs(&plugin.grants.env())
        .stdout(stdio::Lines::new(plugin, stdio::Name::Stdout))
        .stderr(stdio::Lines::new(plugin, stdio::Name::Stderr))
        .max_random_size(RANDOM_BYTES_MAX)
        .allow_tcp(false)
        .allow_udp(false)
        .build();
    *wasi.filesystem() = plugin.grants.folders.context();
    wasi
}

impl WasiHttpView for Guest {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            ctx: &mut self.http,
            table: &mut self.table,
            hooks: &mut self.outbound,
        }
    }
}

#[async_trait]
impl ResourceLimiterAsync for Guest {
    async fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let may_be = self.may_grow(current, desired, maximum)?;
        if may_be {
            self.plugin.tenant.house.reaper.pause().await;
        }
        Ok(may_be)
    }

    async fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let max = self.plugin.instance.table_elements_max;
        let may_be = maximum.is_none_or(|maximum| desired <= maximum);
        let grows = may_be && self.table_elements.grow(current, desired, max);
        if !grows {
            self.plugin.settings.metrics.note_limit(LimitHit::Memory);
        }
        Ok(grows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_parts_share_one_limit() {
        let mut used = Used::default();
        assert!(used.grow(0, 6, 10));
        assert!(used.grow(0, 4, 10), "another part");
        assert!(!used.grow(4, 5, 10));
        assert!(used.grow(6, 6, 10), "nothing more");
        assert!(!used.grow(0, usize::MAX, 10));
    }
}
