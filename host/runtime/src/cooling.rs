//! Which components are in use, and the giving back of memory for those which are
//! not: of a thousand plugins, most are idle most of the time.
//!
//! ```text
//! an instance is made ──► warm ──cool──► cooling ──cool──► cold: its code is
//!          ▲                                │              in the system's cache
//!          └────────────────────────────────┴──────────────┘ of files alone
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};

use crate::load::Parts;

const COLD: u8 = 0;
const COOLING: u8 = 1;
const WARM: u8 = 2;

/// How a component is used.
#[derive(Debug, Default)]
pub(crate) struct Uses {
    instances: AtomicU32,
    warmth: AtomicU8,
}

impl Uses {
    fn begin(&self) {
        self.instances.fetch_add(1, Ordering::Relaxed);
        self.warmth.store(WARM, Ordering::Relaxed);
    }

    fn end(&self) {
        self.instances.fetch_sub(1, Ordering::Relaxed);
    }

    /// Lets it cool by one step. True if it is cold now and was not before.
    pub(crate) fn cool(&self) -> bool {
        if self.instances.load(Ordering::Relaxed) > 0 {
            return false;
        }
        // Whoever uses it at this moment finds it as it is, or fetches it again.
        let cool = |warmth: u8| warmth.checked_sub(1);
        let (set, fetch) = (Ordering::Relaxed, Ordering::Relaxed);
        self.warmth.fetch_update(set, fetch, cool) == Ok(COOLING)
    }

    /// The same in one step, for what was used but to try it.
    pub(crate) fn chill(&self) -> bool {
        self.instances.load(Ordering::Relaxed) == 0
            && self.warmth.swap(COLD, Ordering::Relaxed) != COLD
    }
}

/// An instance of a component.
pub(crate) struct Use(Arc<Parts>);

impl Use {
    /// For an instance that is about to be made.
    pub(crate) fn new(parts: &Arc<Parts>) -> Self {
        parts.uses.begin();
        Self(Arc::clone(parts))
    }
}

impl Drop for Use {
    fn drop(&mut self) {
        self.0.uses.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_uses_for_a_while_is_cold() {
        let uses = Uses::default();
        assert!(!uses.cool(), "it was never used");
        uses.begin();
        assert!(!uses.cool() && !uses.cool() && !uses.chill(), "in use");
        uses.end();
        assert!(!uses.cool(), "it was used a moment ago");
        uses.begin();
        uses.end();
        assert!(!uses.cool(), "and again");
        assert!(uses.cool());
        assert!(!uses.cool(), "once is enough");
        uses.begin();
        uses.end();
        assert!(uses.chill());
        assert!(!uses.chill() && !uses.cool());
    }
}
