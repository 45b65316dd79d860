//! Sections, of which modules and components consist alike: a byte that says what
//! it is, the length, and the content (core specification, section 5.5.2).

use super::Unreadable;

pub(in crate::compile) struct Section<'a> {
    pub(in crate::compile) id: u8,
    pub(in crate::compile) content: &'a [u8],
}

/// Reads one after the other.
pub(in crate::compile) fn sections(
    mut rest: &[u8],
) -> impl Iterator<Item = Result<Section<'_>, Unreadable>> {
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let section = split_first(rest).ok_or(Unreadable::Section);
        rest = section.as_ref().map_or(&[], |(_, behind)| *behind);
        Some(section.map(|(section, _)| section))
    })
}

fn split_first(bytes: &[u8]) -> Option<(Section<'_>, &[u8])> {
    let (&id, bytes) = bytes.split_first()?;
    let mut reader = wasmparser::BinaryReader::new(bytes, 0);
    let len = reader.read_var_u32().ok()? as usize;
    let bytes = bytes.get(reader.original_position()..)?;
    let (content, behind) = bytes.split_at_checked(len)?;
    Some((Section { id, content }, behind))
}

pub(in crate::compile) fn put_section(whole: &mut Vec<u8>, id: u8, content: &[u8]) {
    whole.push(id);
    // A component has less than 4 GiB, with or without calls in place of some
    // instructions of three bytes and more; otherwise the engine refuses it.
    put_number(whole, content.len() as u32);
    whole.extend_from_slice(content);
}

/// An unsigned number (core specification, section 5.2.2).
pub(in crate::compile) fn put_number(bytes: &mut Vec<u8>, mut number: u32) {
    loop {
        let low = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return;
        }
        bytes.push(low | 0x80);
    }
}
