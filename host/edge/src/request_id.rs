//! Request ids: what an HTTP request is called in the log, by the guest, and by
//! the client. The client's own is taken if it can stand in a log; otherwise one
//! is made.

use std::cell::Cell;
use std::fmt::Write;
use std::hash::{BuildHasher, RandomState};

use http::header::HeaderName;
use http::{HeaderMap, HeaderValue};

/// The field, of requests and of responses.
pub(crate) const NAME: HeaderName = HeaderName::from_static("x-request-id");

/// Bytes of the longest that is taken.
const BYTES_MAX: usize = 128;

/// Makes ids, for one event loop: a keyed hash of a count, so that nobody can
/// guess the next, at the cost of some nanoseconds.
pub(crate) struct Ids {
    keys: RandomState,
    count: Cell<u64>,
}

impl Ids {
    pub(crate) fn new() -> Self {
        Self {
            keys: RandomState::new(),
            count: Cell::new(0),
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
        let mut text = String::with_capacity(32);
        for half in 0..2_u8 {
            // A string takes whatever is written.
            let _ = write!(text, "{:016x}", self.keys.hash_one((count, half)));
        }
        HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("-"))
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
        made.sort();
        made.dedup();
        assert_eq!(made.len(), 2000);
    }
}
