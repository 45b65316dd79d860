//! A body whose bytes are all there, on its way out.
//!
//! Most hosts take such a body at once. So it is written without the futures of
//! `wit-bindgen`, which are made for waiting and cost several times what the calls
//! themselves do; only for what the host does not take yet there is one.
#![allow(
    unsafe_code,
    reason = "the functions of the component model are called by their raw form"
)]

use std::alloc::Layout;
use std::mem::{self, MaybeUninit};

use bytes::{Buf, Bytes};
use wasip3::wit_bindgen::rt::async_support::{
    FutureOps, FutureVtable, RawFutureWriter, StreamVtable, raw_future_new,
};
use wasip3::wit_bindgen::{FutureReader, StreamReader, StreamWriter, spawn_local};
use wasip3::{wit_future, wit_stream};

use super::parts::WireEnding;

/// What a write returns (canonical ABI, `pack_copy_result`): this, or how it went in
/// four bits and how much was written in the others.
const BLOCKED: u32 = u32::MAX;
const COMPLETED: u32 = 0;
const DROPPED: u32 = 1;
/// The longest write.
const LEN_MAX: usize = (1 << 28) - 1;

const BYTES: &StreamVtable<u8> = <u8 as wit_stream::StreamPayload>::VTABLE;
const ENDING: &FutureVtable<WireEnding> = <WireEnding as wit_future::FuturePayload>::VTABLE;

/// The writable ends, and what is to be written.
pub(super) struct Whole {
    bytes: Bytes,
    /// None if there are no bytes, or when they are written.
    stream: Option<u32>,
    /// None when it is written.
    ending: Option<u32>,
}

/// The body for the host, which is to get it before [`Whole::write`].
pub(super) fn open(bytes: Bytes) -> (Option<StreamReader<u8>>, FutureReader<WireEnding>, Whole) {
    // SAFETY: these are the functions of the component model, and its handles, each
    // of which becomes one end.
    unsafe {
        let ending = (ENDING.new)();
        let trailers = FutureReader::new(reader(ending), ENDING);
        let stream = (!bytes.is_empty()).then(|| (BYTES.new)());
        let contents = stream.map(|stream| StreamReader::new(reader(stream), BYTES));
        let whole = Whole {
            bytes,
            stream: stream.map(writer),
            ending: Some(writer(ending)),
        };
        (contents, trailers, whole)
    }
}

fn reader(ends: u64) -> u32 {
    ends as u32
}

fn writer(ends: u64) -> u32 {
    (ends >> 32) as u32
}

impl Whole {
    /// Writes what the host takes at once, and leaves only the rest to a task.
    pub(super) fn write(mut self) {
        let Some(stream) = self.stream.take() else {
            return;
        };
        // SAFETY: the writable end is ours, nothing else is written to it, and the
        // bytes are there until the host has let go of them.
        unsafe {
            let len = self.bytes.len().min(LEN_MAX);
            let code = match (BYTES.start_write)(stream, self.bytes.as_ptr(), len) {
                BLOCKED => (BYTES.cancel_write)(stream),
                code => code,
            };
            self.bytes.advance(code as usize >> 4);
            if self.bytes.is_empty() || code & 0xf == DROPPED {
                (BYTES.drop_writable)(stream);
                return;
            }
            let mut writer = StreamWriter::new(stream, BYTES);
            spawn_local(async move {
                let bytes = mem::take(&mut self.bytes);
                writer.write_all(bytes.into()).await;
                drop(writer);
                drop(self);
            });
        }
    }
}

/// Says what comes behind the bytes, at their end or where they were not written, since
/// nothing came of the message.
impl Drop for Whole {
    fn drop(&mut self) {
        if let Some(stream) = self.stream.take() {
            // SAFETY: the end is ours, and nothing was written to it.
            unsafe { (BYTES.drop_writable)(stream) };
        }
        if let Some(ending) = self.ending.take() {
            end(ending);
        }
    }
}

/// Room for an ending in the form of the component model.
type Room = MaybeUninit<[u64; 8]>;

const _: () = assert!(ENDING.layout.size() <= size_of::<Room>());
const _: () = assert!(ENDING.layout.align() <= align_of::<Room>());

/// Says that the body was whole, and has no trailers.
fn end(ending: u32) {
    let mut room = Room::uninit();
    let value = room.as_mut_ptr().cast::<u8>();
    // SAFETY: the room is large enough, the writable end is ours, and the value is
    // there until the host has let go of it.
    unsafe {
        (ENDING.lower)(Ok(None), value);
        let code = match (ENDING.start_write)(ending, value) {
            BLOCKED => (ENDING.cancel_write)(ending),
            code => code,
        };
        // If nobody is left to be told, nobody has to be.
        if matches!(code & 0xf, COMPLETED | DROPPED) {
            (ENDING.drop_writable)(ending);
            return;
        }
        // Such a task is never dropped before its end, at which an end of a future has to
        // have been written to.
        let writer = Waiting(ending).writer();
        spawn_local(async move {
            let _ = writer.write(Ok(None)).await;
        });
    }
}

/// The writable end of an ending that the host does not take yet. The library makes a
/// writer only together with both ends; so it is told that these are new.
#[derive(Clone)]
struct Waiting(u32);

impl Waiting {
    fn writer(self) -> RawFutureWriter<Self> {
        // SAFETY: the functions below are those of the component model.
        let (writer, reader) = unsafe { raw_future_new(self) };
        // There is none: the host has it.
        mem::forget(reader);
        writer
    }
}

impl FutureOps for Waiting {
    type Payload = WireEnding;

    fn new(&mut self) -> u64 {
        u64::from(self.0) << 32
    }

    fn elem_layout(&mut self) -> Layout {
        ENDING.layout
    }

    unsafe fn lower(&mut self, payload: WireEnding, room: *mut u8) {
        unsafe { (ENDING.lower)(payload, room) }
    }

    unsafe fn dealloc_lists(&mut self, room: *mut u8) {
        unsafe { (ENDING.dealloc_lists)(room) }
    }

    unsafe fn lift(&mut self, room: *mut u8) -> WireEnding {
        unsafe { (ENDING.lift)(room) }
    }

    unsafe fn start_write(&mut self, future: u32, value: *const u8) -> u32 {
        unsafe { (ENDING.start_write)(future, value) }
    }

    unsafe fn start_read(&mut self, future: u32, value: *mut u8) -> u32 {
        unsafe { (ENDING.start_read)(future, value) }
    }

    unsafe fn cancel_read(&mut self, future: u32) -> u32 {
        unsafe { (ENDING.cancel_read)(future) }
    }

    unsafe fn cancel_write(&mut self, future: u32) -> u32 {
        unsafe { (ENDING.cancel_write)(future) }
    }

    unsafe fn drop_readable(&mut self, future: u32) {
        unsafe { (ENDING.drop_readable)(future) }
    }

    unsafe fn drop_writable(&mut self, future: u32) {
        unsafe { (ENDING.drop_writable)(future) }
    }
}
