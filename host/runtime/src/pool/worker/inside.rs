//! The part of a worker that runs inside its store: begins jobs, and answers
//! those that are done.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::task::Poll;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use holdfast_core::event::{Failure, Outcome, Request};
use holdfast_core::metrics::LimitHit;
use tokio::sync::oneshot;
use tokio::time::Instant;
use wasmtime::AsContextMut;
use wasmtime::component::{Accessor, GuestTaskId};
use wasmtime_wasi_http::p3;
use wasmtime_wasi_http::p3::bindings::http::types::ErrorCode;

use super::reply::Reply;
use super::seat::Seat;
use super::{Job, Task};
use crate::body::{self, Progress, Watched};
use crate::capability::outbound::Budget;
use crate::guest::Guest;
use crate::http_0_3;
use crate::instance::{Handlers, HttpHandler, WebSocketHandlers};
use crate::line::{handler_failure, trap};
use crate::plugin::Entered;
use crate::pool::{Pool, USES};
use crate::subject::Subject;
use crate::world::websocket_0_1_0::Among;

/// A job which the guest has begun and not answered.
pub(super) struct Begun {
    id: u64,
    /// Which of the store's tasks it is, once the guest has begun, if the engine has
    /// tasks for it.
    task: Option<Rc<Cell<Option<GuestTaskId>>>>,
    pub(super) deadline: Instant,
    pub(super) reply: Reply,
}

impl Begun {
    /// Whether it was running when the guest trapped.
    pub(super) fn is_culprit(&self, job: Option<u64>, task: Option<GuestTaskId>) -> bool {
        let own = self.task.as_ref().and_then(|task| task.get());
        job == Some(self.id) || (task.is_some() && own == task)
    }
}

/// What both parts of a worker see.
pub(super) struct Desk {
    pub(super) pool: Rc<Pool>,
    pub(super) seat: Rc<Seat>,
    pub(super) begun: RefCell<Vec<Begun>>,
    /// Jobs whose time is over, but which the guest still has in hand.
    pub(super) late: RefCell<Vec<u64>>,
    /// When the worker ends at last, if some job was late.
    pub(super) leave_by: Cell<Option<Instant>>,
    /// What its events may spend on outbound requests.
    pub(super) budget: Arc<Budget>,
    /// Whether the guest has failed, which ends all its bodies.
    pub(super) has_failed: Arc<AtomicBool>,
    /// The job for which the guest is running, if it is linked directly.
    pub(super) current: Cell<Option<u64>>,
    /// Whether the inner part has had a turn since this was last cleared.
    pub(super) had_turn: Cell<bool>,
}

impl Desk {
    /// A job begins, as one of the engine's tasks if it has any for it.
    pub(super) fn begin(
        &self,
        id: u64,
        job: Job,
        guest_task: Option<Rc<Cell<Option<GuestTaskId>>>>,
    ) -> (Task, Option<Entered>) {
        drop(job.queued);
        self.budget.begin();
        self.begun.borrow_mut().push(Begun {
            id,
            task: guest_task,
            deadline: job
                .deadline
                .unwrap_or_else(|| Instant::now() + self.limit()),
            reply: job.reply,
        });
        (job.task, job.entered)
    }

    /// Has the worker leave when it has been used enough, or when others want its
    /// place and it has nothing to do.
    pub(super) fn see_whether_to_leave(&self, uses: u64, is_idle: bool) {
        let pool = &self.pool;
        let is_free = uses > 0 && is_idle;
        if uses >= pool.uses_max(USES) || (is_free && pool.is_given_away(&pool.waiting_hire, uses))
        {
            self.seat.is_leaving.set(true);
        }
    }

    pub(super) fn answer(&self, id: u64, outcome: Outcome) {
        let mut begun = self.begun.borrow_mut();
        if let Some(index) = begun.iter().position(|job| job.id == id) {
            let job = begun.swap_remove(index);
            drop(begun);
            job.reply.send(outcome);
        } else {
            self.late.borrow_mut().retain(|late| *late != id);
        }
    }

    /// The first deadline of those that are begun, or the worker's own.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let begun = self.begun.borrow();
        let deadlines = begun.iter().map(|job| job.deadline);
        deadlines.chain(self.leave_by.get()).min()
    }

    /// How long an event may take.
    pub(super) fn limit(&self) -> Duration {
        Duration::from_millis(self.pool.plugin.event.timeout_ms)
    }

    /// Answers those whose time is over. The guest can't be made to stop, so
    /// the instance goes when the events beside them are done.
    pub(super) fn expire(&self) {
        let now = Instant::now();
        let limit_ms = self.pool.plugin.event.timeout_ms;
        let mut begun = self.begun.borrow_mut();
        for job in begun.extract_if(.., |job| job.deadline <= now) {
            self.late.borrow_mut().push(job.id);
            let failure = Failure::Timeout(limit_ms);
            job.reply.send(Outcome::Failed(failure));
        }
        self.leave_in_time();
    }

    /// Ends the worker when its events are done, or after the time of one.
    pub(super) fn leave_in_time(&self) {
        self.seat.is_leaving.set(true);
        if self.leave_by.get().is_none() {
            self.leave_by.set(Some(Instant::now() + self.limit()));
        }
    }
}

pub(super) type Running<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// Works until there is nothing to do and the worker is to leave.
pub(super) async fn work(accessor: &Accessor<Guest>, handlers: &Handlers, desk: &Desk) {
    let limits = &desk.pool.plugin.instance;
    let mut uses = 0;
    let mut running: FuturesUnordered<Running<'_>> = FuturesUnordered::new();
    poll_fn(|context| {
        desk.had_turn.set(true);
        // It has been idle, or others had their turn; that does not count.
        accessor.with(|mut access| access.as_context_mut().set_epoch_deadline(1));
        loop {
            while let Poll::Ready(Some(())) = running.poll_next_unpin(context) {
                desk.seat.load.set(running.len() as u32);
                let now = desk.pool.share.clock().last_turn();
                desk.seat.idle_since.set(now);
            }
            desk.see_whether_to_leave(uses, running.is_empty());
            if desk.seat.is_leaving.get() || running.len() as u32 >= limits.events_max {
                break;
            }
            let Some(job) = desk.pool.crew.next() else {
                break;
            };
            uses += 1;
            running.push(Box::pin(run(accessor, handlers, desk, job, uses)));
            desk.seat.load.set(running.len() as u32);
        }
        // Late ones are not waited for.
        let has_work = running.len() > desk.late.borrow().len();
        match desk.seat.is_leaving.get() && !has_work {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    })
    .await;
}

/// Runs one job to its end; with a streaming response, that is when nobody
/// listens any more.
async fn run(accessor: &Accessor<Guest>, handlers: &Handlers, desk: &Desk, job: Box<Job>, id: u64) {
    let guest_task = Rc::new(Cell::new(None));
    let (task, entered) = desk.begin(id, *job, Some(Rc::clone(&guest_task)));
    let entered = entered.unwrap_or_else(|| desk.pool.plugin.stay());
    let (outcome, listening) = match task {
        Task::WebSocket(call) => match &handlers.websocket {
            Some(WebSocketHandlers::Component(handlers)) => {
                let task = &guest_task;
                let among = Among {
                    accessor,
                    task,
                    subject: Subject::default(),
                };
                (handlers.run(among, call).await, None)
            }
            // Of those that are linked directly, none waits.
            Some(WebSocketHandlers::Direct(_)) | None => {
                (Ok(Outcome::Failed(Failure::NoHandler)), None)
            }
        },
        Task::Http(request) => serve(accessor, handlers, request, &guest_task, desk).await,
    };
    let outcome = outcome.unwrap_or_else(|error| {
        desk.seat.is_leaving.set(true);
        Outcome::Failed(trap(&error))
    });
    desk.answer(id, outcome);
    if let Some(listening) = listening {
        desk.listened(listening).await;
    }
    desk.budget.end();
    if let Some(task) = guest_task.get() {
        accessor.with(|mut access| access.get().subjects.remove(task));
    }
    drop(entered);
}

type Served = (wasmtime::Result<Outcome>, Option<Listening>);

/// The body of a response, and whether somebody wants more of it.
pub(super) type Listening = (Progress, oneshot::Receiver<()>);

impl Desk {
    /// The response, if the guest has written all of it.
    pub(super) fn whole(&self, response: &mut Response) -> Option<Outcome> {
        let bytes = response.body_mut().take_whole()?;
        let bytes_max = self.pool.plugin.http.response_bytes_max;
        if !body::may_have(bytes.len(), bytes_max) {
            let metrics = &self.pool.plugin.settings.metrics;
            metrics.note_limit(LimitHit::Response);
            let text = format!("its response has more than {bytes_max} bytes");
            return Some(Outcome::Failed(Failure::Handler(text)));
        }
        let (head, _) = std::mem::take(response).into_parts();
        let response = http::Response::from_parts(head, body::whole(bytes));
        Some(Outcome::Response(Box::new(response)))
    }

    /// The response, and whether somebody wants more of it. It ends at once if the
    /// body is complete within a moment.
    pub(super) async fn streamed(&self, response: Response) -> (Outcome, Listening) {
        let (listener, listening) = oneshot::channel();
        let progress = Progress::default();
        let watched = Watched {
            has_failed: Arc::clone(&self.has_failed),
            progress: progress.clone(),
            _listener: listener,
            settings: Arc::clone(&self.pool.plugin.settings),
        };
        let response = body::answer(response, watched).await;
        (Outcome::Response(Box::new(response)), (progress, listening))
    }

    /// Waits until nobody wants more of a response.
    pub(super) async fn listened(&self, (progress, listening): Listening) {
        let limit_ms = self.pool.plugin.http.response_idle_timeout_ms;
        if !progress.listened(limit_ms, listening).await {
            self.leave_in_time();
        }
    }
}

/// Serves a request through `wasi:http/handler@0.3`, up to the head of the
/// response.
async fn serve(
    accessor: &Accessor<Guest>,
    handlers: &Handlers,
    request: Request,
    task: &Cell<Option<GuestTaskId>>,
    desk: &Desk,
) -> Served {
    let Some(HttpHandler::V0_3(handler)) = &handlers.http else {
        return (Ok(Outcome::Failed(Failure::NoHandler)), None);
    };
    match respond(accessor, handler, request, task).await {
        Ok(Ok(mut response)) => {
            if let Some(outcome) = desk.whole(&mut response) {
                return (Ok(outcome), None);
            }
            let (outcome, listening) = desk.streamed(response).await;
            (Ok(outcome), Some(listening))
        }
        Ok(Err(code)) => (Ok(Outcome::Failed(refused(code))), None),
        Err(error) => (Err(error), None),
    }
}

/// What a handler says instead of a response.
pub(super) fn refused(code: ErrorCode) -> Failure {
    handler_failure(&match code {
        ErrorCode::InternalError(Some(text)) => text,
        code => format!("{code:?}"),
    })
}

pub(super) type Response = http::Response<http_0_3::Body>;

async fn respond(
    accessor: &Accessor<Guest>,
    handler: &p3::bindings::Service,
    request: Request,
    task: &Cell<Option<GuestTaskId>>,
) -> wasmtime::Result<Result<Response, ErrorCode>> {
    let handler = handler.wasi_http_handler().func_handle();
    let subject = Subject::of_request(&request);
    let call = accessor.with(|mut access| {
        let view = access.get().http_0_3();
        let request = http_0_3::Request::incoming(request);
        let request = view.table.push_request(request)?;
        handler.start_call_concurrent(access, (request,))
    })?;
    task.set(Some(call.task()));
    accessor.with(|mut access| access.get().subjects.add(call.task(), subject));
    match handler.finish_call_concurrent(accessor, call).await?.0 {
        Ok(response) => accessor.with(|mut access| {
            let response = access.get().http_0_3().table.take_response(response)?;
            Ok(Ok(response.into_http()))
        }),
        Err(code) => Ok(Err(code)),
    }
}
