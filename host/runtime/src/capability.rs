//! What guests may import, one module each; none of them knows another.

pub(crate) mod config;
pub(crate) mod elsewhere;
pub(crate) mod folders;
pub(crate) mod keyvalue;
pub(crate) mod logging;
pub(crate) mod outbound;
pub(crate) mod stdio;

/// What a guest has of an interface which this host provides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provision {
    /// It works as it is.
    Granted,
    /// It works for what the operator has granted; the text names the key.
    ByGrant(&'static str),
    /// It can be imported, but every use is refused or finds nothing.
    Denied(&'static str),
}

/// How an interface is found: the beginning of its name, its versions, and what a
/// guest has of it. The first that fits decides.
const PROVIDED: &[(&str, Versions, Provision)] = &[
    // Of the versions, `load` says more.
    ("holdfast:websocket/", Versions::Any, Provision::Granted),
    ("wasi:http/types", Versions::Published, Provision::Granted),
    (
        "wasi:http/outgoing-handler",
        Versions::Published,
        Provision::ByGrant("allow_http"),
    ),
    (
        "wasi:http/client",
        Versions::Published,
        Provision::ByGrant("allow_http"),
    ),
    (
        "wasi:config/store",
        Versions::Only(&["0.2.0-rc.1", "0.2.0-draft", "0.2.0-draft-2024-09-27"]),
        Provision::ByGrant("config"),
    ),
    (
        "wasi:config/runtime",
        Versions::Only(&["0.2.0-draft"]),
        Provision::ByGrant("config"),
    ),
    ("wasi:keyvalue/store", KEYVALUE, Provision::Granted),
    ("wasi:keyvalue/atomics", KEYVALUE, Provision::Granted),
    ("wasi:keyvalue/batch", KEYVALUE, Provision::Granted),
    (
        "wasi:logging/logging",
        Versions::Only(&["0.1.0-draft", ""]),
        Provision::Granted,
    ),
    ("wasi:io/", Versions::Published, Provision::Granted),
    ("wasi:clocks/", Versions::Published, Provision::Granted),
    ("wasi:random/", Versions::Published, Provision::Granted),
    (
        "wasi:cli/environment",
        Versions::Published,
        Provision::ByGrant("env"),
    ),
    (
        "wasi:cli/stdin",
        Versions::Published,
        Provision::Denied("the input is at its end"),
    ),
    (
        "wasi:cli/terminal-",
        Versions::Published,
        Provision::Denied("there is no terminal"),
    ),
    ("wasi:cli/", Versions::Published, Provision::Granted),
    (
        "wasi:filesystem/",
        Versions::Published,
        Provision::ByGrant("folders"),
    ),
    (
        "wasi:sockets/",
        Versions::Published,
        Provision::Denied("there are no sockets"),
    ),
];

const KEYVALUE: Versions = Versions::Only(&["0.2.0-draft2", "0.2.0-draft"]);

/// Versions of an interface.
#[derive(Clone, Copy)]
enum Versions {
    Any,
    /// WASI 0.2 and 0.3, whatever the last number is: it stands for additions.
    Published,
    /// These, each with an interface of its own; "" for none.
    Only(&'static [&'static str]),
}

impl Versions {
    fn have(self, version: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Published => {
                (version.starts_with("0.2.") || version.starts_with("0.3."))
                    && !version.contains('-')
            }
            Self::Only(versions) => versions.contains(&version),
        }
    }
}

/// What a guest has of an import with this name; none if nothing is known of
/// it.
pub(crate) fn provision(import: &str) -> Option<Provision> {
    let (interface, version) = import.split_once('@').unwrap_or((import, ""));
    let mut provided = PROVIDED.iter();
    let found = provided
        .find(|(prefix, versions, _)| interface.starts_with(prefix) && versions.have(version));
    found.map(|(_, _, provision)| *provision)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_told_apart() {
        for provided in [
            "wasi:http/types@0.2.0",
            "wasi:http/types@0.2.99",
            "wasi:http/types@0.3.0",
            "wasi:keyvalue/store@0.2.0-draft",
            "wasi:keyvalue/batch@0.2.0-draft2",
            "wasi:config/runtime@0.2.0-draft",
            "wasi:logging/logging",
            "wasi:cli/exit@0.2.3",
        ] {
            assert!(provision(provided).is_some(), "{provided}");
        }
        for missing in [
            "wasi:http/types@0.2.0-rc-2023-11-10",
            "wasi:http/types@0.4.0",
            "wasi:http/incoming-handler@0.2.0",
            "wasi:keyvalue/store@0.2.0-draft3",
            "wasi:config/runtime@0.2.0-rc.1",
            "wasi:blobstore/blobstore@0.2.0-draft",
        ] {
            assert_eq!(provision(missing), None, "{missing}");
        }
    }
}
