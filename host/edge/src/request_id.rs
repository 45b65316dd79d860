//! Request ids: the client's own is taken if it can stand in a log; otherwise one
//! is made.

use std::cell::Cell;
use std::hash::{BuildHasher, RandomState};

use holdfast_core::RequestId;
use holdfast_core::request_id::FIELD;
use http::{HeaderMap, HeaderValue};

/// Bytes of the longest that is taken.
const BYTES_MAX: usize = 128;

/// Makes ids, for one event loop: what is random for the loop, and a keyed hash of
/// a count, so that nobody can guess the next, at the cost of some nanoseconds.
pub(crate) struct Ids {
    keys: RandomState,
    first_half: u64,
    count: Cell<u64>,
}

impl Ids {
    pub(crate) fn new() -> Self {
        let keys = RandomState::new();
        Self {
            first_half: keys.hash_one("loop"),
            keys,
            count: Cell::new(0),
        }
    }

    /// The id of a request with these header fields.
    pub(crate) fn of(&self, headers: &HeaderMap) -> RequestId {
        let mut given = headers.get_all(FIELD).iter();
        let taken = match (given.next(), given.next()) {
            // A copy, since it may be a part of something larger.
            (Some(id), None) if is_sane(id) => HeaderValue::from_bytes(id.as_bytes()).ok(),
            _ => None,
        };
        let taken = taken.and_then(RequestId::given);
        taken.unwrap_or_else(|| self.make())
    }

    fn make(&self) -> RequestId {
        let count = self.count.get();
        self.count.set(count.wrapping_add(1));
        RequestId::made(self.first_half, self.keys.hash_one(count))
    }
}

/// Letters, digits and `-._~:=+/@`.
fn is_sane(id: &HeaderValue) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~:=+/@".contains(byte);
    (1..=BYTES_MAX).contains(&id.len()) && id.as_bytes().iter().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(ids: &Ids, given: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for id in given {
            headers.append(FIELD, HeaderValue::try_from(*id).unwrap());
        }
        ids.of(&headers).as_str().to_owned()
    }

    #[test]
    fn an_id_that_can_stand_in_a_log_is_taken() {
        let ids = Ids::new();
        for id in ["a", "01J-abc._~:=+/@", &"x".repeat(BYTES_MAX)] {
            assert_eq!(of(&ids, &[id]), *id);
        }
        let bad = ["", "a b", "a\"", "é", "a,b", &"x".repeat(BYTES_MAX + 1)];
        for id in bad {
            assert_ne!(of(&ids, &[id]), *id);
        }
        assert_ne!(of(&ids, &["a", "b"]), "a", "which one?");
    }

    #[test]
    fn made_ids_are_all_different() {
        let (one, other) = (Ids::new(), Ids::new());
        let mut made: Vec<_> = (0..1000).map(|_| of(&one, &[])).collect();
        made.extend((0..1000).map(|_| of(&other, &[])));
        assert!(made.iter().all(|id| id.len() == 32));
        made.sort();
        made.dedup();
        assert_eq!(made.len(), 2000);
    }
}
