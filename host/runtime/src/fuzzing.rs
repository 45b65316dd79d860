//! What is fuzzed of this crate, for `fuzz/` alone: each function takes any bytes,
//! and panics if something does not hold.

use wasmparser::{Validator, WasmFeatures};

use crate::AllowList;
use crate::compile::{direct, pieces};
use crate::direct::is_there;

/// A component as somebody has uploaded it, on its way to the compiler.
pub fn component(data: &[u8]) {
    let Ok(cut) = pieces::cut(data) else {
        return;
    };
    // What has no long instructions any more stays as it is.
    let again = pieces::cut(&cut).map(|again| again == cut);
    assert!(again.is_ok(), "what comes out can be read");
    // What is prepared for being linked directly is as good a component.
    if let Some(prepared) = direct::prepare(&cut, is_there) {
        assert!(pieces::cut(&prepared).is_ok(), "it can be read");
        let prepared = validated(&prepared);
        assert!(validated(&cut).is_err() || prepared.is_ok(), "{prepared:?}");
    }
    direct::is_claimed(&cut);
}

fn validated(component: &[u8]) -> wasmparser::Result<()> {
    let mut validator = Validator::new_with_features(WasmFeatures::all());
    validator.validate_all(component).map(drop)
}

/// `allow_http` of a plugin.
pub fn allow_list(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let entries: Vec<String> = text.lines().map(str::to_owned).collect();
    let _ = AllowList::parse(&entries);
}
