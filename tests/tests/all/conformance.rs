//! One list of cases for every language: see `tests/conformance/README.md`.
//!
//! A case is a script (see [`play`]), named for the command that it is about. The
//! names of tests have the language in them, so that a failure says whose it is;
//! all cases of a group are tried, whichever fail.

mod capabilities;
mod events;
mod failures;
mod group;
mod many;
mod messages;
mod outbound;
mod pattern;
mod play;
mod requests;
pub(crate) mod unsupported;

use crate::languages::Language;

/// A case of the suite.
struct Case {
    /// The command that a language would have to lack to be excused.
    name: &'static str,
    script: &'static str,
}

/// Cases that are tried with one host.
struct Group {
    name: &'static str,
    cases: &'static [Case],
}

/// Every group of scripts.
const GROUPS: [&Group; 6] = [
    &events::GROUP,
    &messages::GROUP,
    &capabilities::GROUP,
    &requests::GROUP,
    &failures::GROUP,
    &outbound::GROUP,
];

in_every_language!(
    events,
    messages,
    capabilities,
    requests,
    failures,
    outbound,
    many_at_once,
    what_is_not_supported_has_a_name_and_a_reason,
);

async fn events(language: &Language) {
    group::run(language, &events::GROUP).await;
}

async fn messages(language: &Language) {
    group::run(language, &messages::GROUP).await;
}

async fn capabilities(language: &Language) {
    group::run(language, &capabilities::GROUP).await;
}

async fn requests(language: &Language) {
    group::run(language, &requests::GROUP).await;
}

async fn failures(language: &Language) {
    group::run(language, &failures::GROUP).await;
}

async fn outbound(language: &Language) {
    group::run(language, &outbound::GROUP).await;
}

async fn many_at_once(language: &Language) {
    many::run(language).await;
}

async fn what_is_not_supported_has_a_name_and_a_reason(language: &Language) {
    unsupported::check(language);
}
