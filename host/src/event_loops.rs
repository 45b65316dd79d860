//! The event loops: one thread each, with the runtime's pools and the edge's
//! tasks of its connections.

use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::Context;
use holdfast_edge::{Drain, Hub, Lane};
use holdfast_runtime::{Local, Runtime};
use tokio::runtime::{Builder, LocalOptions, LocalRuntime};

use crate::memory;

/// Names of hosts which are looked up at a time on each loop, in a thread each.
/// Besides, there are threads that read files.
const LOOKUPS_MAX: usize = 32;

/// Tasks that run before the system is asked for input again. Whatever comes in is
/// queued behind those that wait already.
const TASKS_BETWEEN_INPUT: u32 = 16;

/// The running loops.
pub(crate) struct EventLoops(Vec<JoinHandle<()>>);

impl EventLoops {
    /// Starts so many loops. They end when the shut-down is complete.
    pub(crate) fn start(
        count: usize,
        hub: &Arc<Hub>,
        runtime: &Arc<Runtime>,
        drain: &Drain,
        reads_max: u32,
    ) -> anyhow::Result<(Self, Vec<Lane>)> {
        let mut threads = Vec::with_capacity(count);
        let mut lanes = Vec::with_capacity(count);
        for index in 0..count {
            let (lane, incoming) = Lane::new();
            let (hub, runtime, drain) = (Arc::clone(hub), Arc::clone(runtime), drain.clone());
            let work = move || {
                let event_loop = match local_runtime(reads_max as usize) {
                    Ok(event_loop) => event_loop,
                    Err(error) => return tracing::error!(%error, "no event loop"),
                };
                let plugins = Local::new(runtime);
                event_loop.spawn_local(memory::give_back());
                event_loop.block_on(holdfast_edge::serve(hub, plugins, incoming, drain));
                // The shut-down does not wait for names that are looked up.
                event_loop.shutdown_background();
            };
            let thread = std::thread::Builder::new()
                .name(format!("loop-{index}"))
                .spawn(work)
                .context("can't start a thread")?;
            threads.push(thread);
            lanes.push(lane);
        }
        Ok((Self(threads), lanes))
    }

    /// Waits for their end.
    pub(crate) fn join(self) -> anyhow::Result<()> {
        for thread in self.0 {
            if thread.join().is_err() {
                anyhow::bail!("an event loop has panicked");
            }
        }
        Ok(())
    }
}

fn local_runtime(reads_max: usize) -> std::io::Result<LocalRuntime> {
    Builder::new_current_thread()
        .enable_all()
        .event_interval(TASKS_BETWEEN_INPUT)
        .max_blocking_threads(LOOKUPS_MAX + reads_max)
        .build_local(LocalOptions::default())
}
