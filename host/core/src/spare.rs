//! Memory of header fields that is used again.

use http::HeaderMap;

/// Fields whose memory is worth keeping for the next message.
const KEPT_MAX: usize = 64;

/// An empty map with the memory of this one, if that is not too much to keep.
pub fn emptied(mut fields: HeaderMap) -> Option<HeaderMap> {
    // Several of one name have room of their own.
    let is_small = fields.capacity() <= KEPT_MAX && fields.len() <= KEPT_MAX;
    fields.clear();
    is_small.then_some(fields)
}
