//! Values of the handlers, as they lie in a guest's memory.

use std::cell::Cell;

use bytes::Bytes;
use holdfast_core::event::{self, Outcome};
use http::{HeaderMap, HeaderName, HeaderValue};
use wasmtime::{Result, Store, TypedFunc, bail};

use super::super::types::{Acceptance, Header, Rejection};
use crate::direct::turns::Gift;
use crate::direct::{Context, Mem, aligned, no_case, offset, places};
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

/// Values for a guest, for which it makes room all at once.
pub(super) struct Values {
    gift: Gift,
    /// Lists whose items are other values: the number of each, and how many it has.
    lists: Vec<(usize, usize)>,
}

impl Values {
    pub(super) fn new() -> Self {
        Self {
            gift: Gift::values(),
            lists: Vec::new(),
        }
    }

    pub(super) fn bytes(mut self, bytes: &[u8]) -> Self {
        self.gift.push(1, bytes);
        self
    }

    pub(super) fn texts(mut self, texts: &[String]) -> Self {
        self.list(texts.iter().map(String::as_bytes).collect());
        self
    }

    pub(super) fn headers(mut self, headers: &HeaderMap) -> Self {
        let both = |(name, value): (&HeaderName, &HeaderValue)| {
            [name.as_str().as_bytes().to_vec(), value.as_bytes().to_vec()]
        };
        let items: Vec<_> = headers.iter().flat_map(both).collect();
        self.list(items.iter().map(Vec::as_slice).collect());
        self
    }

    fn list(&mut self, items: Vec<&[u8]>) {
        self.lists.push((self.gift.len(), items.len()));
        self.gift
            .push(4, vec![0; items.len() * TEXT_BYTES as usize]);
        items.iter().for_each(|item| self.gift.push(1, *item));
    }

    /// Has the guest make room, and writes them there. Returns where they are: bytes
    /// with their length, lists with the number of their strings.
    pub(super) async fn give(
        self,
        store: &mut Store<Guest>,
        make_room: &TypedFunc<(), ()>,
    ) -> Result<Vec<(u32, u32)>> {
        store.data_mut().direct.gift = Some(self.gift);
        make_room.call_async(&mut *store, ()).await?;
        let Some(gift) = store.data_mut().direct.gift.take() else {
            bail!("there is room for nothing");
        };
        let memory = store.data().direct.memory()?;
        let mut memory = Mem::new(memory.data_mut(store));
        let spans = gift.put(&mut memory)?;
        let mut given = Vec::new();
        let mut lists = self.lists.iter().peekable();
        let mut rest = spans.iter().enumerate();
        while let Some((number, (at, len))) = rest.next() {
            let Some((_, count)) = lists.next_if(|(list, _)| *list == number) else {
                given.push((*at, *len));
                continue;
            };
            let each = places(*at, TEXT_BYTES);
            for (place, (_, (item, len))) in each.zip(rest.by_ref().take(*count)) {
                memory.put_span(place, *item, *len as usize)?;
            }
            given.push((*at, *count as u32));
        }
        Ok(given)
    }
}

/// Says how much room the next value wants, when there is room for the one before.
pub(super) fn wanted(mut caller: Context<'_>, at: u32) -> Result<u32> {
    match &mut caller.data_mut().direct.gift {
        // There is none before the first.
        Some(gift) if at == u32::MAX && gift.is_new() => gift.wanted(),
        Some(gift) => gift.place(at),
        None => bail!("there is nothing to give"),
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
