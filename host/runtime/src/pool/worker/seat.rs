//! A worker's place in the crew, and how it gets its turns.
//!
//! A worker is a future with a task of its own, which polls it when something
//! has happened for which it waits. But whoever brings a job gives it a turn at
//! once, in his own task: most events are done before that turn ends, and then
//! no task had to be woken. What the worker wakes during a turn is polled in
//! the same turn.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Instant;

use holdfast_core::plugin::LocalFuture;

/// Polls of one turn. More would keep the event loop from others.
const POLLS_MAX: u32 = 16;

/// What the crew knows of a worker.
pub(super) struct Seat {
    /// Events it has begun and not finished.
    pub(super) load: Cell<u32>,
    pub(super) is_stuck: Cell<bool>,
    /// Takes no more jobs, and ends when it has none.
    pub(super) is_leaving: Cell<bool>,
    pub(super) idle_since: Cell<Instant>,
    /// Gone when it has ended.
    life: RefCell<Option<LocalFuture<()>>>,
    bell: Arc<Bell>,
    /// Rings it.
    waker: Waker,
}

/// Wakes the worker: in a turn by another poll, otherwise by its task.
#[derive(Default)]
struct Bell {
    in_turn: AtomicBool,
    has_rung: AtomicBool,
    task: Mutex<Option<Waker>>,
}

impl Bell {
    fn set_task(&self, waker: &Waker) {
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        if !task.as_ref().is_some_and(|task| task.will_wake(waker)) {
            *task = Some(waker.clone());
        }
    }

    fn call_task(&self) {
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(task) = task.as_ref() {
            task.wake_by_ref();
        }
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.has_rung.store(true, Ordering::SeqCst);
        if !self.in_turn.load(Ordering::SeqCst) {
            self.call_task();
        }
    }
}

impl Seat {
    pub(super) fn new() -> Self {
        let bell = Arc::<Bell>::default();
        Self {
            waker: Waker::from(Arc::clone(&bell)),
            bell,
            load: Cell::new(0),
            is_stuck: Cell::new(false),
            is_leaving: Cell::new(false),
            idle_since: Cell::new(Instant::now()),
            life: RefCell::default(),
        }
    }

    /// Lives this life to its end, in turns. What is left of it goes when this
    /// future is dropped.
    pub(super) async fn live(&self, life: LocalFuture<()>) {
        self.life.replace(Some(life));
        let _end = End(self);
        poll_fn(|context| {
            self.bell.set_task(context.waker());
            self.poll()
        })
        .await;
    }

    /// A turn, in the task of whoever calls.
    pub(super) fn turn(&self) {
        if self.poll().is_ready() {
            self.bell.call_task();
        }
    }

    /// Sends it away as soon as it has nothing to do.
    pub(super) fn leave(&self) {
        self.is_leaving.set(true);
        self.wake();
    }

    /// Has it look for something to do.
    pub(super) fn wake(&self) {
        self.bell.wake_by_ref();
    }

    fn end(&self) {
        if let Ok(mut life) = self.life.try_borrow_mut() {
            *life = None;
        }
    }

    fn poll(&self) -> Poll<()> {
        // Declared first, so that it acts when all else of the turn is gone.
        let mut turn = Turn {
            seat: self,
            has_panicked: false,
        };
        // If it is at work further up on this stack, it rings there.
        let Ok(mut life) = self.life.try_borrow_mut() else {
            self.wake();
            return Poll::Pending;
        };
        let Some(future) = life.as_mut() else {
            return Poll::Ready(());
        };
        let mut context = Context::from_waker(&self.waker);
        self.bell.in_turn.store(true, Ordering::SeqCst);
        turn.has_panicked = true;
        let mut ended = Poll::Pending;
        for _ in 0..POLLS_MAX {
            self.bell.has_rung.store(false, Ordering::SeqCst);
            ended = future.as_mut().poll(&mut context);
            if ended.is_ready() || !self.bell.has_rung.load(Ordering::SeqCst) {
                break;
            }
        }
        turn.has_panicked = false;
        self.bell.in_turn.store(false, Ordering::SeqCst);
        if ended.is_ready() {
            *life = None;
        } else if self.bell.has_rung.load(Ordering::SeqCst) {
            self.bell.call_task();
        }
        ended
    }
}

/// Ends a worker that panics in a turn: a bug of ours must not be met again by
/// everybody who brings it a job.
struct Turn<'a> {
    seat: &'a Seat,
    has_panicked: bool,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if !self.has_panicked {
            return;
        }
        self.seat.is_leaving.set(true);
        self.seat.bell.in_turn.store(false, Ordering::SeqCst);
        self.seat.end();
        self.seat.bell.call_task();
    }
}

struct End<'a>(&'a Seat);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}
