//! Strings and lists for a guest whose module takes turns with the host
//! (`compile/direct/turns` says how). What is to be given is made at the first turn,
//! and written when there is room for all of it.

use smallvec::SmallVec;
use wasmtime::{Result, bail};

use super::memory::{Mem, offset};
use super::{Context, Definitions, view};
use crate::guest::Guest;

/// Before the name of such a function.
pub(crate) const IN_TURNS: &str = "[in-turns]";

/// How much room is wanted, when none is.
const NONE: u32 = u32::MAX;

/// What is given to a guest: pieces, and what refers to them.
pub(crate) struct Gift {
    /// Each with its alignment, 1 or 4. Most often there is one.
    pieces: SmallVec<[(u32, Vec<u8>); 1]>,
    /// Where there is room for the first ones.
    places: SmallVec<[u32; 1]>,
    form: Form,
}

/// How a result refers to the pieces.
#[derive(Clone, Copy)]
pub(crate) enum Form {
    /// A case, and no piece.
    Case(u8),
    /// A case, and a string.
    CaseOfText(u8),
    /// An option, with a case of a variant, and perhaps a string.
    Some(u8),
    /// A list, which is the first piece, of pairs of the others.
    Pairs,
}

impl Gift {
    /// A case without anything.
    pub(crate) fn case(case: u8) -> Self {
        Self::new(Form::Case(case))
    }

    pub(crate) fn new(form: Form) -> Self {
        Self {
            pieces: SmallVec::new(),
            places: SmallVec::new(),
            form,
        }
    }

    /// With a text.
    pub(crate) fn text(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.pieces.push((1, text.into()));
        self
    }

    /// A list of pairs.
    pub(crate) fn pairs<'p>(pairs: impl ExactSizeIterator<Item = (&'p [u8], &'p [u8])>) -> Self {
        let mut gift = Self::new(Form::Pairs);
        gift.pieces.push((4, vec![0; pairs.len() * PAIR_BYTES]));
        for (first, second) in pairs {
            gift = gift.text(first).text(second);
        }
        gift
    }

    /// Values which belong together, one behind the other.
    pub(crate) fn values() -> Self {
        Self::new(Form::Case(0))
    }

    /// With one more, aligned to so many bytes: 1 or 4.
    pub(crate) fn push(&mut self, align: u32, bytes: impl Into<Vec<u8>>) {
        self.pieces.push((align, bytes.into()));
    }

    /// How many values there are.
    pub(crate) fn len(&self) -> usize {
        self.pieces.len()
    }

    /// Whether there is room for none of it yet.
    pub(crate) fn is_new(&self) -> bool {
        self.places.is_empty()
    }

    /// There is room for one more. How much is wanted next.
    pub(crate) fn place(&mut self, at: u32) -> Result<u32> {
        if self.places.len() >= self.pieces.len() {
            bail!("there is more room than was wanted");
        }
        self.places.push(at);
        self.wanted()
    }

    /// Writes the values to where there is room for them. Returns where that is, and
    /// their lengths.
    pub(crate) fn put(&self, memory: &mut Mem<'_>) -> Result<Vec<(u32, u32)>> {
        if self.places.len() != self.pieces.len() {
            bail!("there is not room for everything");
        }
        let put = |(place, (align, piece)): (&u32, &(u32, Vec<u8>))| {
            memory.put(super::aligned(*place, *align)?, piece)?;
            Ok((*place, piece.len() as u32))
        };
        self.places.iter().zip(&self.pieces).map(put).collect()
    }

    /// How much room is wanted next: its length, and whether it is aligned to four.
    pub(crate) fn wanted(&self) -> Result<u32> {
        let Some((align, piece)) = self.pieces.get(self.places.len()) else {
            return Ok(NONE);
        };
        match u32::try_from(piece.len()) {
            Ok(len) if len < NONE >> 2 => Ok(len << 1 | u32::from(*align == 4)),
            _ => bail!("a value has more bytes than a guest's memory"),
        }
    }

    /// Says how much room is wanted next. If none is, and there is a place to say so,
    /// the result is written. Whether that was all.
    fn go_on(&self, memory: &mut Mem<'_>, result: u32) -> Result<bool> {
        /// Behind a case, where nobody looks.
        const DONE: [u8; 3] = [0xff; 3];
        let wanted = self.wanted()?;
        if wanted == NONE && !matches!(self.form, Form::Pairs) {
            self.write(memory, result)?;
            memory.put(offset(result, 1)?, &DONE)?;
            return Ok(true);
        }
        memory.put(result, &wanted.to_le_bytes())?;
        Ok(false)
    }

    fn write(&self, memory: &mut Mem<'_>, result: u32) -> Result<()> {
        let spans = self.places.iter().zip(&self.pieces);
        let mut spans = spans.map(|(place, (_, piece))| (*place, piece));
        let mut span = |memory: &mut Mem<'_>, at: u32| match spans.next() {
            Some((place, piece)) => {
                memory.put(place, piece)?;
                memory.put_span(at, place, piece.len())
            }
            None => Ok(()),
        };
        match self.form {
            Form::Case(case) => memory.put(result, &[case]),
            Form::CaseOfText(case) => {
                memory.put(result, &[case])?;
                span(memory, offset(result, 4)?)
            }
            Form::Some(case) => {
                memory.put(result, &[1])?;
                memory.put(offset(result, 4)?, &[case])?;
                span(memory, offset(result, 8)?)
            }
            Form::Pairs => {
                let Some(list) = self.places.first().copied() else {
                    bail!("there is no room for a list");
                };
                span(memory, result)?;
                let count = (self.pieces.len() - 1) / 2;
                for index in 0..2 * count as u32 {
                    span(memory, list + index * 8)?;
                }
                memory.put_span(result, list, count)
            }
        }
    }
}

/// Bytes of two strings or lists.
const PAIR_BYTES: usize = 16;

/// What a function gives.
pub(crate) type Give = fn(&mut Guest, u32) -> Result<Gift>;

/// Adds a function that gives something of what a handle stands for.
pub(crate) fn define(
    linker: &mut Definitions,
    interface: &str,
    name: &str,
    give: Give,
) -> Result<()> {
    let in_turns = format!("{IN_TURNS}{name}");
    linker.func_wrap(
        interface,
        &in_turns,
        move |mut caller: Context<'_>, handle: u32, result: u32| {
            let (mut memory, guest) = view(&mut caller)?;
            let at = result & !3;
            match result & 3 {
                1 => {
                    let gift = give(guest, handle)?;
                    if !gift.go_on(&mut memory, at)? {
                        guest.direct.gift = Some(gift);
                    }
                    Ok(())
                }
                2 => {
                    let place = memory.word(at)?;
                    let Some(gift) = &mut guest.direct.gift else {
                        bail!("there is room for nothing");
                    };
                    gift.place(place)?;
                    if gift.go_on(&mut memory, at)? {
                        guest.direct.gift = None;
                    }
                    Ok(())
                }
                3 => match guest.direct.gift.take() {
                    Some(gift) if gift.places.len() == gift.pieces.len() => {
                        gift.write(&mut memory, at)
                    }
                    _ => bail!("there is not room for everything"),
                },
                _ => bail!("an address is not aligned"),
            }
        },
    )?;
    linker.func_wrap_async(
        interface,
        name,
        move |mut caller: Context<'_>, (handle, result): (u32, u32)| {
            Box::new(async move { give_at_once(&mut caller, give, handle, result).await })
        },
    )?;
    Ok(())
}

/// For a module which does not take turns.
async fn give_at_once(
    caller: &mut Context<'_>,
    give: Give,
    handle: u32,
    result: u32,
) -> Result<()> {
    let mut gift = give(caller.data_mut(), handle)?;
    while let Some((align, piece)) = gift.pieces.get(gift.places.len()) {
        let place = super::room(&mut *caller, *align, piece.len()).await?;
        gift.places.push(place);
    }
    let (mut memory, _) = view(caller)?;
    gift.write(&mut memory, super::aligned(result, 4)?)
}
