//! Numbers by which a guest knows what the host keeps for it: resources, ends of
//! streams and futures, and sets of what it waits for.

use slab::Slab;
use wasmtime::component::Resource;
use wasmtime::{Result, bail};

use super::pipes::End;
use super::subtasks::Subtask;
use super::waits::{Set, Waitable};

/// What a resource is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Error,
    Pollable,
    InputStream,
    OutputStream,
    TerminalInput,
    TerminalOutput,
    Fields,
    Request,
    Response,
    Options,
    Bucket,
    Cas,
}

/// What a handle stands for.
pub(super) enum Entry {
    Resource(Kind, u32),
    End(End),
    Set(Set),
    Subtask(Subtask),
}

/// The handles of one guest.
pub(crate) struct Handles {
    entries: Slab<Entry>,
    len_max: usize,
}

impl Handles {
    /// Of which there are so many at most.
    pub(super) fn new(len_max: usize) -> Self {
        Self {
            entries: Slab::new(),
            len_max,
        }
    }

    /// Gives a resource which the host has made to the guest.
    pub(crate) fn give<T: 'static>(&mut self, kind: Kind, resource: &Resource<T>) -> Result<u32> {
        self.add(Entry::Resource(kind, resource.rep()))
    }

    /// A resource which the guest shows.
    pub(crate) fn borrow<T: 'static>(&self, kind: Kind, handle: u32) -> Result<Resource<T>> {
        match self.entries.get(index(handle)) {
            Some(Entry::Resource(known, rep)) if *known == kind => Ok(Resource::new_borrow(*rep)),
            _ => unknown(handle),
        }
    }

    /// A resource which the guest gives away.
    pub(crate) fn take<T: 'static>(&mut self, kind: Kind, handle: u32) -> Result<Resource<T>> {
        let borrowed = self.borrow::<T>(kind, handle)?;
        self.remove(handle);
        Ok(Resource::new_own(borrowed.rep()))
    }

    /// Of handles, and of whatever else the guest makes the host keep.
    pub(super) fn len_max(&self) -> usize {
        self.len_max
    }

    pub(super) fn add(&mut self, entry: Entry) -> Result<u32> {
        if self.entries.len() >= self.len_max {
            bail!("the guest keeps more than {} handles", self.len_max);
        }
        // 0 is no handle.
        Ok(self.entries.insert(entry) as u32 + 1)
    }

    pub(super) fn remove(&mut self, handle: u32) {
        self.entries.try_remove(index(handle));
    }

    pub(super) fn end(&mut self, handle: u32) -> Result<&mut End> {
        match self.entries.get_mut(index(handle)) {
            Some(Entry::End(end)) => Ok(end),
            _ => unknown(handle),
        }
    }

    /// Something a guest can wait for.
    pub(super) fn waitable(&mut self, handle: u32) -> Result<&mut Waitable> {
        match self.entries.get_mut(index(handle)) {
            Some(Entry::End(end)) => Ok(&mut end.waitable),
            Some(Entry::Subtask(subtask)) => Ok(&mut subtask.waitable),
            _ => unknown(handle),
        }
    }

    pub(super) fn subtask(&mut self, handle: u32) -> Result<&mut Subtask> {
        match self.entries.get_mut(index(handle)) {
            Some(Entry::Subtask(subtask)) => Ok(subtask),
            _ => unknown(handle),
        }
    }

    pub(super) fn set(&mut self, handle: u32) -> Result<&mut Set> {
        match self.entries.get_mut(index(handle)) {
            Some(Entry::Set(set)) => Ok(set),
            _ => unknown(handle),
        }
    }
}

fn index(handle: u32) -> usize {
    (handle as usize).wrapping_sub(1)
}

fn unknown<T>(handle: u32) -> Result<T> {
    bail!("{handle} is no handle for this")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_is_of_one_kind_and_ends_with_its_resource() {
        let mut handles = Handles::new(2);
        let resource = |rep| Resource::<()>::new_own(rep);
        let first = handles.give(Kind::Error, &resource(7)).unwrap();
        let second = handles.give(Kind::Pollable, &resource(8)).unwrap();
        assert!(handles.give(Kind::Pollable, &resource(9)).is_err());
        assert_eq!(handles.borrow::<()>(Kind::Error, first).unwrap().rep(), 7);
        for (kind, handle) in [
            (Kind::Pollable, first),
            (Kind::Error, second),
            (Kind::Error, 0),
            (Kind::Error, 3),
            (Kind::Error, u32::MAX),
        ] {
            assert!(handles.borrow::<()>(kind, handle).is_err());
            assert!(handles.take::<()>(kind, handle).is_err());
        }
        assert!(handles.end(first).is_err() && handles.set(first).is_err());
        assert_eq!(handles.take::<()>(Kind::Error, first).unwrap().rep(), 7);
        assert!(handles.take::<()>(Kind::Error, first).is_err());
        assert!(handles.give(Kind::Pollable, &resource(9)).is_ok());
    }
}
