//! What a guest's tasks wait for, and what they are told when it has happened: the
//! waitables and their sets (component model, Concurrency.md).

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};

use wasmtime::{Result, bail};

use super::State;
use super::handles::Entry;
use crate::subject::Subject;

/// What has happened, as a guest is told: a code, the handle that it is about, and
/// a number which depends on both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) code: u32,
    pub(crate) handle: u32,
    pub(crate) payload: u32,
}

/// Codes of events.
pub(super) const SUBTASK: u32 = 1;
pub(super) const STREAM_READ: u32 = 2;
pub(super) const STREAM_WRITE: u32 = 3;
pub(super) const FUTURE_READ: u32 = 4;
pub(super) const FUTURE_WRITE: u32 = 5;

/// The part of something that a guest can wait for it with.
#[derive(Default)]
pub(super) struct Waitable {
    /// In which set it is.
    set: Option<u32>,
    /// What has happened and was not told yet.
    pub(super) event: Option<Event>,
    /// Whether its set has it among those that are ready.
    is_queued: bool,
}

/// What a task can wait for together.
#[derive(Default)]
pub(super) struct Set {
    members: u32,
    /// Members to which something has happened, and perhaps others.
    ready: VecDeque<u32>,
    /// The task that waits for it, and whether that can go on.
    waiting: Option<usize>,
    is_resumed: bool,
}

impl State {
    /// Something has happened.
    pub(super) fn notify(&mut self, event: Event) -> Result<()> {
        let waitable = self.handles.waitable(event.handle)?;
        waitable.event = Some(event);
        match waitable.set {
            Some(set) => self.make_ready(set, event.handle),
            None => Ok(()),
        }
    }

    fn make_ready(&mut self, set: u32, handle: u32) -> Result<()> {
        let waitable = self.handles.waitable(handle)?;
        if std::mem::replace(&mut waitable.is_queued, true) {
            return Ok(());
        }
        let set = self.handles.set(set)?;
        set.ready.push_back(handle);
        if let Some(task) = set.waiting
            && !std::mem::replace(&mut set.is_resumed, true)
        {
            self.tasks.resume(task);
        }
        Ok(())
    }

    /// A task begins, and is the one which runs.
    pub(crate) fn begin_task(&mut self, job: u64, subject: Subject) -> Result<usize> {
        let max = self.handles.len_max();
        if self.tasks.len() >= max {
            bail!("the guest has more than {max} tasks under way");
        }
        Ok(self.tasks.begin(job, subject))
    }

    /// The next task that can go on, and what it is told.
    pub(crate) fn next(&mut self) -> Result<Option<(usize, Event)>> {
        while let Some((task, set)) = self.tasks.next() {
            let event = match set {
                Some(set) => {
                    self.handles.set(set)?.waiting = None;
                    self.next_event(set)?
                }
                None => Some(Event::default()),
            };
            match (event, set) {
                (Some(event), _) => return Ok(Some((task, event))),
                // Somebody else was told of it.
                (None, Some(set)) => self.wait(task, set)?,
                (None, None) => {}
            }
        }
        Ok(None)
    }

    /// What has happened to one of a set, if anything has.
    pub(super) fn next_event(&mut self, set: u32) -> Result<Option<Event>> {
        while let Some(handle) = self.handles.set(set)?.ready.pop_front() {
            let waitable = self.handles.waitable(handle)?;
            waitable.is_queued = false;
            // Who was asked otherwise meanwhile has none.
            if let Some(event) = waitable.event.take() {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }

    /// A task waits for a set from now on.
    pub(crate) fn wait(&mut self, task: usize, set: u32) -> Result<()> {
        self.tasks.set_waiting(task, set);
        let of = self.handles.set(set)?;
        if of.waiting.is_some() {
            bail!("two tasks wait for the same set");
        }
        of.waiting = Some(task);
        of.is_resumed = !of.ready.is_empty();
        if of.is_resumed {
            self.tasks.resume(task);
        }
        Ok(())
    }

    /// `waitable-set.new`.
    pub(super) fn new_set(&mut self) -> Result<u32> {
        self.handles.add(Entry::Set(Set::default()))
    }

    /// `waitable-set.drop`.
    pub(super) fn drop_set(&mut self, handle: u32) -> Result<()> {
        let set = self.handles.set(handle)?;
        if set.members > 0 || set.waiting.is_some() {
            bail!("a set is dropped which somebody needs");
        }
        self.handles.remove(handle);
        Ok(())
    }

    /// `waitable.join`: into a set, or out of the one in which it is.
    pub(super) fn join(&mut self, handle: u32, set: u32) -> Result<()> {
        self.leave_set(handle)?;
        if set == 0 {
            return Ok(());
        }
        self.handles.set(set)?.members += 1;
        let waitable = self.handles.waitable(handle)?;
        waitable.set = Some(set);
        match waitable.event.is_some() {
            true => self.make_ready(set, handle),
            false => Ok(()),
        }
    }

    pub(super) fn leave_set(&mut self, handle: u32) -> Result<()> {
        let waitable = self.handles.waitable(handle)?;
        let is_queued = std::mem::take(&mut waitable.is_queued);
        if let Some(set) = waitable.set.take() {
            let set = self.handles.set(set)?;
            set.members -= 1;
            if is_queued {
                set.ready.retain(|ready| *ready != handle);
            }
        }
        Ok(())
    }
}

/// Ends of streams and futures whose other end, on the host's side, has done
/// something.
#[derive(Default)]
pub(crate) struct Woken {
    queue: Mutex<Queue>,
    /// Whether there may be any, to ask without a lock.
    is_any: AtomicBool,
}

#[derive(Default)]
struct Queue {
    handles: Vec<u32>,
    /// A bit for each handle: whether it is there. A guest may have thousands.
    there: Vec<u64>,
    worker: Option<Waker>,
}

impl Queue {
    /// Adds a handle that is not there yet.
    fn add(&mut self, handle: u32) {
        let (index, bit) = bit(handle);
        if index >= self.there.len() {
            self.there.resize(index + 1, 0);
        }
        if let Some(word) = self.there.get_mut(index)
            && *word & bit == 0
        {
            *word |= bit;
            self.handles.push(handle);
        }
    }

    fn take(&mut self) -> Vec<u32> {
        for &handle in &self.handles {
            let (index, bit) = bit(handle);
            if let Some(word) = self.there.get_mut(index) {
                *word &= !bit;
            }
        }
        std::mem::take(&mut self.handles)
    }
}

fn bit(handle: u32) -> (usize, u64) {
    ((handle / u64::BITS) as usize, 1 << (handle % u64::BITS))
}

impl Woken {
    /// Who is woken with them.
    pub(crate) fn set_worker(&self, waker: &Waker) {
        self.queue().worker = Some(waker.clone());
    }

    /// The handles that were woken since.
    pub(crate) fn take(&self) -> Vec<u32> {
        if !self.is_any.load(Ordering::Acquire) {
            return Vec::new();
        }
        let mut queue = self.queue();
        self.is_any.store(false, Ordering::Release);
        queue.take()
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wakes one handle.
pub(super) struct Bell {
    pub(super) handle: u32,
    pub(super) woken: Arc<Woken>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        let mut queue = self.woken.queue();
        queue.add(self.handle);
        self.woken.is_any.store(true, Ordering::Release);
        let worker = queue.worker.clone();
        drop(queue);
        if let Some(worker) = worker {
            worker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::direct::Flow;

    /// A state with a stream, of which something has happened to the readable end.
    fn state() -> (State, u32) {
        let mut state = State::new(16);
        let reader = state.new_pipe(Flow::Stream).unwrap() as u32;
        let event = Event {
            code: STREAM_READ,
            handle: reader,
            payload: 7,
        };
        state.notify(event).unwrap();
        (state, reader)
    }

    #[test]
    fn what_has_happened_is_told_once() {
        let (mut state, reader) = state();
        let set = state.new_set().unwrap();
        assert_eq!(state.next_event(set).unwrap(), None);
        state.join(reader, set).unwrap();
        assert_eq!(state.next_event(set).unwrap().unwrap().payload, 7);
        assert_eq!(state.next_event(set).unwrap(), None);
        assert!(state.drop_set(set).is_err(), "somebody is in it");
        state.join(reader, 0).unwrap();
        state.drop_set(set).unwrap();
        assert!(state.join(reader, set).is_err());
    }

    #[test]
    fn who_joins_often_is_there_once() {
        let (mut state, reader) = state();
        let sets = [state.new_set().unwrap(), state.new_set().unwrap()];
        for _ in 0..100 {
            for set in sets {
                state.join(reader, set).unwrap();
            }
        }
        let [first, second] = sets.map(|set| state.handles.set(set).unwrap().ready.len());
        assert_eq!((first, second), (0, 1));
        let [first, second] = sets.map(|set| state.next_event(set).unwrap());
        assert!(first.is_none() && second.is_some());
    }

    #[test]
    fn a_task_goes_on_when_something_happens() {
        let (mut state, reader) = state();
        let set = state.new_set().unwrap();
        let task = state.begin_task(1, Subject::default()).unwrap();
        state.wait(task, set).unwrap();
        assert!(state.wait(task, set).is_err() && state.drop_set(set).is_err());
        assert_eq!(state.next().unwrap(), None);
        state.join(reader, set).unwrap();
        let (next, event) = state.next().unwrap().unwrap();
        assert_eq!((next, event.handle), (task, reader));
        // It waits no more, until it does so again.
        assert_eq!(state.next().unwrap(), None);
        state.wait(task, set).unwrap();
        assert_eq!(state.next().unwrap(), None);
    }

    #[test]
    fn who_is_woken_often_is_there_once() {
        let woken = Arc::new(Woken::default());
        let wake = |handle| {
            let woken = Arc::clone(&woken);
            Arc::new(Bell { handle, woken }).wake();
        };
        for _ in 0..2 {
            for handle in [1, 64, 1000, 64, 1, 63] {
                wake(handle);
            }
            assert_eq!(woken.take(), [1, 64, 1000, 63]);
            assert!(woken.take().is_empty());
        }
    }

    #[test]
    fn there_is_an_end_to_tasks() {
        let mut state = State::new(2);
        for job in 0..2 {
            state.begin_task(job, Subject::default()).unwrap();
        }
        assert!(state.begin_task(2, Subject::default()).is_err());
    }
}
