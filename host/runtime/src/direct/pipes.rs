//! Streams and futures (component model, Concurrency.md): built-in functions that
//! make them, write to them and read from them. One end or both are the guest's;
//! the other may be the host's, which is always one of a message's body.
//!
//! Whoever comes first waits for the other, with the place in the guest's memory
//! which is to be read or written.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::{Buf, Bytes};
use http::HeaderMap;
use wasmtime::component::Resource;
use wasmtime::{Result, bail};
use wasmtime_wasi_http::p3::bindings::http::types::{ErrorCode, Response};

use super::handles::{Entry, Kind};
use super::memory::Mem;
use super::waits::{
    Bell, Event, FUTURE_READ, FUTURE_WRITE, STREAM_READ, STREAM_WRITE, Waitable, Woken,
};
use super::{State, codes};
use crate::guest::Guest;
use crate::http_0_3::flow::{Closer, Ended, Incoming, Tail, Taken, Witness, Writer};

/// What it is that flows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// Bytes of a body: `stream<u8>`.
    Stream,
    /// What follows them: `future<result<option<trailers>, error-code>>`.
    Ending,
    /// Whether all was sent: `future<result<_, error-code>>`.
    Sent,
}

impl Flow {
    pub(super) const ALL: [Self; 3] = [Self::Stream, Self::Ending, Self::Sent];

    /// What the built-in functions call it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Stream => "stream",
            Self::Ending => "ending",
            Self::Sent => "sent",
        }
    }
}

/// Results of reading and writing.
const BLOCKED: u32 = u32::MAX;
const COMPLETED: u32 = 0;
const DROPPED: u32 = 1;
const CANCELLED: u32 = 2;

/// The most bytes which go from one place of a guest to another at once, since nobody
/// can interrupt it.
const PASSED_ON_MAX: u32 = 64 << 10;

/// The most bytes of one reading or writing, of which the number is told together
/// with the result.
const LEN_MAX: u32 = (1 << 28) - 1;

fn result(len: u32, how: u32) -> u32 {
    len << 4 | how
}

/// An end which the guest has.
pub(super) struct End {
    pub(super) waitable: Waitable,
    pipe: usize,
    is_writer: bool,
    /// What it waits to write or to read.
    pending: Option<Place>,
    waker: Option<Waker>,
}

/// Where in the guest's memory.
#[derive(Clone, Copy)]
struct Place {
    at: u32,
    len: u32,
}

/// What connects two ends.
pub(crate) struct Pipe {
    flow: Flow,
    writer: Side,
    reader: Side,
    /// Whether a future's value was written.
    is_written: bool,
}

/// Who has an end.
enum Side {
    Guest(u32),
    Host(Peer),
    Gone,
}

/// The host's end of something.
pub(crate) enum Peer {
    Writer(Writer),
    Closer(Closer),
    Incoming(Box<Incoming>, Bytes),
    Tail(Tail),
    Witness(Witness),
    /// All was sent.
    Done,
}

/// What has come of reading or writing.
enum Attempt {
    Blocked,
    Done(u32),
    /// A future's value, which still has to be written to the guest's memory.
    Value(Value),
}

/// The value of a future, or what a call returns.
pub(crate) enum Value {
    Ending(Ended),
    Sent(Result<(), ErrorCode>),
    /// Of a call for a response.
    Response(Result<Resource<Response>, ErrorCode>),
}

/// What is to be done at once for a guest that reads.
pub(crate) enum Read {
    /// It has this result.
    Done(u32),
    /// This is to be written to where it reads; then it has the result.
    Value(Value),
}

impl State {
    /// `stream.new` and `future.new`: the writable end in the upper half.
    pub(super) fn new_pipe(&mut self, flow: Flow) -> Result<u64> {
        let pipe = self.pipes.insert(Pipe {
            flow,
            writer: Side::Gone,
            reader: Side::Gone,
            is_written: false,
        });
        let writer = self.add_end(pipe, true)?;
        let reader = self.add_end(pipe, false)?;
        Ok(u64::from(writer) << 32 | u64::from(reader))
    }

    /// Gives the guest the readable end of what the host writes.
    pub(crate) fn give_reader(&mut self, flow: Flow, writer: Peer) -> Result<u32> {
        let pipe = self.pipes.insert(Pipe {
            flow,
            writer: Side::Host(writer),
            reader: Side::Gone,
            is_written: false,
        });
        self.add_end(pipe, false)
    }

    /// Takes a readable end from the guest. None if the host itself writes to it;
    /// then the host's end is returned.
    pub(crate) fn take_reader(&mut self, flow: Flow, handle: u32) -> Result<Taking> {
        let pipe = self.of(handle, flow, false)?;
        if self.handles.end(handle)?.pending.is_some() {
            bail!("an end is given away which is being read");
        }
        self.remove_end(handle)?;
        let Some(of) = self.pipes.get_mut(pipe) else {
            bail!("there is no such stream or future");
        };
        of.reader = Side::Gone;
        match std::mem::replace(&mut of.writer, Side::Gone) {
            Side::Host(peer) => {
                self.pipes.remove(pipe);
                Ok(Taking::OfHost(peer))
            }
            writer => {
                of.writer = writer;
                Ok(Taking::OfGuest(pipe))
            }
        }
    }

    /// The host reads from now on what the guest writes.
    pub(crate) fn read_by_host(
        guest: &mut Guest,
        memory: &mut Mem<'_>,
        taken: Pipes,
        reader: Peer,
    ) -> Result<()> {
        let state = &mut guest.direct;
        let Some(pipe) = state.pipes.get_mut(taken) else {
            bail!("there is no such stream or future");
        };
        match pipe.writer {
            Side::Guest(writer) => {
                pipe.reader = Side::Host(reader);
                // It may have written before.
                match state.handles.end(writer)?.pending {
                    Some(_) => Self::go_on(guest, memory, writer),
                    None => Ok(()),
                }
            }
            // With the reader, the body ends.
            Side::Host(_) | Side::Gone => {
                state.pipes.try_remove(taken);
                Ok(())
            }
        }
    }

    /// The guest's end is given up by who would read it.
    pub(crate) fn drop_taken(&mut self, taken: Taking) -> Result<()> {
        let Taking::OfGuest(pipe) = taken else {
            return Ok(());
        };
        match self.pipes.get(pipe).map(|pipe| &pipe.writer) {
            Some(Side::Guest(writer)) => {
                let writer = *writer;
                self.tell_dropped(writer)
            }
            _ => {
                self.pipes.try_remove(pipe);
                Ok(())
            }
        }
    }

    /// `stream.write` and `future.write`.
    pub(super) fn write(
        guest: &mut Guest,
        memory: &mut Mem<'_>,
        flow: Flow,
        handle: u32,
        at: u32,
        len: u32,
    ) -> Result<u32> {
        let state = &mut guest.direct;
        let pipe = state.of(handle, flow, true)?;
        state.begin(handle, at, len)?;
        if flow != Flow::Stream {
            match state.pipes.get_mut(pipe) {
                Some(pipe) if !pipe.is_written => pipe.is_written = true,
                _ => bail!("a future is written to twice"),
            }
        }
        match Self::attempt_write(guest, memory, handle)? {
            Attempt::Blocked => Ok(BLOCKED),
            Attempt::Done(result) => {
                guest.direct.handles.end(handle)?.pending = None;
                Ok(result)
            }
            Attempt::Value(_) => bail!("a value is read where one is written"),
        }
    }

    /// `stream.read` and `future.read`.
    pub(super) fn read(
        guest: &mut Guest,
        memory: &mut Mem<'_>,
        flow: Flow,
        handle: u32,
        at: u32,
        len: u32,
    ) -> Result<Read> {
        let state = &mut guest.direct;
        state.of(handle, flow, false)?;
        state.begin(handle, at, len)?;
        let attempt = Self::attempt_read(guest, memory, handle)?;
        Ok(match attempt {
            Attempt::Blocked => Read::Done(BLOCKED),
            Attempt::Done(result) => {
                guest.direct.handles.end(handle)?.pending = None;
                Read::Done(result)
            }
            Attempt::Value(value) => {
                guest.direct.handles.end(handle)?.pending = None;
                Read::Value(value)
            }
        })
    }

    /// `cancel-read` and `cancel-write`.
    pub(super) fn cancel(&mut self, flow: Flow, handle: u32, is_writer: bool) -> Result<u32> {
        let pipe = self.of(handle, flow, is_writer)?;
        let end = self.handles.end(handle)?;
        if let Some(event) = end.waitable.event.take() {
            return Ok(event.payload);
        }
        if end.pending.take().is_none() {
            bail!("nothing is under way that could be cancelled");
        }
        if is_writer && let Some(pipe) = self.pipes.get_mut(pipe) {
            pipe.is_written = false;
        }
        Ok(result(0, CANCELLED))
    }

    /// `drop-readable` and `drop-writable`.
    pub(super) fn drop_end(&mut self, flow: Flow, handle: u32, is_writer: bool) -> Result<()> {
        let pipe = self.of(handle, flow, is_writer)?;
        if self.handles.end(handle)?.pending.is_some() {
            bail!("an end is dropped which is being used");
        }
        let Some(of) = self.pipes.get_mut(pipe) else {
            bail!("there is no such stream or future");
        };
        let is_read = !matches!(of.reader, Side::Gone);
        if is_writer && flow != Flow::Stream && !of.is_written && is_read {
            bail!("a future is dropped before anything was written to it");
        }
        let (own, other) = match is_writer {
            true => (&mut of.writer, &mut of.reader),
            false => (&mut of.reader, &mut of.writer),
        };
        *own = Side::Gone;
        let other = match other {
            Side::Guest(other) => Some(*other),
            // What the host has goes, and says so to whoever has the body.
            Side::Host(_) | Side::Gone => None,
        };
        match other {
            Some(other) => self.tell_dropped(other)?,
            None => drop(self.pipes.try_remove(pipe)),
        }
        self.remove_end(handle)
    }

    /// Something has happened at the other end: goes on with what was begun. What is
    /// returned has to be written to the guest's memory first.
    pub(crate) fn proceed(
        guest: &mut Guest,
        memory: &mut Mem<'_>,
        handle: u32,
    ) -> Result<Option<(u32, Value)>> {
        let Ok(end) = guest.direct.handles.end(handle) else {
            // It is gone meanwhile, or is none.
            return Self::proceed_subtask(guest, handle);
        };
        let Some(place) = end.pending else {
            return Ok(None);
        };
        if end.is_writer {
            Self::go_on(guest, memory, handle)?;
            return Ok(None);
        }
        match Self::attempt_read(guest, memory, handle)? {
            Attempt::Blocked => Ok(None),
            Attempt::Done(result) => {
                guest.direct.finish(handle, result)?;
                Ok(None)
            }
            Attempt::Value(value) => Ok(Some((place.at, value))),
        }
    }

    /// The value of a future, or what a call returns, lies where the guest reads it.
    pub(crate) fn finish_value(&mut self, handle: u32) -> Result<()> {
        match self.handles.end(handle) {
            Ok(_) => self.finish(handle, result(0, COMPLETED)),
            Err(_) => self.end_subtask(handle),
        }
    }

    /// What was begun at an end is done.
    fn finish(&mut self, handle: u32, payload: u32) -> Result<()> {
        let end = self.handles.end(handle)?;
        end.pending = None;
        let (pipe, is_writer) = (end.pipe, end.is_writer);
        let is_stream = self
            .pipes
            .get(pipe)
            .is_some_and(|it| it.flow == Flow::Stream);
        let code = match (is_stream, is_writer) {
            (true, false) => STREAM_READ,
            (true, true) => STREAM_WRITE,
            (false, false) => FUTURE_READ,
            (false, true) => FUTURE_WRITE,
        };
        self.notify(Event {
            code,
            handle,
            payload,
        })
    }

    fn go_on(guest: &mut Guest, memory: &mut Mem<'_>, writer: u32) -> Result<()> {
        match Self::attempt_write(guest, memory, writer)? {
            Attempt::Done(result) => guest.direct.finish(writer, result),
            Attempt::Blocked | Attempt::Value(_) => Ok(()),
        }
    }

    fn attempt_write(guest: &mut Guest, memory: &mut Mem<'_>, handle: u32) -> Result<Attempt> {
        let state = &mut guest.direct;
        let (pipe, place) = state.under_way(handle)?;
        let Some(of) = state.pipes.get_mut(pipe) else {
            bail!("there is no such stream or future");
        };
        match &mut of.reader {
            Side::Gone => Ok(Attempt::Done(result(0, DROPPED))),
            Side::Guest(reader) => {
                let (reader, flow) = (*reader, of.flow);
                match flow {
                    Flow::Stream => state.pass_on(memory, handle, reader),
                    _ => state.meet(reader),
                }
            }
            Side::Host(Peer::Writer(_)) => state.write_to_host(memory, handle, pipe, place),
            reader @ Side::Host(Peer::Closer(_)) => {
                let Side::Host(Peer::Closer(mut closer)) = std::mem::replace(reader, Side::Gone)
                else {
                    bail!("the host does not read this");
                };
                closer.close(ending(guest, memory, place)?);
                Ok(Attempt::Done(result(0, COMPLETED)))
            }
            Side::Host(_) => bail!("the host does not read this"),
        }
    }

    fn write_to_host(
        &mut self,
        memory: &Mem<'_>,
        handle: u32,
        pipe: usize,
        place: Place,
    ) -> Result<Attempt> {
        let Self {
            pipes,
            handles,
            woken,
            ..
        } = self;
        let Some(Pipe {
            reader: reader @ Side::Host(_),
            ..
        }) = pipes.get_mut(pipe)
        else {
            bail!("there is no such stream");
        };
        let Side::Host(Peer::Writer(writer)) = reader else {
            bail!("the host does not read this");
        };
        let offered = memory.bytes(place.at, place.len)?;
        let end = handles.end(handle)?;
        Ok(match writer.take(offered, || end.waker(handle, woken)) {
            Taken::Read(len) => Attempt::Done(result(len as u32, COMPLETED)),
            Taken::Blocked => Attempt::Blocked,
            Taken::Dropped => {
                *reader = Side::Gone;
                Attempt::Done(result(0, DROPPED))
            }
        })
    }

    /// Both ends of a future are the guest's, which may still give the other one away.
    fn meet(&mut self, other: u32) -> Result<Attempt> {
        match self.handles.end(other)?.pending {
            Some(_) => bail!("a future of this kind can't be read where it is written"),
            None => Ok(Attempt::Blocked),
        }
    }

    /// Both ends of a stream are the guest's: bytes go from one place of its memory to
    /// another. One end is used just now, and perhaps the other one waits.
    fn pass_on(&mut self, memory: &mut Mem<'_>, own: u32, other: u32) -> Result<Attempt> {
        let (_, own_place) = self.under_way(own)?;
        let end = self.handles.end(other)?;
        let Some(other_place) = end.pending else {
            return Ok(Attempt::Blocked);
        };
        let (from, to) = match end.is_writer {
            true => (other_place, own_place),
            false => (own_place, other_place),
        };
        let len = from.len.min(to.len).min(PASSED_ON_MAX);
        if len == 0 && own_place.len > 0 {
            // Who reads or writes nothing only asks whether the other one is there.
            self.finish(other, result(0, COMPLETED))?;
            return Ok(Attempt::Blocked);
        }
        memory.move_within(from.at, to.at, len)?;
        if len > 0 {
            self.finish(other, result(len, COMPLETED))?;
        }
        Ok(Attempt::Done(result(len, COMPLETED)))
    }

    fn attempt_read(guest: &mut Guest, memory: &mut Mem<'_>, handle: u32) -> Result<Attempt> {
        let state = &mut guest.direct;
        let (pipe, place) = state.under_way(handle)?;
        let Some(of) = state.pipes.get_mut(pipe) else {
            bail!("there is no such stream or future");
        };
        match &of.writer {
            Side::Gone => return Ok(Attempt::Done(result(0, DROPPED))),
            Side::Guest(writer) => {
                let (writer, flow) = (*writer, of.flow);
                return match flow {
                    Flow::Stream => state.pass_on(memory, handle, writer),
                    _ => state.meet(writer),
                };
            }
            Side::Host(_) => {}
        }
        let waker = state.waker(handle)?;
        let mut context = Context::from_waker(&waker);
        let Some(of) = state.pipes.get_mut(pipe) else {
            bail!("there is no such stream or future");
        };
        let Side::Host(peer) = &mut of.writer else {
            bail!("the host does not write this");
        };
        match peer {
            Peer::Incoming(incoming, rest) => {
                let attempt = read_body(incoming, rest, memory, place, &mut context)?;
                if matches!(attempt, Attempt::Done(it) if it & 0xf == DROPPED) {
                    of.writer = Side::Gone;
                }
                Ok(attempt)
            }
            Peer::Witness(witness) => match witness.poll(|| waker.clone()) {
                Poll::Pending => Ok(Attempt::Blocked),
                Poll::Ready(sent) => {
                    of.writer = Side::Gone;
                    Ok(Attempt::Value(Value::Sent(sent)))
                }
            },
            Peer::Done => {
                of.writer = Side::Gone;
                Ok(Attempt::Value(Value::Sent(Ok(()))))
            }
            Peer::Tail(_) => {
                // It needs the guest's table, too, so it is out of its own for a moment.
                let Side::Host(Peer::Tail(mut tail)) =
                    std::mem::replace(&mut of.writer, Side::Gone)
                else {
                    bail!("the host does not write this");
                };
                match tail.poll(&mut context, &mut guest.http_0_3()) {
                    Poll::Ready(ended) => Ok(Attempt::Value(Value::Ending(ended?))),
                    Poll::Pending => {
                        if let Some(of) = guest.direct.pipes.get_mut(pipe) {
                            of.writer = Side::Host(Peer::Tail(tail));
                        }
                        Ok(Attempt::Blocked)
                    }
                }
            }
            Peer::Writer(_) | Peer::Closer(_) => bail!("the host does not write this"),
        }
    }

    /// The other end of something is gone: whoever waits there need not any more.
    fn tell_dropped(&mut self, handle: u32) -> Result<()> {
        match self.handles.end(handle)?.pending {
            Some(_) => self.finish(handle, result(0, DROPPED)),
            None => Ok(()),
        }
    }

    fn add_end(&mut self, pipe: usize, is_writer: bool) -> Result<u32> {
        let handle = self.handles.add(Entry::End(End {
            waitable: Waitable::default(),
            pipe,
            is_writer,
            pending: None,
            waker: None,
        }))?;
        if let Some(pipe) = self.pipes.get_mut(pipe) {
            match is_writer {
                true => pipe.writer = Side::Guest(handle),
                false => pipe.reader = Side::Guest(handle),
            }
        }
        Ok(handle)
    }

    fn remove_end(&mut self, handle: u32) -> Result<()> {
        self.leave_set(handle)?;
        self.handles.remove(handle);
        Ok(())
    }

    /// The pipe of an end which the guest shows.
    fn of(&mut self, handle: u32, flow: Flow, is_writer: bool) -> Result<usize> {
        let end = self.handles.end(handle)?;
        let (pipe, kind) = (end.pipe, end.is_writer);
        let is_flow = self.pipes.get(pipe).is_some_and(|it| it.flow == flow);
        if !is_flow || kind != is_writer {
            bail!("{handle} is another end than the guest says");
        }
        Ok(pipe)
    }

    fn begin(&mut self, handle: u32, at: u32, len: u32) -> Result<()> {
        if len > LEN_MAX {
            bail!("more is read or written at once than can be told");
        }
        let end = self.handles.end(handle)?;
        if end.pending.is_some() || end.waitable.event.is_some() {
            bail!("an end is used before it is done with what it does");
        }
        end.pending = Some(Place { at, len });
        Ok(())
    }

    fn under_way(&mut self, handle: u32) -> Result<(usize, Place)> {
        let end = self.handles.end(handle)?;
        match end.pending {
            Some(place) => Ok((end.pipe, place)),
            None => bail!("nothing is under way at this end"),
        }
    }

    fn waker(&mut self, handle: u32) -> Result<Waker> {
        let end = self.handles.end(handle)?;
        Ok(end.waker(handle, &self.woken))
    }
}

impl End {
    /// What wakes the worker for it.
    fn waker(&mut self, handle: u32, woken: &Arc<Woken>) -> Waker {
        let bell = || {
            let woken = Arc::clone(woken);
            Waker::from(Arc::new(Bell { handle, woken }))
        };
        self.waker.get_or_insert_with(bell).clone()
    }
}

/// Numbers of pipes.
pub(crate) type Pipes = usize;

/// A readable end which the guest has given away.
pub(crate) enum Taking {
    /// The guest writes to it.
    OfGuest(Pipes),
    /// The host does.
    OfHost(Peer),
}

/// What follows a body, as the guest says it.
fn ending(
    guest: &mut Guest,
    memory: &Mem<'_>,
    place: Place,
) -> Result<Result<Option<HeaderMap>, ErrorCode>> {
    Ok(match codes::ending(memory, place.at)? {
        Ok(Some(trailers)) => {
            let trailers = guest.direct.handles.take(Kind::Fields, trailers)?;
            Ok(Some(guest.http_0_3().take_fields(trailers)?.into()))
        }
        Ok(None) => Ok(None),
        Err(code) => Err(code),
    })
}

/// Bytes for a guest that reads.
fn read_body(
    incoming: &mut Incoming,
    rest: &mut Bytes,
    memory: &mut Mem<'_>,
    place: Place,
    context: &mut Context<'_>,
) -> Result<Attempt> {
    if rest.is_empty() {
        if place.len == 0 && incoming.is_at_end() {
            incoming.end(Ok(None));
            return Ok(Attempt::Done(result(0, DROPPED)));
        }
        match incoming.poll_bytes(context) {
            Poll::Ready(Ok(bytes)) => *rest = bytes,
            Poll::Ready(Err(end)) => {
                incoming.end(end);
                return Ok(Attempt::Done(result(0, DROPPED)));
            }
            Poll::Pending => return Ok(Attempt::Blocked),
        }
    }
    let len = rest.len().min(place.len as usize);
    memory.put(place.at, rest.get(..len).unwrap_or_default())?;
    rest.advance(len);
    Ok(Attempt::Done(result(len as u32, COMPLETED)))
}
