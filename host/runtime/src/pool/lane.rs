//! Lanes, in which calls of plain handlers run one after another.
//!
//! The future of a call has well over a thousand bytes. Made for each event, it
//! would be copied several times on its way to where it is polled, which took
//! a tenth of the time of an echo. A lane is made once and stays where it is.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use holdfast_core::event::{Failure, Outcome};
use holdfast_core::plugin::LocalFuture;

use crate::guest::Meter;
use crate::instance::{Instance, WebSocketHandlers};
use crate::line::trap;
use crate::world::websocket_0_1_0::{Alone, Call};

/// Lanes which a pool keeps for later calls. Of those that run here, nearly all
/// return before another one begins.
const KEPT_MAX: usize = 4;

/// The lanes of a pool that are free.
#[derive(Default)]
pub(super) struct Lanes(RefCell<Vec<Lane>>);

/// A lane in which a call runs: a future which ends with the call. Who drops it
/// before drops the call.
pub(super) struct Lane {
    ends: Rc<Ends>,
    calls: LocalFuture<()>,
    /// Of the instance that was here last, which is mostly the next one, too.
    meter: Option<Arc<Meter>>,
}

/// Where a call begins, and where it ends.
#[derive(Default)]
struct Ends {
    begin: Cell<Option<(Box<Instance>, Call)>>,
    end: Cell<Option<Ended>>,
}

/// An instance whose call has failed is gone.
pub(super) type Ended = Result<(Box<Instance>, Outcome), Failure>;

impl Lanes {
    /// Lets a call begin as soon as the lane is polled.
    pub(super) fn begin(&self, instance: Box<Instance>, call: Call) -> Lane {
        let mut lane = self.0.borrow_mut().pop().unwrap_or_else(|| {
            let ends = Rc::<Ends>::default();
            let calls = Box::pin(run_all(Rc::clone(&ends)));
            let meter = None;
            Lane { ends, calls, meter }
        });
        lane.observe(instance.store.data().meter());
        lane.ends.begin.set(Some((instance, call)));
        lane
    }

    /// Keeps a lane whose call has ended for another one.
    pub(super) fn keep(&self, lane: Lane) {
        let mut free = self.0.borrow_mut();
        if free.len() < KEPT_MAX {
            free.push(lane);
        }
    }

    /// Lets the lanes go: there is no instance for them any more.
    pub(super) fn clear(&self) {
        self.0.take();
    }
}

impl Lane {
    fn observe(&mut self, meter: &Arc<Meter>) {
        match &self.meter {
            Some(known) if Arc::ptr_eq(known, meter) => {}
            _ => self.meter = Some(Arc::clone(meter)),
        }
    }

    /// Whether the guest was interrupted while it computed, since last asked.
    pub(super) fn take_interrupted(&self) -> bool {
        self.meter.as_ref().is_some_and(|it| it.take_interrupted())
    }
}

impl Future for Lane {
    type Output = Ended;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Ended> {
        // It never ends, and waits for another call when one has ended.
        let _ = self.calls.as_mut().poll(context);
        match self.ends.end.take() {
            Some(ended) => Poll::Ready(ended),
            None => Poll::Pending,
        }
    }
}

/// Runs one call after another, for ever.
async fn run_all(ends: Rc<Ends>) {
    loop {
        let (instance, call) = poll_fn(|_| match ends.begin.take() {
            Some(begin) => Poll::Ready(begin),
            // Who brings the next call polls, so nobody has to be woken.
            None => Poll::Pending,
        })
        .await;
        ends.end.set(Some(pin!(run(instance, call)).await));
    }
}

async fn run(mut instance: Box<Instance>, call: Call) -> Ended {
    // It has been idle; that does not count.
    instance.store.set_epoch_deadline(1);
    instance.store.data().budget().begin();
    let handlers = &instance.handlers.websocket;
    let handlers = handlers.as_ref().ok_or(Failure::NoHandler)?;
    let store = &mut instance.store;
    let outcome = match handlers {
        WebSocketHandlers::Component(handlers) => pin!(handlers.run(Alone(store), call)).await,
        WebSocketHandlers::Direct(handlers) => pin!(handlers.run(store, call)).await,
    }
    .map_err(|error| trap(&error))?;
    instance.store.data().budget().end();
    Ok((instance, outcome))
}
