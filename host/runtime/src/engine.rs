//! The engine: how components are compiled, where their memories live, and the
//! clock that takes the processor from a guest which computes for too long.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use wasmtime::{
    Config, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig,
    WasmBacktraceDetails,
};

/// How long a guest computes before its event loop gets a turn. Shorter costs
/// throughput of computing guests, longer costs latency of everybody else.
pub(crate) const SLICE: Duration = Duration::from_millis(1);

/// Stack of one call into a guest, in bytes: the guest's own part, and what
/// host functions called by it may use on top.
const WASM_STACK_BYTES: usize = 512 << 10;
const ASYNC_STACK_BYTES: usize = 1 << 20;

/// Core instances, memories and tables one component may consist of.
const PARTS_MAX: u32 = 64;
const MEMORIES_MAX: u32 = 4;
const TABLES_MAX: u32 = 16;

/// Bytes of a returned table that are cleared by writing zeros instead of by
/// asking the kernel for fresh pages.
const TABLE_KEEP_RESIDENT_BYTES: usize = 128 << 10;

/// The same for a memory. None: most guests' memories begin with their stack,
/// whose lowest part is never used, so that what is cleared first is what needs
/// it least.
///
/// The engine could ask the kernel which pages were written (`pagemap_scan`),
/// which would halve the time to make an instance and drop it. But it then
/// leaves alone what is not present at that moment (swapped out, or being moved),
/// and the next instance, perhaps another tenant's, would read it.
const MEMORY_KEEP_RESIDENT_BYTES: usize = 0;

/// Limits of each engine, reserved when it is made.
#[derive(Clone, Debug)]
pub struct EngineLimits {
    /// Instances of all plugins together. Each reserves 4 GiB of address space,
    /// but no memory. Reached: 503 or 1013.
    pub instances_max: u32,
    /// The largest linear memory any plugin may be given, in bytes.
    pub memory_bytes_max: usize,
    /// The largest table any plugin may be given, in elements.
    pub table_elements_max: usize,
}

/// Compiles components and owns the memory of their instances.
///
/// There are two engines in it, because a call into a component that uses
/// nothing of the component model's async costs a third in an engine without
/// it. A component goes into the first that takes it.
pub struct Engines {
    plain: Engine,
    waiting: Engine,
    stop: Arc<AtomicBool>,
    ticker: Option<JoinHandle<()>>,
}

impl Engines {
    /// Makes the engines and starts their clock thread, which ends with them.
    ///
    /// # Errors
    /// Fails when the machine can't reserve the address space.
    pub fn new(limits: &EngineLimits) -> anyhow::Result<Self> {
        let plain = Engine::new(&config(limits, false))?;
        let waiting = Engine::new(&config(limits, true))?;
        let stop = Arc::new(AtomicBool::new(false));
        let ticker = std::thread::Builder::new().name("epoch".into()).spawn({
            let stop = Arc::clone(&stop);
            let engines = [plain.clone(), waiting.clone()];
            move || {
                while !stop.load(Ordering::Relaxed) {
                    std::thread::sleep(SLICE);
                    engines.iter().for_each(Engine::increment_epoch);
                }
            }
        })?;
        Ok(Self {
            plain,
            waiting,
            stop,
            ticker: Some(ticker),
        })
    }

    /// For components without async functions, streams and futures.
    pub(crate) fn plain(&self) -> &Engine {
        &self.plain
    }

    /// For all components.
    pub(crate) fn waiting(&self) -> &Engine {
        &self.waiting
    }
}

impl Drop for Engines {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(ticker) = self.ticker.take() {
            // It only sleeps and counts; there is no panic to pass on.
            let _ = ticker.join();
        }
    }
}

fn config(limits: &EngineLimits, concurrent: bool) -> Config {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(limits.instances_max)
        .total_core_instances(limits.instances_max.saturating_mul(4))
        .total_memories(limits.instances_max)
        .total_tables(limits.instances_max.saturating_mul(2))
        .total_stacks(limits.instances_max.saturating_mul(2))
        .max_core_instances_per_component(PARTS_MAX)
        .max_memories_per_component(MEMORIES_MAX)
        .max_tables_per_component(TABLES_MAX)
        .max_memory_size(limits.memory_bytes_max)
        .table_elements(limits.table_elements_max)
        .linear_memory_keep_resident(MEMORY_KEEP_RESIDENT_BYTES)
        .table_keep_resident(TABLE_KEEP_RESIDENT_BYTES);
    let mut config = Config::new();
    config
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
        .memory_init_cow(true)
        .epoch_interruption(true)
        .cranelift_opt_level(OptLevel::Speed)
        .max_wasm_stack(WASM_STACK_BYTES)
        .async_stack_size(ASYNC_STACK_BYTES)
        .wasm_backtrace_details(WasmBacktraceDetails::Disable)
        .wasm_component_model_async(concurrent)
        .concurrency_support(concurrent);
    config
}
