//! Texts that are answered without the guest.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Pairs that a plugin may have.
pub const PAIRS_MAX: usize = 64;
/// Bytes that each text of a pair may have.
pub const TEXT_BYTES_MAX: usize = 1024;

/// From a text message to the text that answers it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replies(Option<Arc<BTreeMap<String, String>>>);

/// There are too many pairs, or a text is too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`replies` has more than {PAIRS_MAX} pairs, or a text of more than {TEXT_BYTES_MAX} bytes")]
pub struct TooMuch;

impl Replies {
    /// Checks the pairs.
    ///
    /// # Errors
    /// Fails when there are more than [`PAIRS_MAX`], or when a text is longer
    /// than [`TEXT_BYTES_MAX`].
    pub fn new(pairs: &BTreeMap<String, String>) -> Result<Self, TooMuch> {
        let is_long = |text: &String| text.len() > TEXT_BYTES_MAX;
        let mut texts = pairs.iter().flat_map(|(request, reply)| [request, reply]);
        if pairs.len() > PAIRS_MAX || texts.any(is_long) {
            return Err(TooMuch);
        }
        Ok(Self((!pairs.is_empty()).then(|| Arc::new(pairs.clone()))))
    }

    /// What answers a text, if anything does.
    pub fn get(&self, text: &str) -> Option<&str> {
        let pairs = self.0.as_ref()?;
        if text.len() > TEXT_BYTES_MAX {
            return None;
        }
        pairs.get(text).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_texts_are_answered() {
        let pairs = [("ping", "pong"), ("", "nothing")];
        let pairs = pairs.map(|(request, reply)| (request.to_owned(), reply.to_owned()));
        let replies = Replies::new(&pairs.into()).unwrap();
        assert_eq!(replies.get("ping"), Some("pong"));
        assert_eq!(replies.get(""), Some("nothing"));
        assert_eq!(replies.get("ping "), None);
        assert_eq!(Replies::default().get(""), None);
    }

    #[test]
    fn there_are_few_and_short_ones() {
        let of = |count: usize, len: usize| {
            let pairs = (0..count).map(|at| (at.to_string(), "x".repeat(len)));
            Replies::new(&pairs.collect()).is_ok()
        };
        assert!(of(PAIRS_MAX, TEXT_BYTES_MAX));
        assert!(!of(PAIRS_MAX + 1, 1));
        assert!(!of(1, TEXT_BYTES_MAX + 1));
    }
}
