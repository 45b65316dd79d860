//! The instances of one plugin on one event loop, and how events get them.
//!
//! Plain handlers run alone with their instance, inside the task of the event
//! ([`plain`]). Handlers that wait run in an instance that belongs to a task of
//! its own and takes many events at a time ([`worker`]).

mod janitor;
mod lane;
mod plain;
mod underway;
mod watch;
mod worker;

use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use holdfast_core::event::{Event, Failure, Outcome, Request};
use holdfast_core::metrics::{EventKind, EventOutcome, LimitHit, Part, Recorder};
use holdfast_core::plugin::LocalFuture;
use tokio::sync::Notify;
use wasmtime::PoolConcurrencyLimitError;

use crate::deadline::within;
use crate::guest::NoMemory;
use crate::instance::{Instance, Place};
use crate::line::trap;
use crate::load::Http;
use crate::plugin::{Plugin, Queued};
use crate::share::{Share, Shares};
use crate::world::websocket_0_1_0::{Call, Form};
use underway::Underway;

/// Uses of an instance if the operator has not said how many: of one which
/// serves `wasi:http` 0.2, and of any other.
const USES_0_2: u64 = 1;
const USES: u64 = 1_000_000;

/// When others want an instance too, it serves so many events before it goes.
const USES_PER_LOOP: u64 = 16;

/// The instances of one plugin on one event loop.
pub(crate) struct Pool {
    plugin: Arc<Plugin>,
    /// Its tenant's share of the event loop.
    share: Rc<Share>,
    #[expect(
        clippy::vec_box,
        reason = "each event hands an instance on several times"
    )]
    idle: RefCell<Vec<Box<Instance>>>,
    lanes: lane::Lanes,
    crew: worker::Crew,
    /// How many wait here to be alone with an instance.
    waiting_alone: Cell<u32>,
    /// How many wait here to make a worker: one at most.
    waiting_hire: Cell<u32>,
    /// Told when an instance has come back here.
    returned: Notify,
    has_janitor: Cell<bool>,
    recorder: Recorder,
    /// Events of the generation which have ended here in the guest.
    ended: Part,
    /// Nobody brings it events any more.
    is_retired: Cell<bool>,
}

impl Pool {
    pub(crate) fn new(plugin: Arc<Plugin>, shares: &Rc<Shares>) -> Rc<Self> {
        let recorder = plugin.settings.metrics.recorder();
        Rc::new(Self {
            share: Rc::new(shares.join(&plugin)),
            ended: plugin.shared.tally.events.part(),
            plugin,
            recorder,
            idle: RefCell::default(),
            lanes: lane::Lanes::default(),
            crew: worker::Crew::default(),
            waiting_alone: Cell::new(0),
            waiting_hire: Cell::new(0),
            returned: Notify::new(),
            has_janitor: Cell::new(false),
            is_retired: Cell::new(false),
        })
    }

    /// The plugin's generation.
    pub(crate) fn plugin(&self) -> &Arc<Plugin> {
        &self.plugin
    }

    /// Runs one event, and counts it. Each kind has a future of its own, of its
    /// own size.
    pub(crate) fn run(self: Rc<Self>, event: Event) -> LocalFuture<Outcome> {
        let is_last = matches!(event, Event::Close(..));
        let kind = EventKind::of(&event);
        let Some(entered) = self.plugin.enter(is_last) else {
            self.recorder
                .note(kind, EventOutcome::Overloaded, Duration::ZERO);
            return self.full();
        };
        let pool = Rc::clone(&self);
        let call = match event {
            Event::Http(request) => {
                return match &self.plugin.loaded.parts.http {
                    Some(Http::V0_2(_)) => self.counted(kind, plain::http(pool, request, entered)),
                    Some(Http::V0_3(_)) => {
                        let task = worker::Task::Http(request);
                        self.counted(kind, worker::run(pool, task, entered))
                    }
                    None => self.no_handler(kind),
                };
            }
            Event::Accept(handshake) => Call::Accept(handshake),
            Event::Open(state) => Call::Open(state),
            Event::Message(state, message) => Call::Message(state, message),
            Event::Close(state, closure) => Call::Close(state, closure),
        };
        match self.form() {
            Some(Form::Plain) => self.counted(kind, plain::websocket(pool, call, entered)),
            Some(Form::Waiting) => self.counted(
                kind,
                worker::run(pool, worker::Task::WebSocket(call), entered),
            ),
            None => self.no_handler(kind),
        }
    }

    /// Runs a request. Most handlers have returned when this does.
    pub(crate) fn request(
        self: Rc<Self>,
        request: Request,
    ) -> Result<Outcome, LocalFuture<Outcome>> {
        let is_shared = matches!(self.plugin.loaded.parts.http, Some(Http::V0_3(_)));
        if !is_shared || !self.plugin.may_enter() {
            return Err(self.run(Event::Http(request)));
        }
        let underway = Underway::new(Rc::clone(&self), EventKind::Http);
        match worker::begin(&self, worker::Task::Http(request), None) {
            Ok(outcome) => {
                underway.end(&outcome);
                Ok(outcome)
            }
            Err(awaited) => Err(Box::pin(
                awaited.inspect(move |outcome| underway.end(outcome)),
            )),
        }
    }

    /// Runs a call that is no event of anybody's, so it is not counted as one.
    pub(crate) fn call(self: Rc<Self>, call: Call) -> LocalFuture<Outcome> {
        let Some(entered) = self.plugin.enter(false) else {
            return self.full();
        };
        match self.form() {
            Some(Form::Plain) => Box::pin(plain::websocket(self, call, entered)),
            Some(Form::Waiting) => {
                Box::pin(worker::run(self, worker::Task::WebSocket(call), entered))
            }
            None => failed(Failure::NoHandler),
        }
    }

    fn form(&self) -> Option<Form> {
        self.plugin
            .loaded
            .parts
            .websocket
            .as_ref()
            .map(|it| it.form)
    }

    /// Counts what becomes of an event.
    fn counted(
        self: Rc<Self>,
        kind: EventKind,
        event: impl Future<Output = Outcome> + 'static,
    ) -> LocalFuture<Outcome> {
        let underway = Underway::new(self, kind);
        Box::pin(event.inspect(move |outcome| underway.end(outcome)))
    }

    fn no_handler(&self, kind: EventKind) -> LocalFuture<Outcome> {
        self.recorder
            .note(kind, EventOutcome::NoHandler, Duration::ZERO);
        failed(Failure::NoHandler)
    }

    fn full(&self) -> LocalFuture<Outcome> {
        let text = format!("{} events are under way", self.plugin.event.concurrent_max);
        failed(Failure::Overloaded(text))
    }

    /// The generation is gone: lets everything go that is idle now, and whatever
    /// else there is when its last event ends.
    pub(crate) fn retire(&self) {
        self.is_retired.set(true);
        self.sweep();
        // The janitor is done, and goes too.
        self.plugin.shared.wanted.notify_waiters();
    }

    /// An instance to be alone with: a warm one, or a new one as soon as there
    /// may be one.
    async fn take(&self) -> Result<Box<Instance>, Failure> {
        if let Some(instance) = self.warm() {
            return Ok(instance);
        }
        // Boxed, since these are rare and would make every event larger.
        if let Some(place) = self.free_place() {
            return Box::pin(self.make(place)).await;
        }
        Box::pin(async {
            let _queued = Queued::new(&self.plugin);
            let mut place = pin!(self.place(&self.waiting_alone));
            loop {
                tokio::select! {
                    place = &mut place => return self.make(place?).await,
                    () = self.returned.notified() => {
                        if let Some(instance) = self.warm() {
                            return Ok(instance);
                        }
                    }
                }
            }
        })
        .await
    }

    fn warm(&self) -> Option<Box<Instance>> {
        self.idle.borrow_mut().pop()
    }

    /// Makes an instance; its start function has as long as an event.
    async fn make(&self, place: Place) -> Result<Box<Instance>, Failure> {
        let limit_ms = self.plugin.event.timeout_ms;
        let is_full = Cell::new(false);
        let made = within(limit_ms, pin!(self.make_when_possible(&is_full))).await;
        let made = made.map_err(|_| match is_full.get() {
            true => Failure::Overloaded("the host has no room for another instance".into()),
            false => Failure::Timeout(limit_ms),
        })?;
        let mut instance = made.map_err(|error| match error.downcast::<NoMemory>() {
            Ok(error) => Failure::Overloaded(error.to_string()),
            Err(error) => trap(&error),
        })?;
        instance.keep(place);
        Ok(Box::new(instance))
    }

    /// Places are counted, but a component may need several memories for one.
    /// `is_full` says that it waits for them.
    async fn make_when_possible(&self, is_full: &Cell<bool>) -> wasmtime::Result<Instance> {
        match Instance::new(&self.plugin).await {
            Err(error) if error.is::<PoolConcurrencyLimitError>() => {}
            made => return made,
        }
        let house = &self.plugin.tenant.house;
        let _waiting = house.wait();
        loop {
            // Before it tries, so that it misses none that goes meanwhile.
            let freed = house.freed();
            is_full.set(false);
            match Instance::new(&self.plugin).await {
                Err(error) if error.is::<PoolConcurrencyLimitError>() => {}
                made => return made,
            }
            is_full.set(true);
            freed.await;
        }
    }

    /// A place for one more instance, if there is one.
    fn free_place(&self) -> Option<Place> {
        let instances = Arc::clone(&self.plugin.shared.instances);
        let permit = instances.try_acquire_owned().ok()?;
        Some(Place::new(permit, self.plugin.tenant.try_lodge()?))
    }

    /// A place for one more instance, waited for if need be. Who waits is
    /// counted among those of his kind.
    async fn place(&self, waiting: &Cell<u32>) -> Result<Place, Failure> {
        if let Some(place) = self.free_place() {
            return Ok(place);
        }
        let _waiting = self.plugin.wait();
        self.plugin.settings.metrics.note_limit(LimitHit::Instances);
        waiting.update(|count| count + 1);
        let _waiting_here = Defer(|| waiting.update(|count| count - 1));
        let instances = Arc::clone(&self.plugin.shared.instances);
        let permit = instances.acquire_owned().await;
        let permit = permit.map_err(|_| Failure::NoHandler)?;
        let lodging = self.plugin.tenant.lodge().await;
        Ok(Place::new(permit, lodging.ok_or(Failure::NoHandler)?))
    }

    /// Whether anybody wants an instance who is not one of these: somebody on
    /// another loop, or somebody here who can't use this kind of instance.
    fn is_wanted_by_others(&self, these: &Cell<u32>) -> bool {
        let waiting = self.plugin.shared.waiting();
        waiting > these.get() || self.plugin.tenant.is_wanted(waiting)
    }

    /// Whether an instance that is free now, after so many uses, goes to others.
    /// Those who can use it here come first, but not always.
    fn is_given_away(&self, these: &Cell<u32>, uses: u64) -> bool {
        if self.is_retired.get() && these.get() == 0 && !self.crew.has_jobs() {
            return true;
        }
        self.is_wanted_by_others(these) && (these.get() == 0 || uses.is_multiple_of(USES_PER_LOOP))
    }

    /// Keeps an instance warm for the next event, or lets it go.
    fn put(self: &Rc<Self>, mut instance: Box<Instance>, uses_max: u64) {
        instance.uses += 1;
        if instance.uses >= uses_max || self.is_given_away(&self.waiting_alone, instance.uses) {
            return;
        }
        instance.idle_since = self.share.clock().last_turn();
        self.idle.borrow_mut().push(instance);
        if self.waiting_alone.get() > 0 {
            self.returned.notify_one();
        }
        self.ensure_janitor();
    }

    fn uses_max(&self, default: u64) -> u64 {
        self.plugin.instance.uses_max.unwrap_or(default)
    }
}

/// Does something at the end of its scope, however that comes.
struct Defer<F: Fn()>(F);

impl<F: Fn()> Drop for Defer<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

fn failed(failure: Failure) -> LocalFuture<Outcome> {
    Box::pin(std::future::ready(Outcome::Failed(failure)))
}
