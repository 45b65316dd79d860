//! What is counted of every plugin, at one moment.

use std::sync::Arc;

use holdfast_core::metrics::{LoadMetrics, Totals};
use holdfast_edge::Hub;
use holdfast_runtime::Runtime;

use super::board::Board;
use super::plan::Name;

/// All that is counted.
pub(crate) struct Census {
    /// Those which the host has known longest come first.
    pub(crate) plugins: Vec<Counted>,
    pub(crate) load: Arc<LoadMetrics>,
}

/// What is counted of one plugin.
pub(crate) struct Counted {
    pub(crate) name: Name,
    pub(crate) totals: Totals,
    pub(crate) now: Now,
}

/// What a plugin has at this moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Now {
    pub(crate) connections: u64,
    pub(crate) queue_bytes: u64,
    pub(crate) instances: u64,
    pub(crate) generations: u64,
}

impl Census {
    pub(super) fn take(
        board: &Board,
        runtime: &Runtime,
        hub: &Hub,
        load: &Arc<LoadMetrics>,
    ) -> Self {
        let notes = board.read();
        let mut entries: Vec<_> = notes.plugins.iter().collect();
        entries.sort_by_key(|entry| entry.id);
        let plugins = entries.into_iter().map(|entry| {
            let mut totals = Totals::default();
            entry.metrics.add_to(&mut totals);
            let generations = runtime.generations(entry.id);
            let instances = generations.iter().map(|it| u64::from(it.instances));
            Counted {
                name: entry.name.clone(),
                totals,
                now: Now {
                    connections: hub.connection_count(entry.id).into(),
                    queue_bytes: entry.metrics.queue_bytes.get(),
                    instances: instances.sum(),
                    generations: generations.len() as u64,
                },
            }
        });
        Self {
            plugins: plugins.collect(),
            load: Arc::clone(load),
        }
    }
}
