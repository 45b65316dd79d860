//! The data of one store: who the guest is, and what its imports act on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use wasmtime::component::ResourceTable;
use wasmtime::{ResourceLimiter, Store, UpdateDeadline};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::capability::outbound::Outbound;
use crate::capability::stdio;
use crate::plugin::Plugin;

/// The data of one store.
pub(crate) struct Guest {
    plugin: Arc<Plugin>,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    outbound: Outbound,
    table: ResourceTable,
    meter: Arc<Meter>,
}

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
        let mut store = Store::new(
            engine,
            Self {
                plugin: Arc::clone(plugin),
                wasi: WasiCtx::builder()
                    .stdout(stdio::Lines::new(plugin, stdio::Name::Stdout))
                    .stderr(stdio::Lines::new(plugin, stdio::Name::Stderr))
                    .allow_tcp(false)
                    .allow_udp(false)
                    .build(),
                http: WasiHttpCtx::new(),
                outbound: Outbound::new(&plugin.grants),
                table: ResourceTable::new(),
                meter: Arc::default(),
            },
        );
        store.limiter(|guest| guest);
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

    pub(crate) fn table(&mut self) -> &mut ResourceTable {
        &mut self.table
    }

    pub(crate) fn meter(&self) -> &Arc<Meter> {
        &self.meter
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
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

impl ResourceLimiter for Guest {
    fn memory_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= self.plugin.instance.memory_bytes_max)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= self.plugin.instance.table_elements_max)
    }
}
