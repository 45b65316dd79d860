//! A guest's memory, as the canonical ABI uses it. Numbers are little-endian.

use wasmtime::{AsContextMut, Result, TypedFunc, bail};

use super::Context;
use crate::guest::Guest;

/// The guest's function that makes room: old address, old length, alignment, new
/// length.
pub(crate) type Room = TypedFunc<(u32, u32, u32, u32), u32>;

/// A guest's memory while the host has it.
pub(crate) struct Mem<'a>(&'a mut [u8]);

/// The memory of the guest that has called, and what the host keeps for it.
pub(crate) fn view<'a>(caller: &'a mut Context<'_>) -> Result<(Mem<'a>, &'a mut Guest)> {
    let memory = caller.data().direct.memory()?;
    let (bytes, guest) = memory.data_and_store_mut(caller);
    Ok((Mem(bytes), guest))
}

/// Has the guest make room for so many bytes.
pub(crate) async fn room(
    mut store: impl AsContextMut<Data = Guest>,
    align: u32,
    len: usize,
) -> Result<u32> {
    let mut store = store.as_context_mut();
    let (memory, realloc) = {
        let direct = &store.data().direct;
        (direct.memory()?, direct.realloc()?)
    };
    let Ok(len) = u32::try_from(len) else {
        bail!("a value has more bytes than a guest's memory");
    };
    let at = realloc.call_async(&mut store, (0, 0, align, len)).await?;
    let end = at as usize + len as usize;
    if at % align != 0 || end > memory.data_size(&store) {
        bail!("the guest has made room where none is");
    }
    Ok(at)
}

/// Has the guest make room for bytes, and writes them there.
pub(crate) async fn give(caller: &mut Context<'_>, bytes: &[u8]) -> Result<u32> {
    let at = room(&mut *caller, 1, bytes.len()).await?;
    view(caller)?.0.put(at, bytes)?;
    Ok(at)
}

impl<'a> Mem<'a> {
    pub(crate) fn new(bytes: &'a mut [u8]) -> Self {
        Self(bytes)
    }

    /// So many bytes from an address on.
    pub(crate) fn bytes(&self, at: u32, len: u32) -> Result<&[u8]> {
        let at = at as usize;
        match self.0.get(at..at + len as usize) {
            Some(bytes) => Ok(bytes),
            None => bail!("a list or string ends behind the guest's memory"),
        }
    }

    /// A string.
    pub(crate) fn text(&self, at: u32, len: u32) -> Result<&str> {
        Ok(std::str::from_utf8(self.bytes(at, len)?)?)
    }

    /// A number of one byte, with which most variants begin.
    pub(crate) fn byte(&self, at: u32) -> Result<u8> {
        let [byte] = self.array(at)?;
        Ok(byte)
    }

    /// A number of two bytes.
    pub(crate) fn short(&self, at: u32) -> Result<u16> {
        Ok(u16::from_le_bytes(self.array(at)?))
    }

    /// A number of four bytes.
    pub(crate) fn word(&self, at: u32) -> Result<u32> {
        Ok(u32::from_le_bytes(self.array(at)?))
    }

    /// A number of eight bytes.
    pub(crate) fn long(&self, at: u32) -> Result<u64> {
        Ok(u64::from_le_bytes(self.array(at)?))
    }

    /// The address and the length of a list or string.
    pub(crate) fn span(&self, at: u32) -> Result<(u32, u32)> {
        Ok((self.word(at)?, self.word(offset(at, 4)?)?))
    }

    /// Writes bytes to an address.
    pub(crate) fn put(&mut self, at: u32, bytes: &[u8]) -> Result<()> {
        let at = at as usize;
        match self.0.get_mut(at..at + bytes.len()) {
            Some(place) => place.copy_from_slice(bytes),
            None => bail!("a value is to be written behind the guest's memory"),
        }
        Ok(())
    }

    /// Copies bytes from one address to another.
    pub(crate) fn move_within(&mut self, from: u32, to: u32, len: u32) -> Result<()> {
        self.bytes(from, len)?;
        self.bytes(to, len)?;
        let from = from as usize;
        self.0.copy_within(from..from + len as usize, to as usize);
        Ok(())
    }

    /// Writes the address and the length of a list or string.
    pub(crate) fn put_span(&mut self, at: u32, address: u32, len: usize) -> Result<()> {
        let span = u64::from(address) | (len as u64) << 32;
        self.put(at, &span.to_le_bytes())
    }

    fn array<const LEN: usize>(&self, at: u32) -> Result<[u8; LEN]> {
        let bytes = self.bytes(at, LEN as u32)?;
        Ok(bytes.try_into().unwrap_or([0; LEN]))
    }
}

/// The address so many bytes behind another one.
pub(crate) fn offset(at: u32, by: u32) -> Result<u32> {
    match at.checked_add(by) {
        Some(at) => Ok(at),
        None => bail!("an address is behind the guest's memory"),
    }
}

/// Places in a list from this address on, each of so many bytes.
pub(crate) fn places(list: u32, each: u32) -> impl Iterator<Item = u32> {
    std::iter::successors(Some(list), move |at| at.checked_add(each))
}

/// Where a value is to be read or written that is aligned to so many bytes.
pub(crate) fn aligned(at: u32, align: u32) -> Result<u32> {
    match at.is_multiple_of(align) {
        true => Ok(at),
        false => bail!("an address is not aligned"),
    }
}

/// What a variant has no case for.
pub(crate) fn no_case<T>(case: u32) -> Result<T> {
    bail!("a variant has no case {case}")
}
