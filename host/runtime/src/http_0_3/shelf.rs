//! Resources of one kind, by the number which the guest's handle stands for.

use std::marker::PhantomData;

use slab::Slab;
use wasmtime::component::Resource;

/// Keeps values of type `T` behind handles of type `Handle`.
pub(super) struct Shelf<Handle, T> {
    slab: Slab<T>,
    len_max: usize,
    handle: PhantomData<fn() -> Handle>,
}

impl<Handle: 'static, T> Shelf<Handle, T> {
    pub(super) fn new(len_max: usize) -> Self {
        Self {
            slab: Slab::new(),
            len_max,
            handle: PhantomData,
        }
    }

    /// Keeps one more. Too many are a trap, as the guest lets none go.
    pub(super) fn push(&mut self, value: T) -> wasmtime::Result<Resource<Handle>> {
        if self.slab.len() >= self.len_max {
            wasmtime::bail!("the guest keeps more than {} resources", self.len_max);
        }
        Ok(Resource::new_own(u32::try_from(self.slab.insert(value))?))
    }

    pub(super) fn get(&self, handle: &Resource<Handle>) -> wasmtime::Result<&T> {
        let value = self.slab.get(handle.rep() as usize);
        value.ok_or_else(unknown)
    }

    pub(super) fn get_mut(&mut self, handle: &Resource<Handle>) -> wasmtime::Result<&mut T> {
        let value = self.slab.get_mut(handle.rep() as usize);
        value.ok_or_else(unknown)
    }

    pub(super) fn take(&mut self, handle: Resource<Handle>) -> wasmtime::Result<T> {
        let value = self.slab.try_remove(handle.rep() as usize);
        value.ok_or_else(unknown)
    }
}

fn unknown() -> wasmtime::Error {
    wasmtime::format_err!("there is no such resource")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_its_limit_are_kept() {
        let mut shelf = Shelf::<(), &str>::new(2);
        let first = shelf.push("a").unwrap();
        let second = shelf.push("b").unwrap();
        assert!(shelf.push("c").is_err());
        assert_eq!(*shelf.get(&second).unwrap(), "b");
        assert_eq!(shelf.take(first).unwrap(), "a");
        assert!(shelf.take(Resource::new_own(0)).is_err());
        assert!(shelf.push("c").is_ok());
    }
}
