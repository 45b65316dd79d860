//! What a language can't do: `tests/conformance/LANG/unsupported.toml`.

use std::collections::BTreeMap;

use super::GROUPS;
use crate::languages::Language;

/// The names of cases which a language can't pass, and why. What one builder of
/// several can't do is in a table of that builder's name.
pub(crate) fn reasons(language: &Language) -> BTreeMap<String, String> {
    let file = language.suite().join("unsupported.toml");
    let Ok(text) = std::fs::read_to_string(&file) else {
        return BTreeMap::new();
    };
    let table: toml::Table = text.parse().expect("a list of what is not supported");
    let mut reasons = BTreeMap::new();
    for (key, value) in table {
        match value {
            toml::Value::String(reason) => {
                reasons.insert(key, reason);
            }
            toml::Value::Table(own) => {
                let own = own.into_iter().filter(|_| key == language.name);
                reasons.extend(own.map(|(key, value)| {
                    let reason = value.as_str().expect("a reason");
                    (key, reason.to_owned())
                }));
            }
            other => panic!("{}: {key}: {other}", file.display()),
        }
    }
    reasons
}

/// Checks that everything which is not supported is a case of the suite, and has a
/// reason.
pub(super) fn check(language: &Language) {
    let cases = GROUPS.iter().flat_map(|group| group.cases);
    let mut known: Vec<&str> = cases.map(|case| case.name).collect();
    // The example of that name.
    known.push("stream");
    for (name, reason) in reasons(language) {
        let language = language.name;
        assert!(
            known.contains(&name.as_str()),
            "{language}: there is no case `{name}`; there are {known:?}"
        );
        assert!(
            reason.split_whitespace().count() > 2,
            "{language}: why is there no `{name}`? {reason:?}"
        );
    }
}
