//! The drain of one plugin: it takes no new WebSockets, and those it has are
//! closed, spread over a window, so that its clients don't all come back at the
//! same moment. Requests are served as ever: they are short, and hold nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use holdfast_core::{ConnectionId, PluginId};
use holdfast_edge::Hub;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::connections::no_plugin;
use super::failure::Failure;
use super::request::whole_number;
use crate::fleet::{Handle, Name};

/// Time between two times at which some are closed.
const TICK: Duration = Duration::from_millis(20);
/// Connections closed at a time.
const CLOSED_LEN_MAX: usize = 1024;

/// The body of a request to drain a plugin; may be left out.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DrainRequest {
    /// Time over which the closing is spread, in milliseconds.
    #[serde(default = "default_window_ms", deserialize_with = "whole_number")]
    #[schemars(range(max = 3_600_000))]
    window_ms: u32,
}

/// The longest window: an hour.
const WINDOW_MS_MAX: u32 = 3_600_000;

fn default_window_ms() -> u32 {
    10_000
}

impl Default for DrainRequest {
    fn default() -> Self {
        Self {
            window_ms: default_window_ms(),
        }
    }
}

/// Whether a plugin takes new WebSockets.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct DrainAnswer {
    /// Whether it takes none.
    draining: bool,
    /// WebSockets that it has at this moment.
    connections: u32,
}

/// What is being closed. It goes on until this is dropped.
#[derive(Default)]
pub(super) struct Drains(Mutex<HashMap<PluginId, JoinSet<()>>>);

impl Drains {
    /// Begins to drain a plugin; once more, with the window beginning anew.
    pub(super) fn begin(
        &self,
        fleet: &Handle,
        name: &Name,
        DrainRequest { window_ms }: &DrainRequest,
    ) -> Result<DrainAnswer, Failure> {
        if *window_ms > WINDOW_MS_MAX {
            let hint = format!("take at most {WINDOW_MS_MAX}");
            return Err(Failure::bad_request("`window_ms` can't be that", hint));
        }
        let (_, plugin) = fleet.plugin_ids(name).ok_or_else(|| no_plugin(name))?;
        let hub = &fleet.hub;
        hub.set_draining(plugin, true);
        let (tenant, plugin_name) = (&*name.tenant, &*name.plugin);
        let connections = hub.connection_count(plugin);
        tracing::info!(tenant, plugin = plugin_name, connections, "draining");
        let mut closing = JoinSet::new();
        let window = Duration::from_millis((*window_ms).into());
        closing.spawn(close(Arc::clone(hub), plugin, window));
        let mut drains = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        drains.retain(|_, closing| closing.try_join_next().is_none());
        drains.insert(plugin, closing);
        Ok(DrainAnswer {
            draining: true,
            connections,
        })
    }

    /// Ends it. Those who have been told to go still go.
    pub(super) fn end(&self, fleet: &Handle, name: &Name) -> Result<DrainAnswer, Failure> {
        let (_, plugin) = fleet.plugin_ids(name).ok_or_else(|| no_plugin(name))?;
        if fleet.hub.set_draining(plugin, false) {
            let (tenant, plugin) = (&*name.tenant, &*name.plugin);
            tracing::info!(tenant, plugin, "draining no more");
        }
        let mut drains = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        drains.remove(&plugin);
        Ok(DrainAnswer {
            draining: false,
            connections: fleet.hub.connection_count(plugin),
        })
    }
}

/// Closes all connections of a plugin, evenly over the window, unless it takes
/// new ones before. Ends when there are none left to close.
async fn close(hub: Arc<Hub>, plugin: PluginId, window: Duration) {
    let total = hub.connection_count(plugin) as usize;
    let start = Instant::now();
    let (mut after, mut looked) = (None, 0);
    while hub.is_draining(plugin) {
        let due = due(total, start.elapsed(), window).map(|due| due.saturating_sub(looked));
        let count = due.map_or(CLOSED_LEN_MAX, |due| due.min(CLOSED_LEN_MAX));
        if count > 0 {
            match close_some(&hub, plugin, after, count).await {
                Some((last, _)) => after = Some(last),
                None => break,
            }
            looked += count;
        }
        tokio::time::sleep(TICK).await;
    }
    // Those which were in their handshake.
    let (mut after, mut is_done) = (None, true);
    while hub.is_draining(plugin) {
        match close_some(&hub, plugin, after, CLOSED_LEN_MAX).await {
            Some((last, closed)) => {
                after = Some(last);
                is_done &= closed == 0;
            }
            None if is_done => return,
            None => (after, is_done) = (None, true),
        }
        tokio::time::sleep(TICK).await;
    }
}

/// How many are to be closed by now; all that there are, when the time is over.
fn due(total: usize, elapsed: Duration, window: Duration) -> Option<usize> {
    if elapsed >= window {
        return None;
    }
    let share = elapsed.as_secs_f64() / window.as_secs_f64();
    Some((total as f64 * share) as usize)
}

/// It may look at many connections, and this thread accepts new ones.
async fn close_some(
    hub: &Arc<Hub>,
    plugin: PluginId,
    after: Option<ConnectionId>,
    count: usize,
) -> Option<(ConnectionId, usize)> {
    let hub = Arc::clone(hub);
    let closing = tokio::task::spawn_blocking(move || hub.drain_some(plugin, after, count));
    closing.await.ok()?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_closed_evenly() {
        let window = Duration::from_secs(10);
        let due = |ms| due(1000, Duration::from_millis(ms), window);
        assert_eq!(due(0), Some(0));
        assert_eq!(due(2_500), Some(250));
        assert_eq!(due(9_999), Some(999));
        assert_eq!(due(10_000), None);
        assert_eq!(super::due(5, Duration::ZERO, Duration::ZERO), None);
    }
}
