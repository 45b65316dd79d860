//! The inner part of a worker whose guest is linked directly. The engine knows
//! nothing of its tasks, so that they are kept here: a task is called when it
//! begins, and again whenever something has happened for which it waits.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use holdfast_core::event::{Failure, Outcome, Request};
use tokio::time::Instant;
use wasmtime::{Result, Store};

use super::inside::{Desk, Response, Running, refused};
use super::{Job, Task};
use crate::direct::{Event, Mem, Returned, State, Value, Woken, put_value};
use crate::guest::Guest;
use crate::http_0_3;
use crate::http_0_3::direct::{Handlers, Next};
use crate::plugin::Entered;
use crate::subject::Subject;

/// Works until there is nothing to do and the worker is to leave. An error means
/// that the instance is lost.
pub(super) async fn work(store: &mut Store<Guest>, handlers: &Handlers, desk: &Desk) -> Result<()> {
    let mut work = Work {
        woken: Arc::clone(&store.data().direct.woken),
        waker: Waker::noop().clone(),
        store,
        handlers,
        desk,
        uses: 0,
        held: Vec::new(),
        running: FuturesUnordered::new(),
        ends: Vec::new(),
        yielded: Vec::new(),
        pause: None,
        steps: 0,
        began: None,
        alone_since: None,
    };
    loop {
        let step = poll_fn(|context| work.next(context)).await?;
        match step {
            Step::Begin(job) => work.begin(job).await?,
            Step::GoOn(task, event) => pin!(work.go_on(task, event)).await?,
            Step::Put(handle, at, value) => pin!(work.put(handle, at, value)).await?,
            Step::Leave => return Ok(()),
        }
    }
}

struct Work<'a> {
    store: &'a mut Store<Guest>,
    handlers: &'a Handlers,
    desk: &'a Desk,
    /// Jobs that were begun.
    uses: u64,
    /// Those which the guest has in hand.
    held: Held,
    /// Those whose response is on its way.
    running: FuturesUnordered<Running<'a>>,
    woken: Arc<Woken>,
    /// The worker's own, which those ends wake.
    waker: Waker,
    /// Ends of streams and futures at which something may have happened.
    ends: Vec<u32>,
    /// Tasks that let others run.
    yielded: Vec<usize>,
    /// Others have their turn.
    pause: Option<Pause>,
    /// Calls of the guest since the worker was polled.
    steps: u32,
    /// When the first ones of these were done.
    began: Option<Instant>,
    /// Since when the guest has been at work for nobody.
    alone_since: Option<Instant>,
}

/// Jobs by their ids. Those that take longer than one turn are counted.
type Held = Vec<(u64, Option<Entered>)>;

/// A job takes longer.
fn stay(held: &mut Held, id: u64, desk: &Desk) {
    if let Some((_, entered)) = held.iter_mut().find(|(held, _)| *held == id) {
        entered.get_or_insert_with(|| desk.pool.plugin.stay());
    }
}

type Pause = Pin<Box<dyn Future<Output = ()>>>;

/// For so long a guest is called again whenever it waits for nothing; then others
/// have their turn. The clock is looked at after so many calls.
const TURN: Duration = Duration::from_micros(500);
const STEPS: u32 = 16;

/// What is to be done next.
enum Step {
    Begin(Box<Job>),
    /// A task is told of an event.
    GoOn(usize, Event),
    /// A value is written to where the guest reads a future, which then is told.
    Put(u32, u32, Value),
    Leave,
}

impl Work<'_> {
    fn next(&mut self, context: &mut Context<'_>) -> Poll<Result<Step>> {
        let desk = self.desk;
        if !desk.had_turn.replace(true) {
            // It has been idle, or others had their turn; that does not count.
            self.store.set_epoch_deadline(1);
            self.steps = 0;
            self.began = None;
        }
        if !self.waker.will_wake(context.waker()) {
            self.waker = context.waker().clone();
            self.woken.set_worker(context.waker());
        }
        while !self.running.is_empty()
            && let Poll::Ready(Some(())) = self.running.poll_next_unpin(context)
        {
            self.note_load();
        }
        desk.see_whether_to_leave(self.uses, self.load() == 0);
        // Late ones are not waited for.
        let has_work = self.load() > desk.late.borrow().len();
        if desk.seat.is_leaving.get() && !has_work {
            return Poll::Ready(Ok(Step::Leave));
        }
        if !self.is_paused(context) {
            if self.is_long() {
                return self.pause(context);
            }
            match self.next_of_guest() {
                Ok(Some(step)) => return Poll::Ready(Ok(step)),
                Ok(None) => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        if !desk.seat.is_leaving.get()
            && self.load() < desk.pool.plugin.instance.events_max as usize
            && let Some(job) = desk.pool.crew.next()
        {
            return Poll::Ready(Ok(Step::Begin(job)));
        }
        if self.pause.is_none() && !self.yielded.is_empty() {
            return self.pause(context);
        }
        if self.pause.is_none() {
            self.alone_since = None;
        }
        Poll::Pending
    }

    /// Whether others have their turn; if they had it, those go on which let them.
    fn is_paused(&mut self, context: &mut Context<'_>) -> bool {
        let Some(pause) = &mut self.pause else {
            return false;
        };
        if pause.as_mut().poll(context).is_pending() {
            return true;
        }
        self.pause = None;
        for task in self.yielded.drain(..) {
            self.store.data_mut().direct.tasks.resume(task);
        }
        false
    }

    /// Lets others have their turn. A guest that goes on and on, though it is at work
    /// for nobody, has as long for that as for an event.
    fn pause(&mut self, context: &mut Context<'_>) -> Poll<Result<Step>> {
        let limit = self.desk.limit();
        match self.load() {
            0 => {
                let since = *self.alone_since.get_or_insert_with(Instant::now);
                if since.elapsed() > limit {
                    let text = "the guest goes on without an event";
                    return Poll::Ready(Err(wasmtime::Error::msg(text)));
                }
            }
            _ => self.alone_since = None,
        }
        // Tokio looks for input and output before a task that yields this way runs
        // again; a plain wake would starve them.
        let mut pause: Pause = Box::pin(tokio::task::yield_now());
        let _ = pause.as_mut().poll(context);
        self.pause = Some(pause);
        Poll::Pending
    }

    /// Whether the guest was called for so long that others are to have their turn.
    fn is_long(&mut self) -> bool {
        self.steps += 1;
        if !self.steps.is_multiple_of(STEPS) {
            return false;
        }
        let began = *self.began.get_or_insert_with(Instant::now);
        began.elapsed() > TURN
    }

    /// What tasks that are under way have to do.
    fn next_of_guest(&mut self) -> Result<Option<Step>> {
        self.ends.append(&mut self.woken.take());
        while let Some(handle) = self.ends.pop() {
            let memory = self.store.data().direct.memory()?;
            let (bytes, guest) = memory.data_and_store_mut(&mut *self.store);
            if let Some((at, value)) = State::proceed(guest, &mut Mem::new(bytes), handle)? {
                return Ok(Some(Step::Put(handle, at, value)));
            }
        }
        let next = self.store.data_mut().direct.next()?;
        Ok(next.map(|(task, event)| Step::GoOn(task, event)))
    }

    fn load(&self) -> usize {
        self.held.len() + self.running.len()
    }

    fn note_load(&self) {
        let seat = &self.desk.seat;
        seat.load.set(self.load() as u32);
        seat.idle_since
            .set(self.desk.pool.share.clock().last_turn());
    }

    async fn begin(&mut self, job: Box<Job>) -> Result<()> {
        self.uses += 1;
        let id = self.uses;
        let (task, entered) = self.desk.begin(id, *job, None);
        self.held.push((id, entered));
        self.note_load();
        match task {
            Task::Http(request) => self.serve(id, request).await,
            // Those of modules that are linked directly don't wait.
            Task::WebSocket(_) => {
                self.end(id, Outcome::Failed(Failure::NoHandler));
                Ok(())
            }
        }
    }

    async fn serve(&mut self, id: u64, request: Request) -> Result<()> {
        let subject = Subject::of_request(&request);
        let guest = self.store.data_mut();
        let view = guest.http_0_3();
        let request = http_0_3::Request::incoming(request);
        let request = view.table.push_request(request)?;
        let request = guest.direct.give_request(&request)?;
        let task = guest.direct.begin_task(id, subject.clone())?;
        guest.subjects.set(subject);
        self.desk.current.set(Some(id));
        let next = {
            let mut call = pin!(self.handlers.begin(self.store, request));
            poll_fn(|context| {
                let polled = call.as_mut().poll(context);
                if polled.is_pending() {
                    stay(&mut self.held, id, self.desk);
                }
                polled
            })
            .await?
        };
        self.after(task, id, next)
    }

    async fn go_on(&mut self, task: usize, event: Event) -> Result<()> {
        let guest = self.store.data_mut();
        let Some((id, subject)) = guest.direct.tasks.run(task) else {
            return Ok(());
        };
        guest.subjects.set(subject);
        self.desk.current.set(Some(id));
        let next = self.handlers.go_on(self.store, event).await?;
        self.after(task, id, next)
    }

    /// The guest has returned: sees to what it has made, and to what it wants next.
    fn after(&mut self, task: usize, id: u64, next: Next) -> Result<()> {
        let direct = &mut self.store.data_mut().direct;
        direct.tasks.pause();
        let returned = direct.tasks.take_returned(task);
        match next {
            Next::Exit => direct.tasks.end(task)?,
            Next::Yield => self.yielded.push(task),
            Next::Wait(set) => direct.wait(task, set)?,
        }
        match returned {
            Some(returned) => self.answer(id, returned)?,
            None => stay(&mut self.held, id, self.desk),
        }
        self.desk.current.set(None);
        Ok(())
    }

    /// Puts the value of a future to where the guest reads it.
    async fn put(&mut self, handle: u32, at: u32, value: Value) -> Result<()> {
        // For no task in particular.
        let guest = self.store.data_mut();
        guest.direct.tasks.begin_alone();
        guest.subjects.set(Subject::default());
        put_value(&mut *self.store, at, value).await?;
        self.store.data_mut().direct.finish_value(handle)
    }

    fn answer(&mut self, id: u64, returned: Returned) -> Result<()> {
        let response = match returned {
            Ok(response) => response,
            Err(code) => {
                self.end(id, Outcome::Failed(refused(code)));
                return Ok(());
            }
        };
        let table = self.store.data_mut().http_0_3().table;
        let mut response = table.take_response(response)?.into_http();
        if let Some(outcome) = self.desk.whole(&mut response) {
            self.end(id, outcome);
            return Ok(());
        }
        if let Some(entered) = self.let_go(id) {
            let entered = entered.unwrap_or_else(|| self.desk.pool.plugin.stay());
            let sent = send(self.desk, id, response, entered);
            self.running.push(Box::pin(sent));
        }
        self.note_load();
        Ok(())
    }

    /// A job is done.
    fn end(&mut self, id: u64, outcome: Outcome) {
        self.desk.answer(id, outcome);
        self.desk.budget.end();
        drop(self.let_go(id));
        self.note_load();
    }

    fn let_go(&mut self, id: u64) -> Option<Option<Entered>> {
        let place = self.held.iter().position(|(held, _)| *held == id)?;
        Some(self.held.swap_remove(place).1)
    }
}

/// Answers with a response that is not complete, up to when nobody listens any more.
async fn send(desk: &Desk, id: u64, response: Response, entered: Entered) {
    let (outcome, listening) = desk.streamed(response).await;
    desk.answer(id, outcome);
    desk.listened(listening).await;
    desk.budget.end();
    drop(entered);
}
