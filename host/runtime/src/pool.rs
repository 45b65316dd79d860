//! The instances of one plugin on one event loop, and how events get them.
//!
//! Plain handlers run alone with their instance, inside the task of the event
//! ([`plain`]). Handlers that wait run in an instance that belongs to a task of
//! its own and takes many events at a time ([`worker`]).

mod janitor;
mod plain;
mod watch;
mod worker;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use holdfast_core::event::{Event, Failure, Outcome};
use tokio::sync::OwnedSemaphorePermit;
use wasmtime::PoolConcurrencyLimitError;

use crate::instance::Instance;
use crate::load::Http;
use crate::plugin::Plugin;
use crate::world::websocket_0_1_0::{Call, Form};

/// Uses of an instance if the operator has not said how many: of one which
/// serves `wasi:http` 0.2, and of any other.
const USES_0_2: u64 = 1;
const USES: u64 = 1_000_000;

/// The instances of one plugin on one event loop.
pub(crate) struct Pool {
    plugin: Arc<Plugin>,
    idle: RefCell<Vec<Instance>>,
    crew: worker::Crew,
    has_janitor: Cell<bool>,
}

impl Pool {
    pub(crate) fn new(plugin: Arc<Plugin>) -> Rc<Self> {
        Rc::new(Self {
            plugin,
            idle: RefCell::default(),
            crew: worker::Crew::default(),
            has_janitor: Cell::new(false),
        })
    }

    /// The plugin's generation.
    pub(crate) fn plugin(&self) -> &Arc<Plugin> {
        &self.plugin
    }

    /// Runs one event.
    pub(crate) async fn run(self: Rc<Self>, event: Event) -> Outcome {
        let Some(entered) = self.plugin.enter() else {
            let text = format!("{} events are under way", self.plugin.event.concurrent_max);
            return Outcome::Failed(Failure::Overloaded(text));
        };
        let call = match event {
            Event::Http(request) => {
                return match &self.plugin.loaded.http {
                    Some(Http::V0_2(_)) => plain::http(self, request, entered).await,
                    Some(Http::V0_3(_)) => {
                        worker::run(self, worker::Task::Http(request), entered).await
                    }
                    None => Outcome::Failed(Failure::NoHandler),
                };
            }
            Event::Accept(handshake) => Call::Accept(handshake),
            Event::Open(state) => Call::Open(state),
            Event::Message(state, message) => Call::Message(state, message),
            Event::Close(state, closure) => Call::Close(state, closure),
        };
        match self.plugin.loaded.websocket.as_ref().map(|it| it.form) {
            Some(Form::Plain) => plain::websocket(&self, call).await,
            Some(Form::Waiting) => worker::run(self, worker::Task::WebSocket(call), entered).await,
            None => Outcome::Failed(Failure::NoHandler),
        }
    }

    /// An instance to be alone with: a warm one, or a new one as soon as there
    /// may be one.
    async fn take(&self) -> Result<Instance, Failure> {
        let warm = self.idle.borrow_mut().pop();
        match warm {
            Some(instance) => Ok(instance),
            None => self.make(self.permit().await?).await,
        }
    }

    async fn make(&self, permit: OwnedSemaphorePermit) -> Result<Instance, Failure> {
        Instance::new(&self.plugin, permit).await.map_err(|error| {
            if error.is::<PoolConcurrencyLimitError>() {
                Failure::Overloaded("the host has no room for another instance".into())
            } else {
                Failure::Trap(format!("{error:?}"))
            }
        })
    }

    /// A permit for one more instance, waited for if need be.
    async fn permit(&self) -> Result<OwnedSemaphorePermit, Failure> {
        let instances = &self.plugin.shared.instances;
        if let Ok(permit) = Arc::clone(instances).try_acquire_owned() {
            return Ok(permit);
        }
        let _waiting = self.plugin.wait();
        let permit = Arc::clone(instances).acquire_owned().await;
        permit.map_err(|_| Failure::NoHandler)
    }

    /// Keeps an instance warm for the next event, or lets it go.
    fn put(self: &Rc<Self>, mut instance: Instance, uses_max: u64) {
        instance.uses += 1;
        if instance.uses >= uses_max || self.plugin.shared.is_wanted() {
            return;
        }
        instance.idle_since = Instant::now();
        self.idle.borrow_mut().push(instance);
        self.ensure_janitor();
    }

    fn uses_max(&self, default: u64) -> u64 {
        self.plugin.instance.uses_max.unwrap_or(default)
    }
}
