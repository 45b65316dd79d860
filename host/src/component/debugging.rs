//! A module without what only a debugger reads, which is most of it. The names of
//! functions stay, for the stacks of traps.

/// The magic number and the version.
const HEAD_BYTES: usize = 8;

/// A number of 32 bits in LEB128.
const NUMBER_BYTES_MAX: usize = 5;

/// Leaves it out. What is no module stays as it is, for others to tell.
pub(super) fn left_out(module: &[u8]) -> Vec<u8> {
    let Some((head, mut rest)) = module.split_at_checked(HEAD_BYTES) else {
        return module.to_vec();
    };
    let mut kept = head.to_vec();
    while let Some((section, after)) = section(rest) {
        if !is_debugging(section) {
            kept.extend_from_slice(section);
        }
        rest = after;
    }
    kept.extend_from_slice(rest);
    kept
}

/// The first section, with its head, and what comes after it.
fn section(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (_, sized) = bytes.split_first()?;
    let (size, content) = number(sized)?;
    let head = bytes.len() - content.len();
    bytes.split_at_checked(head.checked_add(size)?)
}

fn is_debugging(section: &[u8]) -> bool {
    name(section).is_some_and(|name| name.starts_with(b".debug_"))
}

/// The name of a custom section, which has the id 0.
fn name(section: &[u8]) -> Option<&[u8]> {
    let Some((0, sized)) = section.split_first() else {
        return None;
    };
    let (_, content) = number(sized)?;
    let (len, content) = number(content)?;
    content.get(..len)
}

/// An unsigned number in LEB128, and what comes after it.
fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0;
    for (index, byte) in bytes.iter().enumerate().take(NUMBER_BYTES_MAX) {
        value |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(index + 1..)?));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_debuggers_read_is_left_out() {
        let head = b"\0asm\x01\0\0\0".as_slice();
        let name = b"\0\x06\x04name\0".as_slice();
        let debugging = b"\0\x0d\x0b.debug_info\x07".as_slice();
        assert_eq!(
            left_out(&[head, debugging, name].concat()),
            [head, name].concat()
        );
        for bytes in [b"".as_slice(), b"short", b"longer than a head"] {
            assert_eq!(left_out(bytes), bytes);
        }
    }
}
