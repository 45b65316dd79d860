//! What a plugin's author says of its WebSockets, besides limits: whether
//! messages are compressed, from which pages browsers may come, and what is
//! answered without the guest.

mod origins;
mod replies;

use serde::Deserialize;

pub use origins::{NotAnOrigin, Origins};
pub use replies::{PAIRS_MAX, Replies, TEXT_BYTES_MAX, TooMuch};

/// All of it. Clones share what is large.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policies {
    /// Whether messages are compressed.
    pub compression: Compression,
    /// From which pages browsers may come.
    pub origins: Origins,
    /// What is answered without the guest.
    pub replies: Replies,
}

/// Whether messages are compressed for clients that offer it (RFC 7692).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Compression {
    /// No.
    #[default]
    Off,
    /// Each message by itself: a connection keeps nothing, and what is published
    /// is compressed once for all.
    Shared,
    /// Messages refer to those before, in both directions: a connection keeps
    /// the last bytes of them, twice 2 to the power of
    /// [`crate::limits::CompressLimits::window_bits`] at most.
    Context,
}
