//! What a guest's tasks wait for, and what they are told when it has happened: the
//! waitables and their sets (component model, Concurrency.md).

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};

use wasmtime::{Result, bail};

use super::State;
use super::handles::Entry;

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
}

/// What a task can wait for together.
#[derive(Default)]
pub(super) struct Set {
    members: u32,
    /// Members to which something has happened, and perhaps others.
    ready: VecDeque<u32>,
    /// The task that waits for it.
    pub(super) waiting: Option<usize>,
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
        let set = self.handles.set(set)?;
        set.ready.push_back(handle);
        if let Some(task) = set.waiting.take() {
            self.tasks.resume(task);
        }
        Ok(())
    }

    /// The next task that can go on, and what it is told.
    pub(crate) fn next(&mut self) -> Result<Option<(usize, Event)>> {
        while let Some((task, set)) = self.tasks.next() {
            let event = match set {
                Some(set) => self.next_event(set)?,
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
            // It may have left the set since, or be gone.
            if let Ok(waitable) = self.handles.waitable(handle)
                && waitable.set == Some(set)
                && let Some(event) = waitable.event.take()
            {
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
        match of.ready.is_empty() {
            true => of.waiting = Some(task),
            false => self.tasks.resume(task),
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
        if let Some(set) = self.handles.waitable(handle)?.set.take() {
            self.handles.set(set)?.members -= 1;
        }
        Ok(())
    }
}

/// Ends of streams and futures whose other end, on the host's side, has done
/// something.
#[derive(Default)]
pub(crate) struct Woken(Mutex<Queue>);

#[derive(Default)]
struct Queue {
    handles: Vec<u32>,
    worker: Option<Waker>,
}

impl Woken {
    /// Who is woken with them.
    pub(crate) fn set_worker(&self, waker: &Waker) {
        self.queue().worker = Some(waker.clone());
    }

    /// The handles that were woken since.
    pub(crate) fn take(&self) -> Vec<u32> {
        std::mem::take(&mut self.queue().handles)
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
        if !queue.handles.contains(&self.handle) {
            queue.handles.push(self.handle);
        }
        let worker = queue.worker.clone();
        drop(queue);
        if let Some(worker) = worker {
            worker.wake();
        }
    }
}
