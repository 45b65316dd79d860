//! One list of cases for every language: see `tests/conformance/README.md`.
//!
//! A case is a script (see [`play`]), named for the command that it is about. The
//! names of tests have the language first, so that a failure says whose it is;
//! all cases of a group are tried, whichever fail.

mod capabilities;
mod events;
mod failures;
mod group;
mod language;
mod many;
mod messages;
mod outbound;
mod pattern;
mod play;
mod requests;

use language::Language;

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

/// The tests of a language.
macro_rules! language {
    ($module:ident, $language:expr) => {
        mod $module {
            use super::*;

            const LANGUAGE: Language = $language;

            #[tokio::test]
            async fn events() {
                group::run(&LANGUAGE, &events::GROUP).await;
            }

            #[tokio::test]
            async fn messages() {
                group::run(&LANGUAGE, &messages::GROUP).await;
            }

            #[tokio::test]
            async fn capabilities() {
                group::run(&LANGUAGE, &capabilities::GROUP).await;
            }

            #[tokio::test]
            async fn requests() {
                group::run(&LANGUAGE, &requests::GROUP).await;
            }

            #[tokio::test]
            async fn failures() {
                group::run(&LANGUAGE, &failures::GROUP).await;
            }

            #[tokio::test]
            async fn outbound() {
                group::run(&LANGUAGE, &outbound::GROUP).await;
            }

            #[tokio::test]
            async fn many_at_once() {
                many::run(&LANGUAGE).await;
            }

            #[test]
            fn what_is_not_supported_has_a_name_and_a_reason() {
                LANGUAGE.check();
            }
        }
    };
}

language!(
    rust,
    Language {
        name: "rust",
        folder: "rust",
        trace: "message.rs",
    }
);

/// The folders whose languages are tried above.
const TRIED: [&str; 1] = ["rust"];

#[test]
fn every_language_is_tried() {
    let mut found = language::folders();
    found.sort();
    assert_eq!(found, TRIED, "the folders of tests/conformance");
}
