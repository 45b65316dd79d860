//! What is fuzzed of this crate, for `fuzz/` alone: each function takes any bytes,
//! and panics if something does not hold.

use crate::AllowList;
use crate::compile::pieces;

/// A component as somebody has uploaded it, on its way to the compiler.
pub fn component(data: &[u8]) {
    let Ok(cut) = pieces::cut(data) else {
        return;
    };
    // What has no long instructions any more stays as it is.
    let again = pieces::cut(&cut).map(|again| again == cut);
    assert!(again.is_ok(), "what comes out can be read");
}

/// `allow_http` of a plugin.
pub fn allow_list(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let entries: Vec<String> = text.lines().map(str::to_owned).collect();
    let _ = AllowList::parse(&entries);
}
