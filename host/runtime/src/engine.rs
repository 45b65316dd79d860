//! The engine: how components are compiled, and where their memories live.

use std::sync::Arc;

use futures_util::FutureExt;
use wasmtime::{
    Config, Engine, Func, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig, Store,
    WasmBacktraceDetails,
};

use crate::epoch::{Epoch, Ticker};

/// Stack of one call into a guest, in bytes: the guest's own part, and what
/// host functions called by it may use on top.
const WASM_STACK_BYTES: usize = 512 << 10;
const ASYNC_STACK_BYTES: usize = 1 << 20;

/// How much of a stack stays with the process when its instance has gone. What is
/// deeper was used by an unusual guest, and goes back to the system.
const STACK_KEEP_RESIDENT_BYTES: usize = 16 << 10;

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

/// Memories and stacks of instances that are gone are given back to the system so
/// many at a time, on each thread: most of what it costs is the same for all of
/// them together as for one. Those of large instances do not wait for others
/// ([`give_back`]).
const GIVEN_BACK_TOGETHER: usize = 8;

/// Memory slots that nobody uses and that may still hold pages of the component
/// which used them last. Those of generations that are gone count too, so that a
/// host which reloads often grows by this many; with fewer than there are
/// components that come and go in turn, each maps its memory anew.
const UNUSED_WARM_SLOTS_MAX: u32 = 16;

/// Places of instances that are made for a moment, while a component is loaded.
const LOADING: u32 = 1;

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

/// Which of the two engines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// For components without async functions, streams and futures.
    Plain,
    /// For all components.
    Waiting,
}

impl Form {
    pub(crate) const BOTH: [Self; 2] = [Self::Plain, Self::Waiting];

    /// In a word, for other processes.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Waiting => "waiting",
        }
    }

    /// The reverse of [`Form::name`].
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::BOTH.into_iter().find(|form| form.name() == name)
    }
}

/// Compiles components and owns the memory of their instances.
///
/// There are two engines in it, because a call into a component that uses
/// nothing of the component model's async costs a third in an engine without
/// it. A component goes into the first that takes it.
pub struct Engines {
    both: [Engine; 2],
    ticker: Ticker,
}

impl Engines {
    /// Makes the engines and starts their clock thread, which ends with them.
    ///
    /// # Errors
    /// Fails when the machine can't reserve the address space.
    pub fn new(limits: &EngineLimits) -> anyhow::Result<Self> {
        let [mut plain, mut waiting] = Form::BOTH.map(config);
        for config in [&mut plain, &mut waiting] {
            config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(limits)));
        }
        let both = [Engine::new(&plain)?, Engine::new(&waiting)?];
        let ticker = Ticker::start(both.to_vec())?;
        Ok(Self { both, ticker })
    }

    /// What is told that guests run.
    pub(crate) fn epoch(&self) -> &Arc<Epoch> {
        self.ticker.epoch()
    }

    /// The plain one and the waiting one.
    pub(crate) fn both(&self) -> &[Engine; 2] {
        &self.both
    }

    /// One of them.
    pub(crate) fn get(&self, form: Form) -> &Engine {
        let [plain, waiting] = &self.both;
        match form {
            Form::Plain => plain,
            Form::Waiting => waiting,
        }
    }
}

/// Engines which compile what [`Engines`] run, but run nothing themselves: they
/// reserve no address space, and have no clock. The plain one and the waiting
/// one.
pub(crate) fn compilers() -> wasmtime::Result<[Engine; 2]> {
    let [plain, waiting] = Form::BOTH.map(config);
    Ok([Engine::new(&plain)?, Engine::new(&waiting)?])
}

/// What compiled code depends on.
fn config(form: Form) -> Config {
    let concurrent = form == Form::Waiting;
    let mut config = Config::new();
    config
        .memory_init_cow(true)
        .epoch_interruption(true)
        .cranelift_opt_level(OptLevel::Speed)
        .max_wasm_stack(WASM_STACK_BYTES)
        .async_stack_size(ASYNC_STACK_BYTES)
        .async_stack_zeroing(true)
        .wasm_backtrace_details(WasmBacktraceDetails::Disable)
        .wasm_component_model_async(concurrent)
        .concurrency_support(concurrent);
    config
}

fn pool(limits: &EngineLimits) -> PoolingAllocationConfig {
    let places = limits.instances_max.saturating_add(LOADING);
    let mut pool = PoolingAllocationConfig::new();
    pool.max_unused_warm_slots(UNUSED_WARM_SLOTS_MAX)
        .decommit_batch_size(GIVEN_BACK_TOGETHER)
        .total_component_instances(places)
        .total_core_instances(places.saturating_mul(4))
        .total_memories(places)
        .total_tables(places.saturating_mul(2))
        .total_stacks(places.saturating_mul(2))
        .max_core_instances_per_component(PARTS_MAX)
        .max_memories_per_component(MEMORIES_MAX)
        .max_tables_per_component(TABLES_MAX)
        .max_memory_size(limits.memory_bytes_max)
        .table_elements(limits.table_elements_max)
        .async_stack_keep_resident(STACK_KEEP_RESIDENT_BYTES)
        .linear_memory_keep_resident(MEMORY_KEEP_RESIDENT_BYTES)
        .table_keep_resident(TABLE_KEEP_RESIDENT_BYTES);
    pool
}

/// Gives back what instances of the engine which went on this thread have had. The
/// engine has no call for it, but does it when enough has come together: here,
/// stacks on which nothing has run.
pub(crate) fn give_back(engine: &Engine) {
    for _ in 0..GIVEN_BACK_TOGETHER {
        let mut store = Store::new(engine, ());
        let nothing = Func::wrap(&mut store, || {});
        // Done at once, and it can't fail but for want of stacks.
        let _ = nothing.call_async(&mut store, &[], &mut []).now_or_never();
    }
}

#[cfg(test)]
mod tests {
    use wasmtime::{Instance, Module};

    use super::*;

    #[test]
    fn memory_of_what_is_gone_goes_back_when_it_is_asked_for() {
        let engines = Engines::new(&EngineLimits {
            instances_max: 10,
            memory_bytes_max: 1 << 20,
            table_elements_max: 10,
        })
        .unwrap();
        for engine in engines.both() {
            // An empty module with a memory of one page, of 64 KiB.
            let module = b"\0asm\x01\0\0\0\x05\x03\x01\0\x01";
            let module = Module::new(engine, module).unwrap();
            let unused = || {
                let metrics = engine.pooling_allocator_metrics();
                metrics.unwrap().unused_warm_memories()
            };
            let mut store = Store::new(engine, ());
            Instance::new(&mut store, &module, &[]).unwrap();
            drop(store);
            assert_eq!(unused(), 0, "it waits for others");
            give_back(engine);
            assert_eq!(unused(), 1);
        }
    }
}
