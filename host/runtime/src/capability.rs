//! What guests may import, one module each; none of them knows another.

pub(crate) mod config;
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

/// Prefixes of the names of interfaces. The first that fits decides.
const PROVIDED: &[(&str, Provision)] = &[
    ("holdfast:websocket/", Provision::Granted),
    ("wasi:http/types@", Provision::Granted),
    (
        "wasi:http/outgoing-handler@0.2.",
        Provision::ByGrant("allow_http"),
    ),
    ("wasi:http/client@0.3.", Provision::ByGrant("allow_http")),
    ("wasi:config/store@0.2.0-rc.1", Provision::ByGrant("config")),
    ("wasi:keyvalue/store@0.2.0-draft2", Provision::Granted),
    ("wasi:keyvalue/atomics@0.2.0-draft2", Provision::Granted),
    ("wasi:keyvalue/batch@0.2.0-draft2", Provision::Granted),
    ("wasi:logging/logging@0.1.0-draft", Provision::Granted),
    ("wasi:io/", Provision::Granted),
    ("wasi:clocks/", Provision::Granted),
    ("wasi:random/", Provision::Granted),
    (
        "wasi:cli/environment@",
        Provision::Denied("the environment is empty"),
    ),
    (
        "wasi:cli/stdin@",
        Provision::Denied("the input is at its end"),
    ),
    (
        "wasi:cli/terminal-",
        Provision::Denied("there is no terminal"),
    ),
    ("wasi:cli/", Provision::Granted),
    ("wasi:filesystem/", Provision::Denied("there are no files")),
    ("wasi:sockets/", Provision::Denied("there are no sockets")),
];

/// What a guest has of an import with this name; none if nothing is known of
/// it.
pub(crate) fn provision(import: &str) -> Option<Provision> {
    PROVIDED
        .iter()
        .find(|(prefix, _)| import.starts_with(prefix))
        .map(|(_, provision)| *provision)
}
