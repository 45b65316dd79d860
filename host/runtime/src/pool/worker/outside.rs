//! The part of a worker that sees its store from outside: makes it, notices
//! when it is stuck, and ends it.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use holdfast_core::event::{Failure, Outcome};
use tokio::time::Instant;
use wasmtime::AsContextMut;
use wasmtime::component::GuestTaskId;

use super::super::Pool;
use super::super::plain::no_turn;
use super::super::watch::Watch;
use super::direct;
use super::inside::{self, Begun, Desk};
use crate::instance::{HttpHandler, Instance, Place};
use crate::line::trap;
use crate::share::{Pause, Turn};

/// Interruptions in a row after which a guest is thought to compute for long, most
/// of them short slices. A shorter time is not worth another instance.
const STUCK_AFTER: u32 = 12;

/// How a worker has ended, if not in peace.
enum Ended {
    Trapped(wasmtime::Error, Culprit),
    OutOfTime,
}

/// What was running when the guest trapped: a job, or a task of the engine's.
type Culprit = (Option<u64>, Option<GuestTaskId>);

/// A worker's life, from its place to its end.
pub(super) async fn work(pool: Rc<Pool>, place: Place) {
    let made = Turn::new(&pool.share).run(pin!(pool.make(place))).await;
    let instance = match made {
        Ok(instance) => instance,
        Err(failure) => return pool.turn_away(failure),
    };
    let seat = pool.sit();
    let desk = Desk {
        seat: Rc::clone(&seat),
        pool: Rc::clone(&pool),
        begun: RefCell::default(),
        late: RefCell::default(),
        leave_by: Cell::new(None),
        budget: Arc::clone(instance.store.data().budget()),
        has_failed: Arc::default(),
        current: Cell::new(None),
        had_turn: Cell::new(false),
    };
    seat.live(Box::pin(serve(instance, desk))).await;
    pool.stand_up(&seat);
}

async fn serve(mut instance: Box<Instance>, desk: Desk) {
    let ended = live(&mut instance, &desk).await;
    if ended.is_err() {
        // Before the guest goes, and with it its bodies.
        desk.has_failed.store(true, Ordering::Relaxed);
    }
    // First the guest goes, so that nothing of it is left when its events are
    // answered.
    drop(instance);
    let begun = desk.begun.take();
    match ended {
        Ok(()) => {}
        Err(Ended::Trapped(error, culprit)) => answer_trap(begun, &error, culprit),
        Err(Ended::OutOfTime) => answer_timeout(begun, desk.pool.plugin.event.timeout_ms),
    }
}

async fn live(instance: &mut Instance, desk: &Desk) -> Result<(), Ended> {
    match watch(instance, desk).await {
        None => Err(Ended::OutOfTime),
        Some(Ok(())) => Ok(()),
        Some(Err(error)) => Err(Ended::Trapped(error, culprit(instance, desk))),
    }
}

/// Runs the inner part until it ends; none if its time was over before.
async fn watch(instance: &mut Instance, desk: &Desk) -> Option<wasmtime::Result<()>> {
    let meter = Arc::clone(instance.store.data().meter());
    let mut watch = Watch::new(desk.pool.plugin.event.timeout_ms);
    let mut interruptions = 0;
    let mut held_since = None;
    let turn = Turn::new(&desk.pool.share);
    turn.observe(&meter);
    let mut inside = pin!(inside(instance, desk));
    poll_fn(|context| {
        desk.had_turn.set(false);
        if let Poll::Ready(ended) = turn.poll(inside.as_mut(), context) {
            return Poll::Ready(Some(ended));
        }
        if turn.pause() == Pause::NoTurn {
            return starve(desk, &mut watch, context);
        }
        let is_interrupted = turn.pause() == Pause::Interrupted;
        interruptions = if is_interrupted { interruptions + 1 } else { 0 };
        let is_stuck = match is_interrupted {
            true => interruptions >= STUCK_AFTER,
            false => !desk.had_turn.get(),
        };
        desk.seat.is_stuck.set(is_stuck);
        if desk.pool.crew.has_jobs() {
            desk.pool.call_worker();
        }
        // Even one who has answered everything may not hold its store for long.
        let is_held = is_stuck && !is_interrupted;
        held_since = is_held.then(|| held_since.unwrap_or_else(Instant::now));
        let held_until = held_since.map(|since| since + desk.limit());
        let deadline = desk.deadline().into_iter().chain(held_until).min();
        if !watch.is_over(context, turn.pause(), deadline) {
            return Poll::Pending;
        }
        expire(desk, context)
    })
    .await
}

type Inside<'a> = Pin<Box<dyn Future<Output = wasmtime::Result<()>> + 'a>>;

fn inside<'a>(instance: &'a mut Instance, desk: &'a Desk) -> Inside<'a> {
    let Instance {
        store, handlers, ..
    } = instance;
    let handlers = &*handlers;
    match &handlers.http {
        Some(HttpHandler::Direct(handler)) => Box::pin(direct::work(store, handler, desk)),
        _ => Box::pin(async move {
            let work = async |accessor: &_| inside::work(accessor, handlers, desk).await;
            store.run_concurrent(work).await
        }),
    }
}

/// The tenant's turn is awaited: sees to those meanwhile whose time is over, also
/// to jobs that have not begun.
fn starve<T>(desk: &Desk, watch: &mut Watch, context: &mut Context<'_>) -> Poll<Option<T>> {
    let queued = desk.pool.crew.first_deadline();
    let deadline = desk.deadline().into_iter().chain(queued).min();
    if !watch.is_over(context, Pause::NoTurn, deadline) {
        return Poll::Pending;
    }
    let is_any_away = desk.pool.turn_away_late(no_turn);
    if desk.deadline().is_some_and(|it| it <= Instant::now()) {
        return expire(desk, context);
    }
    if !is_any_away {
        // It has computed for too long without any event.
        return Poll::Ready(None);
    }
    context.waker().wake_by_ref();
    Poll::Pending
}

/// The time of some events is over, or the worker's own.
fn expire<T>(desk: &Desk, context: &Context<'_>) -> Poll<Option<T>> {
    let has_to_go = desk.leave_by.get().is_some_and(|by| by <= Instant::now());
    if desk.seat.is_stuck.get() || has_to_go {
        // It does not even let others end.
        return Poll::Ready(None);
    }
    desk.expire();
    // Perhaps there is nothing else to do.
    context.waker().wake_by_ref();
    Poll::Pending
}

/// What was running when the guest trapped, if that is still known.
fn culprit(instance: &mut Instance, desk: &Desk) -> Culprit {
    let job = desk.current.get();
    if job.is_some() {
        return (job, None);
    }
    let mut store = instance.store.as_context_mut();
    // The youngest call comes first, the event's own last.
    let tasks = store.async_call_stack().ok();
    (None, tasks.and_then(|tasks| tasks.last()))
}

/// One event has trapped; those beside it were only disrupted.
fn answer_trap(begun: Vec<Begun>, error: &wasmtime::Error, (running, task): Culprit) {
    let is_alone = begun.len() == 1;
    for job in begun {
        let failure = match is_alone || job.is_culprit(running, task) {
            true => trap(error),
            false => Failure::Disrupted,
        };
        job.reply.send(Outcome::Failed(failure));
    }
}

/// Those whose time is over are told so, the others that they were disrupted.
fn answer_timeout(begun: Vec<Begun>, limit_ms: u64) {
    let now = Instant::now();
    for job in begun {
        let failure = match job.deadline <= now {
            true => Failure::Timeout(limit_ms),
            false => Failure::Disrupted,
        };
        job.reply.send(Outcome::Failed(failure));
    }
}
