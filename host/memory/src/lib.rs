//! The allocator of the host and of the benchmark's servers.
#![allow(
    unsafe_code,
    reason = "an allocator hands out memory, which no safe code can describe"
)]

use std::alloc::{GlobalAlloc, Layout};
use std::ffi::c_void;

use libmimalloc_sys::{
    mi_collect, mi_free, mi_malloc, mi_malloc_aligned, mi_realloc, mi_realloc_aligned, mi_zalloc,
    mi_zalloc_aligned,
};

/// mimalloc.
///
/// Its functions for an alignment have to look for a block that happens to be
/// aligned; where there is none at hand, they take a larger block than was asked for,
/// and from then on to free one of the same page takes longer, too. What every block
/// has anyway is not asked for here.
#[derive(Clone, Copy, Debug, Default)]
pub struct Allocator;

/// The alignment which every block has.
const ALIGN: usize = align_of::<usize>();

// SAFETY: these are the functions of one allocator, each with what it demands: sizes
// and alignments are those of a `Layout`, and blocks come from it.
unsafe impl GlobalAlloc for Allocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let block = match layout.align() {
            ..=ALIGN => unsafe { mi_malloc(layout.size()) },
            align => unsafe { mi_malloc_aligned(layout.size(), align) },
        };
        block.cast()
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        let block = match layout.align() {
            ..=ALIGN => unsafe { mi_zalloc(layout.size()) },
            align => unsafe { mi_zalloc_aligned(layout.size(), align) },
        };
        block.cast()
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, _layout: Layout) {
        unsafe { mi_free(block.cast::<c_void>()) };
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let block = block.cast::<c_void>();
        let block = match layout.align() {
            ..=ALIGN => unsafe { mi_realloc(block, size) },
            align => unsafe { mi_realloc_aligned(block, size, align) },
        };
        block.cast()
    }
}

/// Gives back what the calling thread has too much of.
pub fn collect() {
    // SAFETY: it has no conditions, and touches nothing but free memory.
    unsafe { mi_collect(true) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_aligned_and_keep_what_is_in_them() {
        for align in [1, 2, 8, 16, 64, 4096] {
            for size in [1, 8, 24, 100, 1000, 100_000] {
                let layout = Layout::from_size_align(size, align).unwrap();
                unsafe {
                    let block = Allocator.alloc(layout);
                    assert!(block.addr().is_multiple_of(align), "{layout:?}");
                    block.write_bytes(7, size);
                    let larger = Allocator.realloc(block, layout, 3 * size);
                    assert!(larger.addr().is_multiple_of(align), "{layout:?}");
                    assert_eq!(std::slice::from_raw_parts(larger, size), vec![7; size]);
                    let layout = Layout::from_size_align(3 * size, align).unwrap();
                    Allocator.dealloc(larger, layout);
                    let zeroed = Allocator.alloc_zeroed(layout);
                    assert!(zeroed.addr().is_multiple_of(align), "{layout:?}");
                    assert_eq!(std::slice::from_raw_parts(zeroed, size), vec![0; size]);
                    Allocator.dealloc(zeroed, layout);
                }
            }
        }
    }
}
