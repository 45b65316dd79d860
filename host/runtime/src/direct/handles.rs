//! Numbers by which a guest knows the resources which the host keeps for it.

use slab::Slab;
use wasmtime::component::Resource;
use wasmtime::{Result, bail};

/// What a resource is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Error,
    Pollable,
    InputStream,
    OutputStream,
    TerminalInput,
    TerminalOutput,
}

/// The resources of one guest.
#[derive(Default)]
pub(crate) struct Handles(Slab<(Kind, u32)>);

impl Handles {
    /// Gives a resource which the host has made to the guest. There are no more of
    /// them than the host makes.
    pub(crate) fn give<T: 'static>(&mut self, kind: Kind, resource: &Resource<T>) -> u32 {
        // 0 is no handle.
        self.0.insert((kind, resource.rep())) as u32 + 1
    }

    /// A resource which the guest shows.
    pub(crate) fn borrow<T: 'static>(&self, kind: Kind, handle: u32) -> Result<Resource<T>> {
        match self.0.get((handle as usize).wrapping_sub(1)) {
            Some((known, rep)) if *known == kind => Ok(Resource::new_borrow(*rep)),
            _ => bail!("{handle} is no handle of such a resource"),
        }
    }

    /// A resource which the guest gives away.
    pub(crate) fn take<T: 'static>(&mut self, kind: Kind, handle: u32) -> Result<Resource<T>> {
        let borrowed = self.borrow::<T>(kind, handle)?;
        self.0.remove(handle as usize - 1);
        Ok(Resource::new_own(borrowed.rep()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_is_of_one_kind_and_ends_with_its_resource() {
        let mut handles = Handles::default();
        let first = handles.give(Kind::Error, &Resource::<()>::new_own(7));
        let second = handles.give(Kind::Pollable, &Resource::<()>::new_own(8));
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
        assert_eq!(handles.take::<()>(Kind::Error, first).unwrap().rep(), 7);
        assert!(handles.take::<()>(Kind::Error, first).is_err());
    }
}
