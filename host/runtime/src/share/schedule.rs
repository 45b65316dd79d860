//! Who of several tenants gets the processor next: start-time fair queueing. It
//! knows neither clocks nor tasks, so that its tests can simulate both.
//!
//! Each tenant has a *virtual time*, which passes while its guests compute: the
//! slower, the greater its weight. Whoever is furthest back is next. A tenant
//! that had nothing to do does not collect time: it comes back at most
//! [`CREDIT_NS`] behind the others.
//!
//! What tenants want is partly unknown: it lies in sockets that nobody has looked
//! at. So, after [`ROUND_NS`] of computing, everybody waits until the event loop
//! has looked; then the next *round* begins.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

/// How long guests compute before the event loop looks for input, whoever waits
/// for a turn. Shorter costs throughput, longer costs latency of everybody else:
/// less than a slice, so that no two whole ones follow each other.
const ROUND_NS: u64 = 150_000;

/// How far behind the others a tenant may come back, at the default weight.
const CREDIT_NS: u64 = 2_000_000;

/// The weight at which virtual time is time.
const WEIGHT_DEFAULT: u64 = 100;

/// Bits behind the point of a rate.
const RATE_BITS: u32 = 20;

/// The longest turn that is charged, so that nothing overflows.
const TURN_NS_MAX: u64 = 60_000_000_000;

/// Members by virtual time and number.
type Order<W> = BTreeMap<(u64, u32), Rc<Member<W>>>;

/// Shares a processor out. `W` is who waits for a turn.
pub(super) struct Schedule<W> {
    /// Members with somebody who waits.
    waiting: RefCell<Order<W>>,
    /// The least virtual time of those that wait.
    first: Cell<Option<u64>>,
    /// The virtual time of whoever was served last; it never goes back.
    now: Cell<u64>,
    /// Time that guests have computed in this round.
    spent_ns: Cell<u64>,
}

/// A tenant.
pub(super) struct Member<W> {
    id: u32,
    time: Cell<u64>,
    /// How much virtual time passes in a nanosecond.
    rate: Cell<u64>,
    queue: RefCell<VecDeque<W>>,
}

impl<W> Member<W> {
    /// One with a number of its own.
    pub(super) fn new(id: u32, weight: u32) -> Self {
        let member = Self {
            id,
            time: Cell::new(0),
            rate: Cell::new(0),
            queue: RefCell::default(),
        };
        member.set_weight(weight);
        member
    }

    /// Of the others' time, for each of theirs.
    pub(super) fn set_weight(&self, weight: u32) {
        let weight = u64::from(weight.max(1));
        self.rate.set((WEIGHT_DEFAULT << RATE_BITS) / weight);
    }

    fn key(&self) -> (u64, u32) {
        (self.time.get(), self.id)
    }
}

impl<W> Default for Schedule<W> {
    fn default() -> Self {
        Self {
            waiting: RefCell::default(),
            first: Cell::new(None),
            now: Cell::new(0),
            spent_ns: Cell::new(0),
        }
    }
}

impl<W> Schedule<W> {
    /// Whether the member may have a turn now. If not, it has to wait.
    pub(super) fn may_begin(&self, member: &Member<W>) -> bool {
        if !member.queue.borrow().is_empty() {
            return false;
        }
        let least = self.now.get().saturating_sub(CREDIT_NS);
        let time = member.time.get().max(least);
        member.time.set(time);
        let may_begin = match self.first.get() {
            Some(first) => time < first,
            None => self.spent_ns.get() < ROUND_NS,
        };
        if may_begin {
            self.now.set(self.now.get().max(time));
        }
        may_begin
    }

    /// Lets somebody wait behind others of the same member.
    pub(super) fn wait(&self, member: &Rc<Member<W>>, who: W) {
        let mut queue = member.queue.borrow_mut();
        if queue.is_empty() {
            let mut waiting = self.waiting.borrow_mut();
            waiting.insert(member.key(), Rc::clone(member));
            self.first.set(first(&waiting));
        }
        queue.push_back(who);
    }

    /// Whether anybody waits.
    pub(super) fn has_waiting(&self) -> bool {
        self.first.get().is_some()
    }

    /// Takes the next one out who still wants his turn.
    pub(super) fn next(&self, is_wanted: impl Fn(&W) -> bool) -> Option<W> {
        let mut waiting = self.waiting.borrow_mut();
        while let Some(entry) = waiting.first_entry() {
            let member = Rc::clone(entry.get());
            let mut queue = member.queue.borrow_mut();
            let mut found = None;
            while let Some(who) = queue.pop_front() {
                if is_wanted(&who) {
                    found = Some(who);
                    break;
                }
            }
            if queue.is_empty() {
                entry.remove();
                self.first.set(first(&waiting));
            }
            if found.is_some() {
                self.now.set(self.now.get().max(member.time.get()));
                return found;
            }
        }
        None
    }

    /// Counts a turn. Returns whether the next one may begin in this round.
    pub(super) fn charge(&self, member: &Rc<Member<W>>, ns: u64) -> bool {
        let ns = ns.min(TURN_NS_MAX);
        let before = member.key();
        let passed = (ns * member.rate.get()) >> RATE_BITS;
        member.time.set(before.0.saturating_add(passed));
        let mut waiting = self.waiting.borrow_mut();
        if waiting.remove(&before).is_some() {
            waiting.insert(member.key(), Rc::clone(member));
            self.first.set(first(&waiting));
        }
        let spent_ns = self.spent_ns.get().saturating_add(ns);
        self.spent_ns.set(spent_ns);
        spent_ns < ROUND_NS && !waiting.is_empty()
    }

    /// The event loop has looked for input.
    pub(super) fn begin_round(&self) {
        self.spent_ns.set(0);
    }
}

fn first<W>(waiting: &Order<W>) -> Option<u64> {
    let ((time, _), _) = waiting.first_key_value()?;
    Some(*time)
}

#[cfg(test)]
mod tests;
