//! Content codings: responses that are sent in fewer bytes than they have (RFC
//! 9110, section 8.4), if their plugin or route asks for it and the client takes
//! it.
//!
//! [`Offer`] decides, [`body`] encodes while the body streams, and [`Encoders`]
//! counts what that takes.

pub(crate) mod accept;
mod body;
mod encoder;
mod offer;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub(crate) use holdfast_core::encoding::Coding;
use holdfast_core::limits::EncodingLimits;
use http::HeaderValue;

pub(crate) use offer::Offer;

/// The field `content-encoding`.
pub(crate) fn content_encoding(coding: Coding) -> HeaderValue {
    HeaderValue::from_static(coding.name())
}

/// The memory of all encoders of the process.
pub(crate) struct Encoders {
    bytes_left: AtomicU64,
}

/// Memory for one encoder, given back when it ends.
struct Place {
    encoders: Arc<Encoders>,
    bytes: u64,
}

impl Encoders {
    pub(crate) fn new(limits: &EncodingLimits) -> Arc<Self> {
        Arc::new(Self {
            bytes_left: limits.memory_bytes_max.into(),
        })
    }

    /// None if there is not so much left.
    fn enter(self: &Arc<Self>, coding: Coding) -> Option<Place> {
        let bytes = encoder::bytes(coding);
        let take = |left: u64| left.checked_sub(bytes);
        let (set, fetch) = (Ordering::Relaxed, Ordering::Relaxed);
        self.bytes_left.fetch_update(set, fetch, take).ok()?;
        let encoders = Arc::clone(self);
        Some(Place { encoders, bytes })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let left = &self.encoders.bytes_left;
        left.fetch_add(self.bytes, Ordering::Relaxed);
    }
}
