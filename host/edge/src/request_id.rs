//! Request ids: what an HTTP request is called in the log, by the guest, and by
//! the client. The client's own is taken if it can stand in a log; otherwise one
//! is made.

use std::cell::{Cell, RefCell};
use std::hash::{BuildHasher, RandomState};

use bytes::BytesMut;
use http::header::HeaderName;
use http::{HeaderMap, HeaderValue};

/// The field, of requests and of responses.
pub(crate) const NAME: HeaderName = HeaderName::from_static("x-request-id");

/// Bytes of the longest that is taken.
const BYTES_MAX: usize = 128;

/// Ids that share memory: to ask for each of them alone would cost more than to
/// make it. As long as one is known, all of them take room.
const MADE_TOGETHER: usize = 16;

/// Makes ids, for one event loop: what is random for the loop, and a keyed hash of
/// a count, so that nobody can guess the next, at the cost of some nanoseconds.
pub(crate) struct Ids {
    keys: RandomState,
    first_half: [u8; 16],
    count: Cell<u64>,
    /// Room for the next ones.
    room: RefCell<BytesMut>,
}

impl Ids {
    pub(crate) fn new() -> Self {
        let keys = RandomState::new();
        let first_half = hex(keys.hash_one("loop"));
        Self {
            keys,
            first_half,
            count: Cell::new(0),
            room: RefCell::default(),
        }
    }

    /// The id of a request, which its headers have from now on.
    pub(crate) fn settle(&self, headers: &mut HeaderMap) -> HeaderValue {
        let mut given = headers.get_all(&NAME).iter();
        let taken = match (given.next(), given.next()) {
            // A copy, since it may be a part of something larger.
            (Some(id), None) if is_sane(id) => HeaderValue::from_bytes(id.as_bytes()).ok(),
            _ => None,
        };
        let id = taken.unwrap_or_else(|| self.make());
        headers.insert(NAME, id.clone());
        id
    }

    /// 32 hexadecimal digits.
    fn make(&self) -> HeaderValue {
        let count = self.count.get();
        self.count.set(count.wrapping_add(1));
        let mut room = self.room.borrow_mut();
        if room.capacity() < 32 {
            *room = BytesMut::with_capacity(32 * MADE_TOGETHER);
        }
        room.extend_from_slice(&self.first_half);
        room.extend_from_slice(&hex(self.keys.hash_one(count)));
        let id = HeaderValue::from_maybe_shared(room.split().freeze());
        id.unwrap_or(HeaderValue::from_static("-"))
    }
}

/// Lower-case hexadecimal digits.
fn hex(bits: u64) -> [u8; 16] {
    let digit = |index: usize| match (bits >> (60 - index * 4)) as u8 & 0xf {
        digit @ 0..=9 => b'0' + digit,
        digit => b'a' - 10 + digit,
    };
    std::array::from_fn(digit)
}

/// Letters, digits and `-._~:=+/@`.
fn is_sane(id: &HeaderValue) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~:=+/@".contains(byte);
    (1..=BYTES_MAX).contains(&id.len()) && id.as_bytes().iter().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settle(ids: &Ids, given: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for id in given {
            headers.append(NAME, HeaderValue::try_from(*id).unwrap());
        }
        let id = ids.settle(&mut headers);
        assert_eq!(headers.get_all(NAME).iter().collect::<Vec<_>>(), [&id]);
        id.to_str().unwrap().to_owned()
    }

    #[test]
    fn an_id_that_can_stand_in_a_log_is_taken() {
        let ids = Ids::new();
        for id in ["a", "01J-abc._~:=+/@", &"x".repeat(BYTES_MAX)] {
            assert_eq!(settle(&ids, &[id]), *id);
        }
        let bad = ["", "a b", "a\"", "é", "a,b", &"x".repeat(BYTES_MAX + 1)];
        for id in bad {
            assert_ne!(settle(&ids, &[id]), *id);
        }
        assert_ne!(settle(&ids, &["a", "b"]), "a", "which one?");
    }

    #[test]
    fn made_ids_are_all_different() {
        let (one, other) = (Ids::new(), Ids::new());
        let mut made: Vec<_> = (0..1000).map(|_| settle(&one, &[])).collect();
        made.extend((0..1000).map(|_| settle(&other, &[])));
        assert!(made.iter().all(|id| id.len() == 32));
        assert_eq!(hex(0x0123_4567_89ab_cdef), *b"0123456789abcdef");
        made.sort();
        made.dedup();
        assert_eq!(made.len(), 2000);
    }
}
