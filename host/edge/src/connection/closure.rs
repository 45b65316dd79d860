//! How a connection may end.

use holdfast_core::event::{CloseCause, Closure};

use crate::frame;

/// A [`Closure`]; a reason that is too long for a frame is left out.
pub(crate) fn closure(cause: CloseCause, code: u16, reason: &str) -> Closure {
    let reason = match reason.len() {
        0..=frame::REASON_BYTES_MAX => reason.to_owned(),
        _ => String::new(),
    };
    Closure {
        cause,
        code,
        reason,
    }
}

/// The transport has ended without a close frame.
pub(super) fn lost() -> Closure {
    closure(CloseCause::ConnectionLost, 1006, "")
}
