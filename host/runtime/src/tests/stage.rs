//! A runtime with one plugin, an edge that has only connections, and event loops.

use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use holdfast_core::deploy::{Deploy, Probation, Strategy};
use holdfast_core::event::{CloseCause, Closure, Failure, Handshake};
use holdfast_core::limits::{Limits, LoadLimits, OnError, RawLimits, SlowConsumer, TenantLimits};
use holdfast_core::plugin::LocalFuture;
use holdfast_core::{
    ConnectionId, Event, Message, Outcome, PluginId, Plugins, Settings, TenantId, Volume,
};
use tokio::runtime::{Builder, LocalOptions};

use super::edge::Connections;
use super::guest::Guest;
use crate::{
    Compiler, EngineLimits, Engines, Generation, Grants, LoadError, Loader, Local, Role, Runtime,
    Store,
};

/// The plugin.
pub(super) const PLUGIN: PluginId = PluginId(3);

/// Another plugin, and whose it is.
pub(super) struct Neighbour {
    pub(super) plugin: PluginId,
    pub(super) tenant: TenantId,
    pub(super) limits: TenantLimits,
}

/// How long an event may take.
pub(super) const EVENT_TIMEOUT_MS: u64 = 200;

pub(super) struct Stage {
    pub(super) edge: Arc<Connections>,
    pub(super) runtime: Arc<Runtime>,
    loader: Loader,
}

impl Stage {
    pub(super) fn new() -> Self {
        Self::with_room(32)
    }

    /// With room for so many instances.
    pub(super) fn with_room(instances_max: u32) -> Self {
        let engines = Engines::new(&EngineLimits {
            instances_max,
            memory_bytes_max: 1 << 20,
            table_elements_max: 100,
        });
        let edge = Arc::new(Connections::default());
        let (compiler, limits) = (Compiler::InProcess, LoadLimits::default());
        let loader = Loader::new(engines.unwrap(), None, compiler, limits);
        Self {
            runtime: Runtime::new(edge.clone(), Store::in_memory().unwrap(), instances_max),
            edge,
            loader: loader.unwrap(),
        }
    }

    /// Installs a generation, which takes over as the strategy says.
    pub(super) fn deploy(&self, number: u32, guest: Guest, strategy: Strategy) {
        self.try_deploy(number, guest, strategy).unwrap();
    }

    pub(super) fn try_deploy(
        &self,
        number: u32,
        guest: Guest,
        strategy: Strategy,
    ) -> Result<(), LoadError> {
        let default = Neighbour {
            plugin: PLUGIN,
            tenant: TenantId(0),
            limits: TenantLimits::default(),
        };
        self.try_deploy_to(&default, number, guest, strategy)
    }

    /// Installs the first generation of a plugin.
    pub(super) fn deploy_to(&self, neighbour: &Neighbour, guest: Guest) {
        self.try_deploy_to(neighbour, 1, guest, Strategy::All)
            .unwrap();
    }

    fn try_deploy_to(
        &self,
        neighbour: &Neighbour,
        number: u32,
        guest: Guest,
        strategy: Strategy,
    ) -> Result<(), LoadError> {
        let raw = RawLimits {
            event_timeout_ms: Some(EVENT_TIMEOUT_MS),
            memory_bytes_max: Some(1 << 20),
            table_elements_max: Some(100),
            ..RawLimits::default()
        };
        let limits = Limits::resolve(&raw, SlowConsumer::default(), OnError::default()).unwrap();
        let loaded = self.loader.load(&guest.bytes())?;
        let generation = Generation {
            settings: Arc::new(Settings {
                id: neighbour.plugin,
                generation: number,
                tenant: neighbour.tenant,
                name: "guest".into(),
                tenant_name: "default".into(),
                tenant_limits: Arc::new(neighbour.limits.clone()),
                handlers: loaded.handlers(),
                connection: limits.connection.clone(),
                http: limits.http.clone(),
                access_log: true,
                metrics: Arc::default(),
                log: Arc::new(Volume::new(limits.log.bytes_per_second_max)),
            }),
            loaded,
            grants: Grants::default(),
            limits,
            deploy: Deploy {
                strategy,
                probation: Probation {
                    events: 4,
                    failed_percent: 50,
                },
                ..Deploy::default()
            },
        };
        // It blocks, which an event loop does not do.
        let prepared = std::thread::scope(|scope| {
            let prepare = scope.spawn(|| self.runtime.prepare(generation));
            prepare.join().unwrap()
        });
        self.runtime.install(prepared?);
        Ok(())
    }

    /// Runs something on an event loop.
    pub(super) fn on_loop<T>(&self, act: impl AsyncFnOnce(Loop) -> T) -> T {
        let event_loop = Builder::new_current_thread()
            .enable_all()
            .build_local(LocalOptions::default())
            .unwrap();
        let local = Local::new(self.runtime.clone());
        let edge = self.edge.clone();
        event_loop.block_on(act(Loop { local, edge }))
    }

    /// Numbers and roles of all generations of which anything is left.
    pub(super) fn generations(&self) -> Vec<(u32, Role)> {
        let generations = self.runtime.generations(PLUGIN);
        let generations = generations.iter();
        generations.map(|it| (it.number, it.role)).collect()
    }
}

/// One event loop.
pub(super) struct Loop {
    pub(super) local: Rc<Local>,
    edge: Arc<Connections>,
}

impl Loop {
    /// Delivers a message; says who has answered, and which attachment it saw.
    pub(super) async fn message(&self, id: u128, text: &str) -> String {
        self.message_to(PLUGIN, id, text).await
    }

    /// The same for another plugin's connection.
    pub(super) async fn message_to(&self, plugin: PluginId, id: u128, text: &str) -> String {
        let mut begin = Some((self.edge.state(id), Message::Text(text.into())));
        let mut underway: Option<LocalFuture<Outcome>> = None;
        let outcome = poll_fn(|context| {
            if let Some((state, message)) = begin.take() {
                let local = &self.local;
                return match local.deliver_now(context, plugin, state, message) {
                    Ok(outcome) => Poll::Ready(outcome),
                    // As the edge does: it has been polled.
                    Err(event) => {
                        underway = Some(event);
                        Poll::Pending
                    }
                };
            }
            let event = underway.as_mut().expect("a message that is under way");
            event.as_mut().poll(context)
        })
        .await;
        answer(outcome)
    }

    pub(super) async fn open(&self, id: u128) -> String {
        answer(self.deliver(Event::Open(self.edge.state(id))).await)
    }

    /// Ends a connection and tells the guest.
    pub(super) async fn close(&self, id: u128) -> String {
        let state = self.edge.state(id);
        self.edge.end(id);
        let closure = Closure {
            cause: CloseCause::Client,
            code: 1000,
            reason: String::new(),
        };
        answer(self.deliver(Event::Close(state, closure)).await)
    }

    /// Delivers a handshake that was given the generation at first; the
    /// attachment says who has accepted.
    pub(super) async fn accept(&self, id: u128, generation: u32) -> String {
        self.edge.open(id, generation, "");
        let outcome = self
            .deliver(Event::Accept(Box::new(handshake(id, generation))))
            .await;
        match outcome {
            Outcome::Accepted(acceptance) => {
                String::from_utf8(acceptance.attachment.to_vec()).unwrap()
            }
            other => answer(other),
        }
    }

    async fn deliver(&self, event: Event) -> Outcome {
        self.local.deliver(PLUGIN, event).await
    }
}

fn handshake(id: u128, generation: u32) -> Handshake {
    Handshake {
        id: ConnectionId(id),
        generation,
        scheme: "http",
        authority: "localhost".into(),
        path_with_query: "/".into(),
        headers: http::HeaderMap::new(),
        subprotocols: Vec::new(),
        remote_address: "127.0.0.1:1".into(),
    }
}

/// What the test's guest says is an error of its own; others are named.
fn answer(outcome: Outcome) -> String {
    match outcome {
        Outcome::Failed(Failure::Handler(text)) => text,
        Outcome::Failed(Failure::Trap(_)) => "trap".into(),
        Outcome::Failed(Failure::Timeout(_)) => "timeout".into(),
        Outcome::Failed(other) => other.to_string(),
        _ => "other".into(),
    }
}

/// Waits until something is so.
pub(super) async fn until(condition: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < end, "it never came");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
