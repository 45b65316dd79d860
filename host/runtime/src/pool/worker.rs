//! Handlers that wait: an instance belongs to a worker, a task which runs many
//! events in it at a time. All workers of a pool take from one queue of jobs.
//!
//! While a guest computes, or calls a host function that has to wait, its store
//! is not free and the worker can't begin another event; it is *stuck*. Jobs
//! which a stuck worker leaves in the queue go to another one.

mod direct;
mod inside;
mod outside;
mod reply;
mod seat;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use holdfast_core::event::{Failure, Outcome, Request};
use tokio::time::Instant;

use super::Pool;
use super::plain::no_instance;
use crate::instance::Place;
use crate::plugin::{Entered, Plugin, Queued};
use crate::world::websocket_0_1_0::Call;
pub(super) use reply::Awaited;
use reply::Reply;
use seat::Seat;

/// What a worker can do.
pub(super) enum Task {
    Http(Request),
    WebSocket(Call),
}

/// A task and who waits for it.
struct Job {
    task: Task,
    reply: Reply,
    /// None for the end of a connection, which is told however late.
    deadline: Option<Instant>,
    /// Only of one that was not begun at once.
    entered: Option<Entered>,
    queued: Option<Queued>,
}

/// The workers of one pool.
#[derive(Default)]
pub(super) struct Crew {
    /// Boxed, since each of them is handed on several times.
    jobs: RefCell<VecDeque<Box<Job>>>,
    seats: RefCell<Vec<Rc<Seat>>>,
    is_hiring: Cell<bool>,
}

impl Crew {
    /// Sends workers away that have had nothing to do for so long; the others
    /// look at themselves. Returns whether any are left.
    pub(super) fn dismiss_idle(&self, idle_max: Duration) -> bool {
        let seats = self.seats.borrow();
        for seat in seats.iter() {
            let is_idle = seat.load.get() == 0 && seat.idle_since.get().elapsed() >= idle_max;
            match is_idle {
                true => seat.leave(),
                false => seat.wake(),
            }
        }
        !seats.is_empty()
    }

    /// The next job that somebody still waits for.
    fn next(&self) -> Option<Box<Job>> {
        let mut jobs = self.jobs.borrow_mut();
        loop {
            let job = jobs.pop_front()?;
            if !job.reply.is_unwanted() {
                return Some(job);
            }
        }
    }

    fn first_deadline(&self) -> Option<Instant> {
        let jobs = self.jobs.borrow();
        jobs.iter().filter_map(|job| job.deadline).min()
    }

    /// The jobs whose time is over.
    #[expect(clippy::vec_box, reason = "they are boxed already")]
    fn take_late(&self) -> Vec<Box<Job>> {
        let now = Instant::now();
        let mut jobs = self.jobs.borrow_mut();
        let is_late = |job: &Job| job.deadline.is_some_and(|deadline| deadline <= now);
        let (late, kept) = jobs.drain(..).partition(|job| is_late(job));
        *jobs = kept;
        drop(jobs);
        Vec::from(late)
    }

    pub(super) fn has_jobs(&self) -> bool {
        !self.jobs.borrow().is_empty()
    }

    /// Counts the jobs that have to wait.
    fn count(&self, plugin: &Arc<Plugin>) {
        // The last ones were not yet.
        let mut jobs = self.jobs.borrow_mut();
        let uncounted = jobs.iter_mut().rev();
        for job in uncounted.take_while(|job| job.queued.is_none()) {
            job.entered.get_or_insert_with(|| plugin.stay());
            job.queued.get_or_insert_with(|| Queued::new(plugin));
        }
    }
}

/// Has some worker run the task.
pub(super) async fn run(pool: Rc<Pool>, task: Task, entered: Entered) -> Outcome {
    match begin(&pool, task, Some(entered)) {
        Ok(outcome) => outcome,
        Err(awaited) => awaited.await,
    }
}

/// The same; most jobs are done when this returns. No timer of its own: those who have
/// the job, first the crew and then a worker, see to its deadline.
pub(super) fn begin(
    pool: &Rc<Pool>,
    task: Task,
    entered: Option<Entered>,
) -> Result<Outcome, Awaited> {
    let (reply, awaited) = reply::channel();
    let limit = Duration::from_millis(pool.plugin.event.timeout_ms);
    let job = Box::new(Job {
        deadline: match &task {
            Task::WebSocket(Call::Close(..)) => None,
            _ => Some(Instant::from_std(pool.share.clock().look()) + limit),
        },
        task,
        reply,
        entered,
        queued: None,
    });
    pool.crew.jobs.borrow_mut().push_back(job);
    match pool.free_seat() {
        Some(seat) => seat.turn(),
        None => pool.hire(),
    }
    pool.share.clock().pass();
    if let Some(outcome) = awaited.take() {
        return Ok(outcome);
    }
    pool.crew.count(&pool.plugin);
    Err(awaited)
}

impl Pool {
    /// Has a worker take a job, or hires one.
    fn call_worker(self: &Rc<Self>) {
        match self.free_seat() {
            Some(seat) => seat.wake(),
            None => self.hire(),
        }
    }

    fn free_seat(&self) -> Option<Rc<Seat>> {
        let load_max = self.plugin.instance.events_max;
        let is_free = |seat: &&Rc<Seat>| {
            !seat.is_stuck.get() && !seat.is_leaving.get() && seat.load.get() < load_max
        };
        self.crew.seats.borrow().iter().rev().find(is_free).cloned()
    }

    fn hire(self: &Rc<Self>) {
        if self.crew.is_hiring.replace(true) {
            return;
        }
        let pool = Rc::clone(self);
        tokio::task::spawn_local(async move {
            let place = pool.place_for_crew().await;
            pool.crew.is_hiring.set(false);
            match place {
                Ok(place) if pool.crew.has_jobs() => outside::work(pool, place).await,
                _ => {}
            }
        });
    }

    /// Waits for a place, and turns away the jobs whose time is over meanwhile.
    async fn place_for_crew(&self) -> Result<Place, Failure> {
        let limit = Duration::from_millis(self.plugin.event.timeout_ms);
        let mut place = pin!(self.place(&self.waiting_hire));
        loop {
            let first = self.crew.first_deadline();
            let next = first.unwrap_or_else(|| Instant::now() + limit);
            tokio::select! {
                place = &mut place => return place,
                () = tokio::time::sleep_until(next) => {
                    self.turn_away_late(no_instance);
                }
            }
        }
    }

    /// Returns whether there were any.
    fn turn_away_late(&self, failure: impl Fn() -> Failure) -> bool {
        let late = self.crew.take_late();
        let is_any = !late.is_empty();
        for job in late {
            job.reply.send(Outcome::Failed(failure()));
        }
        is_any
    }

    /// Answers one job, since no worker could be made for it.
    fn turn_away(self: &Rc<Self>, failure: Failure) {
        if let Some(job) = self.crew.next() {
            job.reply.send(Outcome::Failed(failure));
        }
        if self.crew.has_jobs() {
            self.call_worker();
        }
    }

    /// A new worker's place in the crew.
    fn sit(self: &Rc<Self>) -> Rc<Seat> {
        let seat = Rc::new(Seat::new());
        self.crew.seats.borrow_mut().push(Rc::clone(&seat));
        self.ensure_janitor();
        seat
    }

    fn stand_up(self: &Rc<Self>, seat: &Rc<Seat>) {
        self.crew
            .seats
            .borrow_mut()
            .retain(|other| !Rc::ptr_eq(other, seat));
        if self.crew.has_jobs() {
            self.call_worker();
        }
    }
}
