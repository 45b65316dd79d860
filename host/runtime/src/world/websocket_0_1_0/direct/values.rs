//! Values of the handlers, as they lie in a guest's memory.

use std::cell::Cell;

use bytes::Bytes;
use holdfast_core::event::{self, Outcome};
use http::HeaderMap;
use wasmtime::{Result, Store, bail};

use super::super::types::{Acceptance, Header, Rejection};
use crate::direct::{Mem, aligned, no_case, offset, room};
use crate::guest::Guest;
use crate::line::handler_failure;

/// Bytes of two strings or lists.
const HEADER_BYTES: u32 = 16;
const TEXT_BYTES: u32 = 8;

/// The length of a value. A guest has no room for more.
pub(super) fn len(len: usize) -> Result<u32> {
    match u32::try_from(len) {
        Ok(len) => Ok(len),
        Err(_) => bail!("a value has more bytes than a guest's memory"),
    }
}

/// Writes values to where the guest makes room for them.
pub(super) struct Writer<'a>(pub(super) &'a mut Store<Guest>);

impl Writer<'_> {
    pub(super) async fn bytes(&mut self, bytes: &[u8]) -> Result<(u32, u32)> {
        let at = room(&mut *self.0, 1, bytes.len()).await?;
        self.memory()?.put(at, bytes)?;
        Ok((at, len(bytes.len())?))
    }

    pub(super) async fn texts(&mut self, texts: &[String]) -> Result<(u32, u32)> {
        let list = room(&mut *self.0, 4, texts.len() * TEXT_BYTES as usize).await?;
        for (place, text) in (list..).step_by(TEXT_BYTES as usize).zip(texts) {
            let (at, _) = self.bytes(text.as_bytes()).await?;
            self.memory()?.put_span(place, at, text.len())?;
        }
        Ok((list, len(texts.len())?))
    }

    pub(super) async fn headers(&mut self, headers: &HeaderMap) -> Result<(u32, u32)> {
        let list = room(&mut *self.0, 4, headers.len() * HEADER_BYTES as usize).await?;
        for (place, (name, value)) in (list..).step_by(HEADER_BYTES as usize).zip(headers) {
            let (at, _) = self.bytes(name.as_str().as_bytes()).await?;
            let (value_at, value_len) = self.bytes(value.as_bytes()).await?;
            let mut memory = self.memory()?;
            memory.put_span(place, at, name.as_str().len())?;
            memory.put_span(offset(place, 8)?, value_at, value_len as usize)?;
        }
        Ok((list, len(headers.len())?))
    }

    fn memory(&mut self) -> Result<Mem<'_>> {
        let memory = self.0.data().direct.memory()?;
        Ok(Mem::new(memory.data_mut(&mut *self.0)))
    }
}

/// Reads values which the guest has returned, up to so many bytes.
pub(super) struct Reader<'a> {
    memory: Mem<'a>,
    bytes_left: Cell<usize>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(memory: Mem<'a>, bytes_max: usize) -> Self {
        Self {
            memory,
            bytes_left: Cell::new(bytes_max),
        }
    }

    pub(super) fn of(store: &'a mut Store<Guest>) -> Result<Self> {
        let memory = store.data().direct.memory()?;
        let bytes_max = store.data().plugin().instance.call_bytes_max;
        Ok(Self::new(Mem::new(memory.data_mut(store)), bytes_max))
    }

    /// A string that is kept.
    pub(super) fn text(&self, at: u32) -> Result<String> {
        let (text, len) = self.memory.span(at)?;
        self.count(len as usize)?;
        Ok(self.memory.text(text, len)?.to_owned())
    }

    /// A list of bytes that is kept.
    fn bytes(&self, at: u32) -> Result<Vec<u8>> {
        let (bytes, len) = self.memory.span(at)?;
        self.count(len as usize)?;
        Ok(self.memory.bytes(bytes, len)?.to_vec())
    }

    fn count(&self, bytes: usize) -> Result<()> {
        match self.bytes_left.get().checked_sub(bytes) {
            Some(left) => self.bytes_left.set(left),
            None => bail!("a handler returns more than a call may have"),
        }
        Ok(())
    }

    /// A list whose items have so many bytes.
    fn list<T>(&self, at: u32, each: u32, item: impl Fn(u32) -> Result<T>) -> Result<Vec<T>> {
        let (list, count) = self.memory.span(at)?;
        let bytes = match count.checked_mul(each) {
            Some(bytes) => bytes,
            None => bail!("a list ends behind the guest's memory"),
        };
        self.memory.bytes(aligned(list, 4)?, bytes)?;
        self.count(count as usize * size_of::<T>())?;
        (0..count).map(|index| item(list + index * each)).collect()
    }

    fn headers(&self, at: u32) -> Result<Vec<Header>> {
        self.list(at, HEADER_BYTES, |at| {
            Ok(Header {
                name: self.text(at)?,
                value: self.bytes(at + 8)?,
            })
        })
    }

    fn optional_text(&self, at: u32) -> Result<Option<String>> {
        match self.memory.byte(at)? {
            0 => Ok(None),
            1 => self.text(offset(at, 4)?).map(Some),
            other => no_case(other.into()),
        }
    }

    /// `result<acceptance, rejection>`, and what is wrong with its fields.
    pub(super) fn decision(&self, at: u32) -> Result<Result<Outcome, String>> {
        let content = offset(aligned(at, 4)?, 4)?;
        let field = |by| offset(content, by);
        Ok(match self.memory.byte(at)? {
            0 => event::Acceptance::try_from(Acceptance {
                subprotocol: self.optional_text(content)?,
                headers: self.headers(field(12)?)?,
                attachment: Bytes::from(self.bytes(field(20)?)?),
                topics: self.list(field(28)?, TEXT_BYTES, |at| self.text(at))?,
            })
            .map(|it| Outcome::Accepted(Box::new(it))),
            1 => event::Rejection::try_from(Rejection {
                status: self.memory.short(content)?,
                headers: self.headers(field(4)?)?,
                body: Bytes::from(self.bytes(field(12)?)?),
            })
            .map(|it| Outcome::Rejected(Box::new(it))),
            other => return no_case(other.into()),
        })
    }

    /// `result<list<u8>, string>`.
    pub(super) fn migrated(&self, at: u32) -> Result<Result<Bytes, String>> {
        let content = offset(aligned(at, 4)?, 4)?;
        match self.memory.byte(at)? {
            0 => Ok(Ok(Bytes::from(self.bytes(content)?))),
            1 => Ok(Err(self.text(content)?)),
            other => no_case(other.into()),
        }
    }
}

/// `result<_, handler-error>`.
pub(super) fn handled(reader: &Reader<'_>, at: u32) -> Result<Outcome> {
    let at = aligned(at, 4)?;
    match reader.memory.byte(at)? {
        0 => Ok(Outcome::Done),
        1 => match reader.memory.byte(offset(at, 4)?)? {
            0 => {
                let text = reader.text(offset(at, 8)?)?;
                Ok(Outcome::Failed(handler_failure(&text)))
            }
            other => no_case(other.into()),
        },
        other => no_case(other.into()),
    }
}
