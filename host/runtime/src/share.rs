//! The shares of an event loop's time which tenants have. A guest's future is
//! polled only when its tenant's turn has come, and the time is measured.
//!
//! As long as one tenant alone has plugins on an event loop, nothing is shared
//! and nobody waits. Otherwise [`schedule`] decides; those who wait are called by
//! a task, which lets the event loop look for input before each round.

mod clock;
mod schedule;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use holdfast_core::TenantId;
use holdfast_core::metrics::{Part, SplitCounter};

use crate::epoch::Epoch;
use crate::guest::Meter;
use crate::plugin::Plugin;
use clock::Clock;
use schedule::{Member, Schedule};

thread_local! {
    /// Time of the current turn in which the host has worked for a guest that
    /// called it.
    static HOSTED: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// Notes that the host has worked for so long for the guest that has called it.
/// It is its tenant's time, but the guest could not be interrupted meanwhile.
pub(crate) fn note_hosted(time: Duration) {
    HOSTED.set(HOSTED.get() + time);
}

/// A tenant, and those of its events that wait.
type Waiting = Member<Rc<Waiter>>;

/// All shares of one event loop.
#[derive(Default)]
pub(crate) struct Shares {
    clock: Clock,
    schedule: Schedule<Rc<Waiter>>,
    /// The tenants, and how many pools each of them has.
    members: RefCell<HashMap<TenantId, (Rc<Waiting>, u32)>>,
    /// Whether there are several tenants.
    is_shared: Cell<bool>,
    has_caller: Cell<bool>,
    /// Whether somebody was called who has not begun. Nobody else is, meanwhile:
    /// two turns would follow each other without a look for input.
    is_called: Cell<bool>,
}

/// The share of a tenant, as one of its pools has it.
pub(crate) struct Share {
    shares: Rc<Shares>,
    member: Rc<Waiting>,
    plugin: Arc<Plugin>,
    epoch: Arc<Epoch>,
    /// What its guests have computed here, in nanoseconds: for the generation, and
    /// for the plugin, which keeps it.
    cpu_ns: [Part; 2],
}

impl Shares {
    /// The share from which the events of a pool are served.
    pub(crate) fn join(self: &Rc<Self>, plugin: &Arc<Plugin>) -> Share {
        let tenant = &plugin.tenant;
        let mut members = self.members.borrow_mut();
        let (member, pools) = members.entry(tenant.id).or_insert_with(|| {
            let member = Member::new(tenant.id.0, tenant.weight());
            (Rc::new(member), 0)
        });
        *pools += 1;
        member.set_weight(tenant.weight());
        let member = Rc::clone(member);
        self.is_shared.set(members.len() > 1);
        Share {
            shares: Rc::clone(self),
            member,
            plugin: Arc::clone(plugin),
            epoch: Arc::clone(&plugin.loaded.parts.epoch),
            cpu_ns: [&plugin.shared.cpu_ns, &plugin.settings.metrics.cpu_ns]
                .map(SplitCounter::part),
        }
    }

    fn leave(&self, tenant: TenantId) {
        let mut members = self.members.borrow_mut();
        if let Some((_, pools)) = members.get_mut(&tenant) {
            *pools -= 1;
            if *pools == 0 {
                members.remove(&tenant);
            }
        }
        self.is_shared.set(members.len() > 1);
    }

    /// The clock of the event loop.
    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Takes time from a tenant's share that was not spent in its guests.
    pub(crate) fn charge(&self, tenant: TenantId, time: Duration) {
        if self.is_shared.get()
            && let Some((member, _)) = self.members.borrow().get(&tenant)
        {
            self.spend(member, time);
        }
    }

    fn spend(&self, member: &Rc<Waiting>, time: Duration) {
        if self.schedule.charge(member, time.as_nanos() as u64) {
            self.call_next();
        }
    }

    /// Has the next one of those who wait take his turn, unless one is about to.
    fn call_next(&self) {
        if self.is_called.get() {
            return;
        }
        let next = self
            .schedule
            .next(|waiter| waiter.wait.get() == Wait::Waiting);
        if let Some(waiter) = next {
            waiter.wait.set(Wait::Called);
            self.is_called.set(true);
            if let Some(waker) = waiter.waker.take() {
                waker.wake();
            }
        }
    }

    fn ensure_caller(self: &Rc<Self>) {
        if !self.has_caller.replace(true) {
            tokio::task::spawn_local(call(Rc::clone(self)));
        }
    }
}

/// Calls those who wait, a round at a time, until nobody does.
async fn call(shares: Rc<Shares>) {
    while shares.schedule.has_waiting() {
        // Tokio looks for input before a task that yields this way runs again,
        // and those whom that wakes come first; then those whom they wake, such
        // as who writes the response of a guest.
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
        shares.schedule.begin_round();
        // All who were called have had the time to come.
        shares.is_called.set(false);
        shares.call_next();
    }
    shares.has_caller.set(false);
}

impl Share {
    /// The clock of the event loop.
    pub(crate) fn clock(&self) -> &Clock {
        &self.shares.clock
    }

    /// Whether it is the tenant's turn.
    pub(crate) fn may_begin(&self) -> bool {
        !self.shares.is_shared.get() || self.shares.schedule.may_begin(&self.member)
    }

    /// Somebody who is to be called.
    fn wait(&self, context: &Context<'_>) -> Rc<Waiter> {
        let waiter = Rc::new(Waiter {
            wait: Cell::new(Wait::Waiting),
            waker: RefCell::new(Some(context.waker().clone())),
        });
        self.shares.schedule.wait(&self.member, Rc::clone(&waiter));
        self.shares.ensure_caller();
        waiter
    }

    fn charge(&self, time: Duration) {
        let time_ns = time.as_nanos() as u64;
        self.cpu_ns.iter().for_each(|part| part.add(time_ns));
        if self.shares.is_shared.get() {
            self.shares.spend(&self.member, time);
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.shares.leave(self.plugin.tenant.id);
    }
}

/// Somebody who waits for a turn.
struct Waiter {
    wait: Cell<Wait>,
    waker: RefCell<Option<Waker>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wait {
    Waiting,
    Called,
    /// He does not want it any more.
    Gone,
}

/// Why a guest's future is pending.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pause {
    /// It waits for something.
    Waits,
    /// It was interrupted while it computed, and goes on as soon as it can.
    Interrupted,
    /// It would go on if it were its tenant's turn.
    NoTurn,
}

/// The turns of one guest's future.
pub(crate) struct Turn {
    share: Rc<Share>,
    waiter: RefCell<Option<Rc<Waiter>>>,
    /// Of the instance, once there is one.
    meter: RefCell<Option<Arc<Meter>>>,
    pause: Cell<Pause>,
}

impl Turn {
    pub(crate) fn new(share: &Rc<Share>) -> Self {
        Self {
            share: Rc::clone(share),
            waiter: RefCell::new(None),
            meter: RefCell::new(None),
            pause: Cell::new(Pause::Waits),
        }
    }

    /// Learns from now on whether the guest of this meter was interrupted.
    pub(crate) fn observe(&self, meter: &Arc<Meter>) {
        self.meter.replace(Some(Arc::clone(meter)));
    }

    /// Why the future is pending that was polled last.
    pub(crate) fn pause(&self) -> Pause {
        self.pause.get()
    }

    /// Whether the future could go on, but it is not the tenant's turn.
    pub(crate) fn is_waiting(&self) -> bool {
        self.waiter.borrow().is_some()
    }

    /// Polls the future if it is the tenant's turn.
    pub(crate) fn poll<F: Future>(
        &self,
        mut future: Pin<&mut F>,
        context: &mut Context<'_>,
    ) -> Poll<F::Output> {
        self.poll_known(
            &mut future,
            context,
            |future, context| future.as_mut().poll(context),
            |_| self.take_interrupted(),
        )
    }

    /// The same with something that is polled so, and knows whether its guest was
    /// interrupted.
    pub(crate) fn poll_known<T, O>(
        &self,
        polled: &mut T,
        context: &mut Context<'_>,
        poll: impl FnOnce(&mut T, &mut Context<'_>) -> Poll<O>,
        take_interrupted: impl FnOnce(&mut T) -> bool,
    ) -> Poll<O> {
        if !self.has_come(context) {
            self.share.clock().pass();
            self.pause.set(Pause::NoTurn);
            return Poll::Pending;
        }
        self.share.epoch.touch();
        HOSTED.set(Duration::ZERO);
        let begin = self.share.clock().begin_turn();
        let result = poll(polled, context);
        let time = self.share.clock().now() - begin;
        self.pause.set(Pause::Waits);
        if result.is_pending() && take_interrupted(polled) {
            self.pause.set(Pause::Interrupted);
            let computed = time.saturating_sub(HOSTED.get());
            self.share.epoch.note_interruption(computed);
            // At once: when its task runs again others have been called.
            if self.share.shares.is_shared.get() {
                self.waiter.replace(Some(self.share.wait(context)));
            }
        }
        self.share.charge(time);
        result
    }

    /// Runs the future to its end, in turns.
    pub(crate) async fn run<F: Future>(&self, mut future: Pin<&mut F>) -> F::Output {
        poll_fn(|context| self.poll(future.as_mut(), context)).await
    }

    /// Whether the turn has come; otherwise the task is woken when it does.
    fn has_come(&self, context: &Context<'_>) -> bool {
        let shares = &self.share.shares;
        let mut waiter = self.waiter.borrow_mut();
        match &*waiter {
            None if self.share.may_begin() => return true,
            None => *waiter = Some(self.share.wait(context)),
            Some(called) if called.wait.get() == Wait::Called => {
                *waiter = None;
                shares.is_called.set(false);
                return true;
            }
            Some(waiting) => {
                waiting.waker.replace(Some(context.waker().clone()));
            }
        }
        false
    }

    fn take_interrupted(&self) -> bool {
        let meter = self.meter.borrow();
        meter.as_ref().is_some_and(|meter| meter.take_interrupted())
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(waiter) = self.waiter.take()
            && waiter.wait.replace(Wait::Gone) == Wait::Called
        {
            self.share.shares.is_called.set(false);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_called_before_whoever_was_called_has_begun() {
        let shares = Shares::default();
        let member = Rc::new(Member::new(1, 100));
        let [first, second] = [(); 2].map(|()| {
            let waiter = Rc::new(Waiter {
                wait: Cell::new(Wait::Waiting),
                waker: RefCell::new(None),
            });
            shares.schedule.wait(&member, Rc::clone(&waiter));
            waiter
        });
        shares.call_next();
        // Somebody else has worked for a moment.
        shares.spend(&member, Duration::from_nanos(1));
        let are_called = || [&first, &second].map(|it| it.wait.get() == Wait::Called);
        assert_eq!(are_called(), [true, false]);
        shares.is_called.set(false);
        shares.spend(&member, Duration::from_nanos(1));
        assert_eq!(are_called(), [true, true]);
    }
}
