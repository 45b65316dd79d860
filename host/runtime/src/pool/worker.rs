//! Handlers that wait: an instance belongs to a worker, a task which runs many
//! events in it at a time. All workers of a pool take from one queue of jobs.
//!
//! While a guest computes, or calls a host function that has to wait, its store
//! is not free and the worker can't begin another event; it is *stuck*. Jobs
//! which a stuck worker leaves in the queue go to another one.

mod inside;
mod outside;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Waker;
use std::time::{Duration, Instant};

use holdfast_core::event::{Body, Failure, Outcome};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::Pool;
use super::plain::no_instance;
use crate::deadline::within;
use crate::plugin::Entered;
use crate::world::websocket_0_1_0::Call;

/// What a worker can do.
pub(super) enum Task {
    Http(http::Request<Body>),
    WebSocket(Call),
}

/// A task and who waits for it.
struct Job {
    task: Task,
    reply: oneshot::Sender<Outcome>,
    has_begun: Rc<Cell<bool>>,
    entered: Entered,
}

/// The workers of one pool.
#[derive(Default)]
pub(super) struct Crew {
    jobs: RefCell<VecDeque<Job>>,
    seats: RefCell<Vec<Rc<Seat>>>,
    is_hiring: Cell<bool>,
}

/// What the crew knows of a worker.
struct Seat {
    /// Events it has begun and not finished.
    load: Cell<u32>,
    is_stuck: Cell<bool>,
    /// Takes no more jobs, and ends when it has none.
    is_leaving: Cell<bool>,
    idle_since: Cell<Instant>,
    waker: RefCell<Option<Waker>>,
}

impl Seat {
    fn wake(&self) {
        if let Some(waker) = self.waker.borrow().as_ref() {
            waker.wake_by_ref();
        }
    }

    fn leave(&self) {
        self.is_leaving.set(true);
        self.wake();
    }
}

impl Crew {
    /// Sends workers away that have had nothing to do for so long. Returns
    /// whether any are left.
    pub(super) fn dismiss_idle(&self, idle_max: Duration) -> bool {
        let seats = self.seats.borrow();
        for seat in seats.iter() {
            if seat.load.get() == 0 && seat.idle_since.get().elapsed() >= idle_max {
                seat.leave();
            }
        }
        !seats.is_empty()
    }

    /// The next job that somebody still waits for.
    fn next(&self) -> Option<Job> {
        let mut jobs = self.jobs.borrow_mut();
        loop {
            let job = jobs.pop_front()?;
            if !job.reply.is_closed() {
                return Some(job);
            }
        }
    }

    fn has_jobs(&self) -> bool {
        !self.jobs.borrow().is_empty()
    }
}

/// Has some worker run the task.
pub(super) async fn run(pool: Rc<Pool>, task: Task, entered: Entered) -> Outcome {
    let limit_ms = pool.plugin.event.timeout_ms;
    let has_begun = Rc::new(Cell::new(false));
    let (reply, mut outcome) = oneshot::channel();
    pool.crew.jobs.borrow_mut().push_back(Job {
        task,
        reply,
        has_begun: Rc::clone(&has_begun),
        entered,
    });
    pool.call_worker();
    let answered = match within(limit_ms, Pin::new(&mut outcome)).await {
        Ok(answered) => answered,
        Err(_) if !has_begun.get() => return Outcome::Failed(no_instance(&pool)),
        // The worker has seen the same deadline pass, and will say so.
        Err(_) => outcome.await,
    };
    answered.unwrap_or(Outcome::Failed(Failure::Disrupted))
}

impl Pool {
    /// Wakes a worker that can take a job, or hires one.
    fn call_worker(self: &Rc<Self>) {
        let load_max = self.plugin.instance.events_max;
        let is_free = |seat: &&Rc<Seat>| {
            !seat.is_stuck.get() && !seat.is_leaving.get() && seat.load.get() < load_max
        };
        if let Some(seat) = self.crew.seats.borrow().iter().rev().find(is_free) {
            return seat.wake();
        }
        if self.crew.is_hiring.replace(true) {
            return;
        }
        let pool = Rc::clone(self);
        tokio::task::spawn_local(async move {
            let permit = pool.permit().await;
            pool.crew.is_hiring.set(false);
            match permit {
                Ok(permit) if pool.crew.has_jobs() => outside::work(pool, permit).await,
                _ => {}
            }
        });
    }

    /// Answers one job, since no worker could be made for it.
    fn turn_away(self: &Rc<Self>, failure: Failure) {
        if let Some(job) = self.crew.next() {
            // Whoever waited may have gone meanwhile.
            let _ = job.reply.send(Outcome::Failed(failure));
        }
        if self.crew.has_jobs() {
            self.call_worker();
        }
    }

    /// A new worker's place in the crew.
    fn sit(self: &Rc<Self>) -> Rc<Seat> {
        let seat = Rc::new(Seat {
            load: Cell::new(0),
            is_stuck: Cell::new(false),
            is_leaving: Cell::new(false),
            idle_since: Cell::new(Instant::now()),
            waker: RefCell::default(),
        });
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

    async fn make_in_time(
        &self,
        permit: OwnedSemaphorePermit,
    ) -> Result<crate::instance::Instance, Failure> {
        let limit_ms = self.plugin.event.timeout_ms;
        match within(limit_ms, pin!(self.make(permit))).await {
            Ok(made) => made,
            Err(_) => Err(Failure::Timeout(limit_ms)),
        }
    }
}
