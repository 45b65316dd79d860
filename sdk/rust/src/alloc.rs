//! Memory for guests.
//!
//! Rust's allocator for this target is made for any program; to ask it for a few
//! bytes takes some 200 instructions, and to give them back 130. A handler lives for
//! microseconds and asks for small pieces again and again, which was a tenth of all
//! that an HTTP request took. So a few free pieces of each small size are kept in a
//! list, where it takes ten.
#![allow(
    unsafe_code,
    reason = "an allocator hands out memory, which no safe code can describe"
)]

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;
use std::ptr;

/// The sizes of pieces are multiples of so many bytes.
const STEP: usize = 16;
/// The largest that are kept.
const SMALL: usize = 1024;
/// Pieces of one size that are kept: in all, about one MiB if nothing else is done
/// than to let go of pieces of all sizes.
const KEPT_MAX: usize = 32;
/// The alignment which pieces have at least, whatever is asked for.
const ALIGN: usize = 8;

/// Keeps small pieces of memory that come back, and has others of `rest`.
struct Keeping<A> {
    rest: A,
    kept: [Kept; SMALL / STEP],
}

/// Free pieces of one size: the first has the address of the next in it.
struct Kept {
    first: Cell<*mut u8>,
    len: Cell<usize>,
}

#[cfg(target_arch = "wasm32")]
mod global {
    use std::alloc::System;

    use super::Keeping;

    // SAFETY: a component has one thread: with more this is not compiled.
    unsafe impl Sync for Keeping<System> {}

    #[global_allocator]
    static ALLOCATOR: Keeping<System> = Keeping::new(System);
}

impl<A> Keeping<A> {
    const fn new(rest: A) -> Self {
        Self {
            rest,
            kept: [const {
                Kept {
                    first: Cell::new(ptr::null_mut()),
                    len: Cell::new(0),
                }
            }; SMALL / STEP],
        }
    }

    /// Where pieces for this layout are kept, if they are; and how large they are.
    #[inline]
    fn kept(&self, layout: Layout) -> Option<(&Kept, Layout)> {
        let index = layout.size().wrapping_sub(1) / STEP;
        let kept = self.kept.get(index)?;
        if layout.align() > ALIGN {
            return None;
        }
        let size = (index + 1) * STEP;
        Some((kept, Layout::from_size_align(size, ALIGN).ok()?))
    }
}

// SAFETY: a piece is in a list or in use, never both: it enters a list when it is
// let go, and leaves it when it is handed out. Those of a list are as large as their
// layout there, which all layouts have in common that lead to the list.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Keeping<A> {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some((kept, layout)) = self.kept(layout) else {
            // SAFETY: as the caller has promised.
            return unsafe { self.rest.alloc(layout) };
        };
        let first = kept.first.get();
        if first.is_null() {
            // SAFETY: the size is not zero.
            return unsafe { self.rest.alloc(layout) };
        }
        // SAFETY: a piece in the list begins with the address of the next.
        kept.first.set(unsafe { first.cast::<*mut u8>().read() });
        kept.len.set(kept.len.get() - 1);
        first
    }

    #[inline]
    unsafe fn dealloc(&self, piece: *mut u8, layout: Layout) {
        match self.kept(layout) {
            Some((kept, _)) if kept.len.get() < KEPT_MAX => {
                // SAFETY: nobody uses the piece any more, and it has room for an
                // address, with the alignment of one.
                unsafe { piece.cast::<*mut u8>().write(kept.first.get()) };
                kept.first.set(piece);
                kept.len.set(kept.len.get() + 1);
            }
            // SAFETY: with this layout it was asked for.
            Some((_, layout)) => unsafe { self.rest.dealloc(piece, layout) },
            // SAFETY: as the caller has promised.
            None => unsafe { self.rest.dealloc(piece, layout) },
        }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if self.kept(layout).is_none() {
            // SAFETY: as the caller has promised.
            return unsafe { self.rest.alloc_zeroed(layout) };
        }
        // SAFETY: likewise.
        let piece = unsafe { self.alloc(layout) };
        if !piece.is_null() {
            // SAFETY: the piece is at least so large.
            unsafe { piece.write_bytes(0, layout.size()) };
        }
        piece
    }

    #[inline]
    unsafe fn realloc(&self, piece: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller promises that it is no larger than a layout may be.
        let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        match (self.kept(layout), self.kept(wanted)) {
            // SAFETY: as the caller has promised.
            (None, None) => unsafe { self.rest.realloc(piece, layout, size) },
            (Some((one, _)), Some((other, _))) if ptr::eq(one, other) => piece,
            _ => {
                // SAFETY: both are as large as what is copied; the first was asked for
                // with this layout.
                unsafe {
                    let other = self.alloc(wanted);
                    if !other.is_null() {
                        other.copy_from_nonoverlapping(piece, layout.size().min(size));
                        self.dealloc(piece, layout);
                    }
                    other
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::alloc::System;
    use std::slice;

    use super::*;

    /// Counts what is not given back.
    struct Counting(Cell<isize>);

    // SAFETY: the system's, unchanged.
    unsafe impl GlobalAlloc for Counting {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            self.0.set(self.0.get() + 1);
            unsafe { System.alloc(layout) }
        }

        unsafe fn dealloc(&self, piece: *mut u8, layout: Layout) {
            self.0.set(self.0.get() - 1);
            unsafe { System.dealloc(piece, layout) }
        }
    }

    fn allocator() -> Keeping<Counting> {
        Keeping::new(Counting(Cell::new(0)))
    }

    fn layout(size: usize) -> Layout {
        Layout::from_size_align(size, 1).unwrap()
    }

    #[test]
    fn a_piece_is_used_again_for_what_is_as_large() {
        let memory = allocator();
        unsafe {
            let piece = memory.alloc(layout(17));
            memory.dealloc(piece, layout(17));
            let larger = memory.alloc(layout(33));
            assert_ne!(larger, piece);
            let again = memory.alloc_zeroed(layout(32));
            assert_eq!(again, piece);
            assert_eq!(slice::from_raw_parts(again, 32), [0; 32]);
            let other = memory.alloc(layout(32));
            assert!(other != piece && other != larger);
        }
        assert_eq!(memory.rest.0.get(), 3);
    }

    #[test]
    fn what_is_large_or_aligned_is_not_kept() {
        let memory = allocator();
        let aligned = Layout::from_size_align(32, 64).unwrap();
        unsafe {
            for layout in [layout(SMALL + 1), aligned] {
                let piece = memory.alloc(layout);
                assert!(piece.addr().is_multiple_of(layout.align()));
                memory.dealloc(piece, layout);
                assert_eq!(memory.rest.0.get(), 0);
            }
        }
    }

    #[test]
    fn no_more_than_so_many_are_kept() {
        let memory = allocator();
        unsafe {
            let pieces: Vec<_> = (0..2 * KEPT_MAX).map(|_| memory.alloc(layout(5))).collect();
            for piece in pieces {
                memory.dealloc(piece, layout(5));
            }
        }
        assert_eq!(memory.rest.0.get(), KEPT_MAX as isize);
    }

    #[test]
    fn what_is_in_a_piece_stays_when_that_grows_or_shrinks() {
        let memory = allocator();
        unsafe {
            let mut piece = memory.alloc(layout(1));
            piece.write(7);
            let mut size = 1;
            for wanted in [16, 17, 500, SMALL, SMALL + 1, 5000, 2000, SMALL, 40, 33, 1] {
                piece = memory.realloc(piece, layout(size), wanted);
                assert_eq!(piece.read(), 7);
                piece.add(wanted - 1).write(7);
                size = wanted;
            }
            memory.dealloc(piece, layout(size));
        }
    }
}
