//! What guests import that this host does not provide: who does, and what comes
//! closest to it here. For people who bring a component from another host.

/// Beginnings of names, and what to say of them. The first that fits decides.
const ELSEWHERE: &[(&str, &str)] = &[
    (
        "fermyon:spin/key-value",
        "Spin's own; here `wasi:keyvalue/store@0.2.0-draft2` keeps values, which Spin has, too",
    ),
    (
        "spin:key-value/",
        "Spin's own; here `wasi:keyvalue/store@0.2.0-draft2` keeps values, which Spin has, too",
    ),
    (
        "fermyon:spin/variables",
        "Spin's own; here `wasi:config/store` has the settings, which Spin has, too",
    ),
    (
        "fermyon:spin/config",
        "Spin's own; here `wasi:config/store` has the settings, which Spin has, too",
    ),
    (
        "spin:variables/",
        "Spin's own; here `wasi:config/store` has the settings, which Spin has, too",
    ),
    (
        "fermyon:spin/http",
        "of Spin before version 2; here `wasi:http/outgoing-handler` sends requests",
    ),
    ("fermyon:", "Spin's own"),
    ("spin:", "Spin's own"),
    (
        "wasmcloud:messaging/",
        "wasmCloud's own; here `holdfast:websocket/topics` reaches WebSockets",
    ),
    (
        "wasmcloud:bus/",
        "wasmCloud's own; a host of one process has no lattice",
    ),
    ("wasmcloud:", "wasmCloud's own"),
    (
        "wasi:messaging/",
        "wasmCloud provides it; here `holdfast:websocket/topics` reaches WebSockets",
    ),
    (
        "wasi:blobstore/",
        "wasmCloud provides it; here `wasi:keyvalue/store` keeps values",
    ),
    (
        "wasi:keyvalue/watcher",
        "wasmCloud provides it; here nobody watches the store",
    ),
    (
        "wasi:keyvalue/",
        "this host has `store`, `atomics` and `batch` of 0.2.0-draft2 and 0.2.0-draft",
    ),
    (
        "wasi:config/",
        "this host has `store` of 0.2.0-rc.1 and of the drafts before it",
    ),
    ("wasi:logging/", "this host has `logging` of 0.1.0-draft"),
    (
        "wasi:http/incoming-handler@",
        "it comes from another component: `wac plug` joins the two",
    ),
    (
        "wasi:http/handler@0.3.0",
        "it comes from another component: `wac plug` joins the two",
    ),
    (
        "wasi:nn/",
        "hosts with machine learning provide it, such as wasmtime",
    ),
    (
        "wasi:tls/",
        "wasmtime provides it; here `wasi:http` speaks TLS",
    ),
    ("wasi:otel/", "Spin and wasmCloud provide it"),
    ("wasi:sql/", "no host is known that still provides it"),
    ("fastly:", "Fastly's own"),
];

/// WASI interfaces which this host has, in other versions.
const WASI: [&str; 7] = [
    "wasi:http/",
    "wasi:io/",
    "wasi:clocks/",
    "wasi:random/",
    "wasi:cli/",
    "wasi:filesystem/",
    "wasi:sockets/",
];

/// Who provides an import that this host does not, or what to do without it.
pub(crate) fn provider(import: &str) -> &'static str {
    let mut elsewhere = ELSEWHERE.iter();
    if let Some((_, text)) = elsewhere.find(|(prefix, _)| import.starts_with(prefix)) {
        return text;
    }
    let is_wasi = WASI.iter().any(|prefix| import.starts_with(prefix));
    match is_wasi {
        true if import.contains("@0.2.0-") || import.contains("@0.3.0-") => {
            "a draft; a current toolchain builds against the published version"
        }
        true => "this host has the versions 0.2 and 0.3",
        false => {
            "no host is known to provide it; if another component does, `wac plug` joins the two"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capability::provision;

    #[test]
    fn each_import_that_is_missing_has_a_word() {
        for (import, word) in [
            ("fermyon:spin/key-value@2.0.0", "wasi:keyvalue"),
            ("fermyon:spin/llm@2.0.0", "Spin"),
            ("spin:variables/variables@3.0.0", "wasi:config"),
            ("wasmcloud:bus/lattice@2.0.0", "wasmCloud"),
            ("wasi:keyvalue/store@0.2.0-draft3", "draft2"),
            ("wasi:http/types@0.2.0-rc-2023-11-10", "draft"),
            ("wasi:http/handler@0.3.0", "wac plug"),
            ("wasi:clocks/wall-clock@0.4.0", "0.2 and 0.3"),
            ("acme:database/query", "wac plug"),
        ] {
            assert_eq!(provision(import), None);
            let text = provider(import);
            assert!(text.contains(word), "{import}: {text}");
        }
    }
}
