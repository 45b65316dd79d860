//! Makes sure that a generation starts, before anybody depends on it.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;

use tokio::runtime::{Builder, LocalOptions};
use wasmtime::PoolConcurrencyLimitError;

use crate::deadline::within;
use crate::engine::give_back;
use crate::generation::{Generation, Prepared};
use crate::instance::Instance;
use crate::line::line;
use crate::load::LoadError;
use crate::plugin::Plugin;
use crate::runtime::Runtime;

/// The longest name of a format, in bytes.
const FORMAT_BYTES_MAX: usize = 64;

impl Runtime {
    /// Makes one instance under the plugin's limits, within the time of an event,
    /// and asks it for the format of its attachments. Blocks for as long.
    ///
    /// # Panics
    /// On a thread that runs a tokio runtime, where nobody may block.
    ///
    /// # Errors
    /// [`LoadError::Start`] when the guest traps, takes too long or names no
    /// proper format, or when the host has no room for another instance.
    pub fn prepare(&self, generation: Generation) -> Result<Prepared, LoadError> {
        let plugin = Arc::new(self.plugin(generation));
        let format =
            format(&plugin).map_err(|error| LoadError::Start(line(&error).into_owned()))?;
        plugin.set_format(&format);
        // It was tried, and may never be used.
        let parts = &plugin.loaded.parts;
        if parts.uses.chill() {
            give_back(parts.pre.engine());
            parts.release();
        }
        Ok(Prepared { plugin })
    }
}

fn format(plugin: &Arc<Plugin>) -> Result<String, String> {
    let event_loop = Builder::new_current_thread()
        .enable_all()
        .build_local(LocalOptions::default())
        .map_err(|error| format!("no event loop: {error}"))?;
    let limit_ms = plugin.event.timeout_ms;
    let asked = event_loop.block_on(async {
        let mut asking = pin!(ask(plugin));
        let asking = pin!(poll_fn(|context| {
            plugin.loaded.parts.epoch.touch();
            asking.as_mut().poll(context)
        }));
        let asked = within(limit_ms, asking).await;
        asked.map_err(|_| format!("it takes more than {limit_ms} ms"))
    });
    // Names of hosts which the guest looked up are not waited for.
    event_loop.shutdown_background();
    let format = asked?.map_err(|error| match error.is::<PoolConcurrencyLimitError>() {
        true => "the host has no room for another instance".to_owned(),
        // What led there is of use to the guest's author only.
        false => error.root_cause().to_string(),
    })?;
    if format.len() > FORMAT_BYTES_MAX {
        return Err(format!(
            "the name of its format has {} bytes, but {FORMAT_BYTES_MAX} are allowed",
            format.len()
        ));
    }
    Ok(format)
}

async fn ask(plugin: &Arc<Plugin>) -> wasmtime::Result<String> {
    // If the tenant has no place left, this is one too many for a moment.
    let _lodging = plugin.tenant.try_lodge();
    let mut instance = Instance::new(plugin).await?;
    match &instance.handlers.websocket {
        Some(handlers) => handlers.format(&mut instance.store).await,
        None => Ok(String::new()),
    }
}
