//! Gives the pages of compiled code which nobody uses back to the system. It
//! keeps them in its own cache of files for as long as it has room, so that who
//! comes next finds them there.

use std::ffi::c_void;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use rustix::mm::Advice;
use wasmtime::component::Component;

/// What `/proc/self/pagemap` has for a page, in bytes.
const ENTRY_BYTES: usize = 8;
/// The page is in memory.
const PRESENT: u64 = 1 << 63;
/// It was written to the swap.
const SWAPPED: u64 = 1 << 62;
/// It is one of a file, as it is there.
const OF_FILE: u64 = 1 << 61;

/// Lets the process map a component's code no longer than it has to. Only what
/// is the unchanged content of a file is given back; without a file, or where the
/// system does not tell, nothing is. Returns the bytes that were in memory.
///
/// # Errors
/// Fails when the system does not tell what is in memory.
#[allow(unsafe_code)]
pub(crate) fn release(component: &Component) -> io::Result<usize> {
    let image = component.image_range();
    let page_bytes = rustix::param::page_size();
    let len = image.end.addr() - image.start.addr();
    let first = image.start.addr() / page_bytes;
    let mut entries = vec![0; len.div_ceil(page_bytes) * ENTRY_BYTES];
    let pagemap = File::open("/proc/self/pagemap")?;
    pagemap.read_exact_at(&mut entries, (first * ENTRY_BYTES) as u64)?;
    let Some(pages) = pages(&entries) else {
        return Ok(0);
    };
    if pages > 0 {
        let start = image.start.cast_mut().cast::<c_void>();
        // SAFETY: the range is that of the component's image, which lives as long
        // as the component, begins with a page, and which nobody writes to: the
        // engine has made it read-only when it loaded it. Whatever of it is in
        // memory is the file's own, as was just seen, so that the system reads the
        // same again when somebody looks.
        unsafe { rustix::mm::madvise(start, len, Advice::LinuxDontNeed)? };
    }
    Ok(pages * page_bytes)
}

/// How many of these pages are in memory; none if any of them is not a file's.
fn pages(entries: &[u8]) -> Option<usize> {
    let (entries, _) = entries.as_chunks::<ENTRY_BYTES>();
    let entries = entries.iter().map(|it| u64::from_ne_bytes(*it));
    let mut count = 0;
    for entry in entries.filter(|it| it & (PRESENT | SWAPPED) != 0) {
        if entry & SWAPPED != 0 || entry & OF_FILE == 0 {
            return None;
        }
        count += 1;
    }
    Some(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_files_are_given_back() {
        let pages = |entries: &[u64]| {
            let bytes: Vec<u8> = entries.iter().flat_map(|it| it.to_ne_bytes()).collect();
            super::pages(&bytes)
        };
        assert_eq!(pages(&[]), Some(0));
        let of_file = PRESENT | OF_FILE | 7;
        assert_eq!(pages(&[0, of_file, OF_FILE, of_file]), Some(2));
        assert_eq!(
            pages(&[of_file, PRESENT]),
            None,
            "somebody has written to it"
        );
        assert_eq!(pages(&[of_file, SWAPPED | OF_FILE]), None);
    }
}
