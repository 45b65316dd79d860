//! How whoever brings a job gets its outcome. Both stay on one event loop, and most
//! often the outcome is there before anybody waits for it.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use holdfast_core::event::{Failure, Outcome};

#[derive(Default)]
enum State {
    #[default]
    Open,
    Awaited(Waker),
    Done(Outcome),
    /// One of both is gone.
    Over,
}

type Slot = Rc<RefCell<State>>;

/// The worker's end. Dropped without an outcome, it says that the event was disrupted.
pub(super) struct Reply(Slot);

/// The other end.
pub(in crate::pool) struct Awaited(Slot);

/// Both ends.
pub(super) fn channel() -> (Reply, Awaited) {
    let slot = Slot::default();
    (Reply(Rc::clone(&slot)), Awaited(slot))
}

impl Reply {
    /// Says what has come of the job. Whoever waited may have gone meanwhile.
    pub(super) fn send(self, outcome: Outcome) {
        self.end(State::Done(outcome));
    }

    /// Whether nobody waits for the outcome any more.
    pub(super) fn is_unwanted(&self) -> bool {
        matches!(*self.0.borrow(), State::Over)
    }

    fn end(&self, end: State) {
        if matches!(*self.0.borrow(), State::Done(_) | State::Over) {
            return;
        }
        if let State::Awaited(waker) = self.0.replace(end) {
            waker.wake();
        }
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        self.end(State::Over);
    }
}

impl Awaited {
    /// The outcome, if it is there.
    pub(in crate::pool) fn take(&self) -> Option<Outcome> {
        let mut state = self.0.borrow_mut();
        match std::mem::replace(&mut *state, State::Over) {
            State::Done(outcome) => Some(outcome),
            State::Over => Some(Outcome::Failed(Failure::Disrupted)),
            waiting => {
                *state = waiting;
                None
            }
        }
    }
}

impl Future for Awaited {
    type Output = Outcome;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        if let Some(outcome) = self.take() {
            return Poll::Ready(outcome);
        }
        let mut state = self.0.borrow_mut();
        match &mut *state {
            State::Awaited(waker) => waker.clone_from(context.waker()),
            state => *state = State::Awaited(context.waker().clone()),
        }
        Poll::Pending
    }
}

impl Drop for Awaited {
    fn drop(&mut self) {
        // What was there is dropped behind that, since it may come back here.
        self.0.replace(State::Over);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn poll(awaited: &mut Awaited) -> Poll<Outcome> {
        Pin::new(awaited).poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn an_outcome_is_there_at_once_or_later() {
        let (reply, awaited) = channel();
        assert!(awaited.take().is_none());
        reply.send(Outcome::Done);
        assert!(matches!(awaited.take(), Some(Outcome::Done)));

        let (reply, mut awaited) = channel();
        assert!(poll(&mut awaited).is_pending() && poll(&mut awaited).is_pending());
        reply.send(Outcome::Done);
        assert!(matches!(poll(&mut awaited), Poll::Ready(Outcome::Done)));
    }

    #[test]
    fn who_gives_up_is_noticed() {
        let (reply, awaited) = channel();
        assert!(!reply.is_unwanted());
        drop(awaited);
        assert!(reply.is_unwanted());
        reply.send(Outcome::Done);

        let (reply, mut awaited) = channel();
        assert!(poll(&mut awaited).is_pending());
        drop(reply);
        let disrupted = poll(&mut awaited);
        assert!(matches!(
            disrupted,
            Poll::Ready(Outcome::Failed(Failure::Disrupted))
        ));
    }
}
