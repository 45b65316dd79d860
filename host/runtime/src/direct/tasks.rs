//! The calls of async functions which a guest has under way.

use std::collections::VecDeque;

use slab::Slab;
use wasmtime::component::Resource;
use wasmtime::{Result, bail};
use wasmtime_wasi_http::p3::bindings::http::types::{ErrorCode, Response};

use crate::subject::Subject;

/// What a handler of HTTP returns.
pub(crate) type Returned = Result<Resource<Response>, ErrorCode>;

/// Slots of numbers that the guest keeps with each task.
pub(super) const SLOTS: usize = 2;

/// One call.
pub(crate) struct Task {
    /// The number of the job for which the guest was called.
    job: u64,
    subject: Subject,
    slots: [u32; SLOTS],
    state: Returning,
    /// For which set it waits; none while it only lets others run.
    set: Option<u32>,
}

enum Returning {
    NotYet,
    Just(Returned),
    Done,
}

/// All of one guest.
#[derive(Default)]
pub(crate) struct Tasks {
    slab: Slab<Task>,
    /// The one which is running.
    current: Option<usize>,
    /// Those that can go on.
    ready: VecDeque<usize>,
    /// The slots of a plain call, which is no task of its own.
    alone: [u32; SLOTS],
}

impl Tasks {
    /// A task begins, and is the one which runs.
    pub(super) fn begin(&mut self, job: u64, subject: Subject) -> usize {
        let task = self.slab.insert(Task {
            job,
            subject,
            slots: [0; SLOTS],
            state: Returning::NotYet,
            set: None,
        });
        self.current = Some(task);
        task
    }

    /// A plain call begins.
    pub(crate) fn begin_alone(&mut self) {
        self.current = None;
        self.alone = [0; SLOTS];
    }

    pub(super) fn len(&self) -> usize {
        self.slab.len()
    }

    /// It stops running.
    pub(crate) fn pause(&mut self) {
        self.current = None;
    }

    /// The next one that can go on, and the set for which it waits.
    pub(super) fn next(&mut self) -> Option<(usize, Option<u32>)> {
        loop {
            let task = self.ready.pop_front()?;
            if let Some(it) = self.slab.get_mut(task) {
                return Some((task, it.set.take()));
            }
        }
    }

    /// A task runs again: for which job, and what that is about.
    pub(crate) fn run(&mut self, task: usize) -> Option<(u64, Subject)> {
        let it = self.slab.get(task)?;
        self.current = Some(task);
        Some((it.job, it.subject.clone()))
    }

    pub(super) fn set_waiting(&mut self, task: usize, set: u32) {
        if let Some(task) = self.slab.get_mut(task) {
            task.set = Some(set);
        }
    }

    /// A task can go on.
    pub(crate) fn resume(&mut self, task: usize) {
        self.ready.push_back(task);
    }

    /// A task ends.
    ///
    /// # Errors
    /// Fails when it has returned nothing.
    pub(crate) fn end(&mut self, task: usize) -> Result<()> {
        match self.slab.try_remove(task).map(|task| task.state) {
            Some(Returning::Done) => Ok(()),
            _ => bail!("a task has ended without returning anything"),
        }
    }

    /// What a task has just returned.
    pub(crate) fn take_returned(&mut self, task: usize) -> Option<Returned> {
        let state = &mut self.slab.get_mut(task)?.state;
        if !matches!(state, Returning::Just(_)) {
            return None;
        }
        match std::mem::replace(state, Returning::Done) {
            Returning::Just(returned) => Some(returned),
            Returning::NotYet | Returning::Done => None,
        }
    }

    /// The running task returns something.
    pub(super) fn return_now(&mut self, returned: Returned) -> Result<()> {
        let task = self.running()?;
        match task.state {
            Returning::NotYet => task.state = Returning::Just(returned),
            Returning::Just(_) | Returning::Done => bail!("a task has returned twice"),
        }
        Ok(())
    }

    pub(super) fn slot(&mut self, slot: usize) -> Result<&mut u32> {
        let task = self.current.and_then(|task| self.slab.get_mut(task));
        let slots = task.map_or(&mut self.alone, |task| &mut task.slots);
        match slots.get_mut(slot) {
            Some(slot) => Ok(slot),
            None => bail!("a task has no slot {slot}"),
        }
    }

    fn running(&mut self) -> Result<&mut Task> {
        let task = self.current.and_then(|task| self.slab.get_mut(task));
        task.ok_or_else(|| wasmtime::Error::msg("no task is running"))
    }
}
