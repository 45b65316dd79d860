//! Plain handlers: one call at a time, alone with an instance.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use holdfast_core::event::{ConnectionState, Event, Failure, Outcome, Request};
use holdfast_core::message::Message;
use holdfast_core::metrics::EventKind;
use holdfast_core::plugin::{LocalFuture, begin};
use tokio::sync::oneshot;
use tokio::time::Instant;
use wasmtime::Store;
use wasmtime::component::Resource;
use wasmtime_wasi_http::WasiHttpView;
use wasmtime_wasi_http::p2::bindings::http::types::{ErrorCode, Scheme};
use wasmtime_wasi_http::p2::types::{HostIncomingRequest, HostResponseOutparam};

use super::lane::{Ended, Lane};
use super::underway::Underway;
use super::watch::Watch;
use super::{Pool, USES, USES_0_2};
use crate::body::{self, Progress, Watched};
use crate::deadline::{rest_within, within};
use crate::guest::Guest;
use crate::instance::{HttpHandler, Instance};
use crate::line::{handler_failure, trap};
use crate::plugin::Entered;
use crate::request;
use crate::share::{Share, Turn};
use crate::subject::Subject;
use crate::world::websocket_0_1_0::{Call, Form};

/// Runs a WebSocket event in the caller's own task.
pub(super) async fn websocket(pool: Rc<Pool>, call: Call, _entered: Entered) -> Outcome {
    let limit_ms = pool.plugin.event.timeout_ms;
    let has_begun = Cell::new(false);
    let turn = Turn::new(&pool.share);
    // The end of a connection is told, however late.
    let kept = match &call {
        Call::Close(..) => match turn.run(pin!(pool.take())).await {
            Ok(instance) => Some(instance),
            Err(failure) => return Outcome::Failed(failure),
        },
        _ => None,
    };
    let event = pin!(async {
        let instance = match kept {
            Some(instance) => instance,
            None => pool.take().await?,
        };
        has_begun.set(true);
        turn.observe(instance.store.data().meter());
        let mut lane = pool.lanes.begin(instance, call);
        let ended = (&mut lane).await;
        pool.lanes.keep(lane);
        pool.put_back(ended)
    });
    match within(limit_ms, pin!(turn.run(event))).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(failure)) => Outcome::Failed(failure),
        Err(_) if has_begun.get() => Outcome::Failed(Failure::Timeout(limit_ms)),
        Err(_) => Outcome::Failed(turned_away(&turn)),
    }
}

impl Pool {
    /// Runs a message at once, if there is a turn and a warm instance for it, as
    /// there nearly always are. Most handlers have returned when this does. A
    /// future that is returned has been polled.
    pub(crate) fn run_now(
        self: &Rc<Self>,
        context: &mut Context<'_>,
        state: ConnectionState,
        message: Message,
    ) -> Result<Outcome, LocalFuture<Outcome>> {
        let Some(instance) = self.free_now() else {
            return begin(Rc::clone(self).run(Event::Message(state, message)), context);
        };
        let underway = Underway::new(Rc::clone(self), EventKind::Message);
        let lane = self.lanes.begin(instance, Call::Message(state, message));
        let mut run = Run {
            turn: Turn::new(&self.share),
            pool: Rc::clone(self),
            lane,
        };
        if let Poll::Ready(outcome) = Pin::new(&mut run).poll(context) {
            self.lanes.keep(run.lane);
            underway.end(&outcome);
            return Ok(outcome);
        }
        let mut rest = Box::pin(finish(run, underway, self.plugin.stay()));
        // Sets its timer.
        let _ = rest.as_mut().poll(context);
        Err(rest)
    }

    /// A warm instance, if a message may run at once.
    fn free_now(&self) -> Option<Box<Instance>> {
        let is_plain = self.form() == Some(Form::Plain);
        if !is_plain || !self.share.may_begin() || !self.plugin.may_enter() {
            return None;
        }
        self.warm()
    }

    /// Puts an instance back whose call has ended. If it goes instead, that is the
    /// tenant's time, too: this is done in its turn.
    fn put_back(self: &Rc<Self>, ended: Ended) -> Result<Outcome, Failure> {
        let (instance, outcome) = ended?;
        self.put(instance, self.uses_max(USES));
        Ok(outcome)
    }
}

/// Finishes a call that has not returned at once.
async fn finish(mut run: Run, underway: Underway, _entered: Entered) -> Outcome {
    let limit_ms = run.pool.plugin.event.timeout_ms;
    let outcome = match rest_within(limit_ms, Pin::new(&mut run)).await {
        Ok(outcome) => {
            run.pool.lanes.keep(run.lane);
            outcome
        }
        // With the lane goes what is left of the call.
        Err(_) => {
            drop(run);
            Outcome::Failed(Failure::Timeout(limit_ms))
        }
    };
    underway.end(&outcome);
    outcome
}

/// A call in a lane, in turns of its tenant.
struct Run {
    turn: Turn,
    pool: Rc<Pool>,
    lane: Lane,
}

impl Future for Run {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        let Self { turn, pool, lane } = &mut *self;
        let poll = |lane: &mut Lane, context: &mut Context<'_>| {
            let ended = Pin::new(lane).poll(context);
            ended.map(|ended| pool.put_back(ended).unwrap_or_else(Outcome::Failed))
        };
        turn.poll_known(lane, context, poll, |lane| lane.take_interrupted())
    }
}

/// What an event is told that has waited until its deadline and not begun.
fn turned_away(turn: &Turn) -> Failure {
    match turn.is_waiting() {
        true => no_turn(),
        false => no_instance(),
    }
}

/// Its tenant had no turn.
pub(super) fn no_turn() -> Failure {
    Failure::Overloaded("its tenant has used its share of the processor".into())
}

/// All instances were busy, or those of others took all places.
pub(super) fn no_instance() -> Failure {
    Failure::Overloaded("no instance has become free for it".into())
}

type Head = Result<http::Response<wasmtime_wasi_http::WasiBody>, ErrorCode>;

/// Serves a request through `wasi:http/incoming-handler@0.2`. The guest goes on
/// after the response's head, in a task of its own.
pub(super) async fn http(pool: Rc<Pool>, request: Request, entered: Entered) -> Outcome {
    let limit_ms = pool.plugin.event.timeout_ms;
    let deadline = Instant::now() + Duration::from_millis(limit_ms);
    let mut instance = match take(&pool, limit_ms).await {
        Ok(instance) => instance,
        Err(failure) => return Outcome::Failed(failure),
    };
    let (head_sender, head) = oneshot::channel();
    // Dropped when nobody listens to the guest any more.
    let (listener, listening) = oneshot::channel();
    let has_failed = Arc::new(AtomicBool::new(false));
    let progress = Progress::default();
    let watched = Watched {
        has_failed: Arc::clone(&has_failed),
        progress: progress.clone(),
        _listener: listener,
        settings: Arc::clone(&pool.plugin.settings),
    };
    let failure = tokio::task::spawn_local(async move {
        let exchange = Exchange {
            head: head_sender,
            listening,
            progress,
            deadline,
        };
        let served = serve(&pool.share, &mut instance, request, exchange).await;
        match served.is_ok() {
            true => pool.put(instance, pool.uses_max(USES_0_2)),
            // Before the instance goes, and the body of its response ends.
            false => has_failed.store(true, Ordering::Relaxed),
        }
        drop(entered);
        served.err()
    });
    match head.await {
        Ok(Ok(response)) => Outcome::Response(Box::new(body::answer(response, watched).await)),
        Ok(Err(ErrorCode::InternalError(Some(text)))) => Outcome::Failed(handler_failure(&text)),
        Ok(Err(code)) => Outcome::Failed(handler_failure(&format!("{code:?}"))),
        // No head will come: the call has ended.
        Err(_) => Outcome::Failed(match failure.await {
            Ok(Some(failure)) => failure,
            _ => Failure::Handler("it returned without a response".into()),
        }),
    }
}

/// An instance, in the tenant's turn and within this time.
async fn take(pool: &Pool, limit_ms: u64) -> Result<Box<Instance>, Failure> {
    let turn = Turn::new(&pool.share);
    let taken = within(limit_ms, pin!(turn.run(pin!(pool.take())))).await;
    taken.unwrap_or_else(|_| Err(turned_away(&turn)))
}

/// What the guest's call and whoever wants the response have in common.
struct Exchange {
    head: oneshot::Sender<Head>,
    listening: oneshot::Receiver<()>,
    progress: Progress,
    /// For the head.
    deadline: Instant,
}

async fn serve(
    share: &Rc<Share>,
    instance: &mut Instance,
    request: Request,
    exchange: Exchange,
) -> Result<(), Failure> {
    let Exchange {
        head,
        mut listening,
        progress,
        deadline,
    } = exchange;
    let Some(HttpHandler::V0_2(handler)) = &instance.handlers.http else {
        return Err(Failure::NoHandler);
    };
    let store = &mut instance.store;
    let plugin = Arc::clone(store.data().plugin());
    let meter = Arc::clone(store.data().meter());
    let budget = Arc::clone(store.data().budget());
    budget.begin();
    let limit_ms = plugin.event.timeout_ms;
    let has_head = Arc::new(AtomicBool::new(false));
    let subject = Subject::of_request(&request);
    let about = subject.clone();
    store.data_mut().subjects.set(subject);
    let (request, out) =
        arguments(store, request, head, &has_head).map_err(|error| trap(&error))?;
    let handler = handler.wasi_http_incoming_handler();
    let mut call = pin!(handler.call_handle(store, request, out));
    let mut watch = Watch::new(limit_ms);
    let turn = Turn::new(share);
    turn.observe(&meter);
    let mut deadline = Some(deadline);
    let mut is_heard = true;
    let served = poll_fn(|context| {
        if let Poll::Ready(returned) = turn.poll(call.as_mut(), context) {
            return Poll::Ready(returned.map_err(|error| trap(&error)));
        }
        if is_heard && Pin::new(&mut listening).poll(context).is_ready() {
            is_heard = false;
            deadline = Some(watch.deadline());
        }
        if is_heard && has_head.load(Ordering::Relaxed) {
            // From now on, only a client that does not read ends it.
            deadline = progress.deadline(plugin.http.response_idle_timeout_ms);
        }
        match watch.is_over(context, turn.pause(), deadline) {
            true => Poll::Ready(Err(Failure::Timeout(limit_ms))),
            false => Poll::Pending,
        }
    })
    .await;
    budget.end();
    if let Err(failure) = &served
        && has_head.load(Ordering::Relaxed)
    {
        // Nobody else hears of it.
        let text = failure.to_string();
        if plugin.may_log(text.len()) {
            let settings = &plugin.settings;
            let (tenant, plugin) = (&*settings.tenant_name, &*settings.name);
            let generation = settings.generation;
            let request_id = about.request_id();
            tracing::warn!(
                tenant,
                plugin,
                generation,
                request_id,
                "after its response: {text}"
            );
        }
    }
    served
}

/// The request, and where the guest puts the head of its response.
fn arguments(
    store: &mut Store<Guest>,
    request: Request,
    head: oneshot::Sender<Head>,
    has_head: &Arc<AtomicBool>,
) -> wasmtime::Result<(
    Resource<HostIncomingRequest>,
    Resource<HostResponseOutparam>,
)> {
    let request = request::complete(request.into_http()).map(body::to_guest);
    // Without an authority it has no URI that could say so.
    let scheme = match request.uri().scheme() {
        Some(scheme) => scheme.clone(),
        None => request::scheme(request.extensions()),
    };
    let scheme = match scheme == http::uri::Scheme::HTTPS {
        true => Scheme::Https,
        false => Scheme::Http,
    };
    let mut view = store.data_mut().http();
    let request = view.new_incoming_request(scheme, request)?;
    let has_head = Arc::clone(has_head);
    let out = view.new_response_outparam_from_callback(move |response| {
        has_head.store(true, Ordering::Relaxed);
        // The caller may be gone; then nobody wants the response.
        let _ = head.send(response);
    })?;
    Ok((request, out))
}
