//! Times inside the runtime, without sockets: loading from the cache, a warm
//! event, and an event that needs an instance of its own.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use bytes::Bytes;
use holdfast_core::deploy::Deploy;
use holdfast_core::edge::{
    AttachmentError, CloseError, Delivery, Migrated, SendError, State, SubscribeError,
};
use holdfast_core::event::ConnectionState;
use holdfast_core::limits::{Limits, LoadLimits, OnError, RawLimits, SlowConsumer};
use holdfast_core::{
    ConnectionId, Edge, Event, Message, MessageRef, Outcome, PluginId, Plugins, Settings, TenantId,
    Volume,
};
use holdfast_runtime::{
    Cache, Compiler, EngineLimits, Engines, Generation, Grants, Loaded, Loader, Local, Runtime,
    Store,
};
use serde_json::json;
use tokio::runtime::{Builder, LocalOptions};

/// Keeps its instance warm.
const WARM: PluginId = PluginId(0);
/// Gets a fresh instance for every event.
const FRESH: PluginId = PluginId(1);

/// Events between two looks at the clock.
const BATCH: u32 = 100;
const PAYLOAD: &str = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl";

/// Measures the component at `component=`, with the cache at `cache=`, for
/// `seconds=` each.
pub(crate) fn run(options: &crate::options::Options) -> Result<()> {
    let component: PathBuf = options.get("component")?;
    let time = options.seconds("seconds")?;
    let cache = Cache::open(options.get("cache")?, u64::MAX)?;
    let raw = |uses_max| RawLimits {
        instance_uses_max: uses_max,
        ..RawLimits::default()
    };
    let resolve = |uses_max| {
        Limits::resolve(&raw(uses_max), SlowConsumer::default(), OnError::default())
            .map_err(|error| anyhow::anyhow!("{error}"))
    };
    let limits = [(WARM, resolve(None)?), (FRESH, resolve(Some(1))?)];
    let memory = limits.iter().map(|(_, limits)| &limits.instance);
    let engines = Engines::new(&EngineLimits {
        instances_max: 1000,
        memory_bytes_max: memory
            .clone()
            .map(|it| it.memory_bytes_max)
            .max()
            .unwrap_or(0),
        table_elements_max: memory.map(|it| it.table_elements_max).max().unwrap_or(0),
    })?;
    let load_limits = LoadLimits::default();
    let loader = Loader::new(engines, Some(cache), Compiler::InProcess, load_limits)?;
    // The first load fills the cache.
    let loaded = loader.load_file(&component)?;
    let load = median(time, || {
        loader.load_file(&component)?;
        Ok(())
    })?;

    let runtime = Runtime::new(Arc::new(Nobody), Store::in_memory()?, 1);
    for (id, limits) in limits {
        runtime.install(runtime.prepare(generation(id, &loaded, limits))?);
    }
    let event_loop = Builder::new_current_thread()
        .enable_all()
        .build_local(LocalOptions::default())?;
    let plugins = Local::new(Arc::clone(&runtime));
    let event = |id| event_loop.block_on(deliver(&plugins, id));
    let batch = |id| event_loop.block_on(deliver_batch(&plugins, id));
    let begin = Instant::now();
    event(WARM)?;
    let first = begin.elapsed();
    // Of the other plugin there is no instance yet.
    let memory = instance_memory(&runtime);
    let warm = median(time, || batch(WARM))? / BATCH;
    let fresh = median(time, || batch(FRESH))? / BATCH;
    let figures = json!({
        "value": microseconds(fresh.saturating_sub(warm)),
        "load_us": microseconds(load),
        "first_event_us": microseconds(first),
        "warm_event_us": microseconds(warm),
        "fresh_event_us": microseconds(fresh),
        "memory_bytes": memory,
    });
    println!("{figures}");
    Ok(())
}

/// Linear memory of an instance, in bytes.
fn instance_memory(runtime: &Runtime) -> u64 {
    let status = runtime.tenant(TenantId(0));
    status.map_or(0, |it| it.memory_bytes / u64::from(it.instances.max(1)))
}

fn microseconds(time: Duration) -> f64 {
    time.as_nanos() as f64 / 1e3
}

/// The median time of what is done again and again for `time`.
fn median(time: Duration, mut work: impl FnMut() -> Result<()>) -> Result<Duration> {
    let end = Instant::now() + time;
    let mut times = Vec::new();
    while Instant::now() < end || times.is_empty() {
        let begin = Instant::now();
        work()?;
        times.push(begin.elapsed());
    }
    times.sort_unstable();
    Ok(times.get(times.len() / 2).copied().unwrap_or_default())
}

async fn deliver_batch(plugins: &Rc<Local>, id: PluginId) -> Result<()> {
    for _ in 0..BATCH {
        deliver(plugins, id).await?;
    }
    Ok(())
}

async fn deliver(plugins: &Rc<Local>, id: PluginId) -> Result<()> {
    let state = ConnectionState {
        id: ConnectionId(7),
        generation: 1,
        attachment: Bytes::new(),
        attachment_version: 0,
        buffered_bytes: 0,
    };
    let message = Message::Text(PAYLOAD.into());
    match plugins.deliver(id, Event::Message(state, message)).await {
        Outcome::Done => Ok(()),
        Outcome::Failed(failure) => bail!("the event failed: {failure}"),
        _ => bail!("not the outcome of a message"),
    }
}

fn generation(id: PluginId, loaded: &Loaded, limits: Limits) -> Generation {
    Generation {
        settings: Arc::new(Settings {
            id,
            generation: 1,
            tenant: TenantId(0),
            name: format!("plugin-{}", id.0).into(),
            tenant_name: "default".into(),
            tenant_limits: Arc::default(),
            handlers: loaded.handlers(),
            connection: limits.connection.clone(),
            http: limits.http.clone(),
            metrics: Arc::default(),
            log: Arc::new(Volume::new(limits.log.bytes_per_second_max)),
            access_log: false,
        }),
        loaded: loaded.clone(),
        grants: Grants::default(),
        limits,
        deploy: Deploy::default(),
    }
}

/// An edge without connections, which takes every message.
struct Nobody;

impl Edge for Nobody {
    fn send(
        &self,
        _: TenantId,
        _: ConnectionId,
        message: MessageRef<'_>,
    ) -> Result<u64, SendError> {
        Ok(std::hint::black_box(message.payload()).len() as u64)
    }

    fn close(&self, _: TenantId, _: ConnectionId, _: u16, _: &str) -> Result<(), CloseError> {
        Err(CloseError::Gone)
    }

    fn get(&self, _: TenantId, _: ConnectionId) -> Option<State> {
        None
    }

    fn set_attachment(
        &self,
        _: TenantId,
        _: ConnectionId,
        _: &[u8],
        _: Option<u64>,
    ) -> Result<u64, AttachmentError> {
        Err(AttachmentError::Gone)
    }

    fn adopt(
        &self,
        _: ConnectionId,
        _: &Arc<Settings>,
        _: Option<Migrated>,
    ) -> Result<u64, AttachmentError> {
        Err(AttachmentError::Gone)
    }

    fn generation_counts(&self, _: PluginId) -> BTreeMap<u32, u32> {
        BTreeMap::new()
    }

    fn subscribe(&self, _: TenantId, _: ConnectionId, _: &str) -> Result<(), SubscribeError> {
        Err(SubscribeError::Gone)
    }

    fn unsubscribe(&self, _: TenantId, _: ConnectionId, _: &str) {}

    fn publish(
        &self,
        _: TenantId,
        _: &str,
        _: MessageRef<'_>,
        _: Option<ConnectionId>,
    ) -> Delivery {
        Delivery::default()
    }

    fn count(&self, _: TenantId, _: &str) -> u32 {
        0
    }

    fn subscribers(&self, _: TenantId, _: &str, _: usize) -> Vec<(ConnectionId, Bytes)> {
        Vec::new()
    }
}
