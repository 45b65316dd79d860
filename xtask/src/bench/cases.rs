//! All cases.

use anyhow::{Context, Result};

use super::case::{Better, Case, Contender, Count, Measure, Server};
use super::manifest::Plugins;
use super::peers::Peer;
use super::tenants::Tenants;

/// In the order in which they run.
pub(crate) const ALL: &[Case] = &[
    Case {
        name: "http-hello",
        title: "HTTP: a greeting, 64 connections",
        unit: "requests/s",
        better: Better::More,
        measure: Measure::Load(&["http", "path=/hello"]),
        contenders: HTTP,
    },
    Case {
        name: "http-body",
        title: "HTTP: a body of 64 KiB streams in and back out, 16 connections",
        unit: "requests/s",
        better: Better::More,
        measure: Measure::Load(&["http", "path=/echo", "body=65536", "connections=16"]),
        contenders: HTTP,
    },
    Case {
        name: "echo-64-1",
        title: "WebSocket echo: 64 bytes, one message at a time, 64 connections",
        unit: "messages/s",
        better: Better::More,
        measure: Measure::Load(&["echo", "size=64", "depth=1"]),
        contenders: ECHO,
    },
    Case {
        name: "echo-64-16",
        title: "WebSocket echo: 64 bytes, 16 messages at a time, 64 connections",
        unit: "messages/s",
        better: Better::More,
        measure: Measure::Load(&["echo", "size=64", "depth=16"]),
        contenders: ECHO,
    },
    Case {
        name: "echo-16k-1",
        title: "WebSocket echo: 16 KiB, one message at a time, 64 connections",
        unit: "messages/s",
        better: Better::More,
        measure: Measure::Load(&["echo", "size=16384", "depth=1"]),
        contenders: ECHO,
    },
    Case {
        name: "echo-16k-16",
        title: "WebSocket echo: 16 KiB, 16 messages at a time, 64 connections",
        unit: "messages/s",
        better: Better::More,
        measure: Measure::Load(&["echo", "size=16384", "depth=16"]),
        contenders: ECHO,
    },
    Case {
        name: "fan-out",
        title: "WebSocket fan-out: one message of 64 bytes to every subscriber",
        unit: "deliveries/s",
        better: Better::More,
        measure: Measure::Many {
            load: &["fan"],
            key: "subscribers",
            count: Count {
                full: 5_000,
                quick: 500,
            },
        },
        contenders: FAN_OUT,
    },
    Case {
        name: "idle",
        title: "Memory of an idle WebSocket that has echoed once",
        unit: "bytes/connection",
        better: Better::Less,
        measure: Measure::Many {
            load: &["idle"],
            key: "connections",
            count: Count {
                full: 10_000,
                quick: 1_000,
            },
        },
        contenders: MANY,
    },
    Case {
        name: "idle-memory",
        title: "Memory of an idle WebSocket of a million, over transports in memory",
        unit: "bytes/connection",
        better: Better::Less,
        measure: Measure::Memory(Count {
            full: 1_000_000,
            quick: 20_000,
        }),
        contenders: ONLY_HOLDFAST,
    },
    Case {
        name: "open",
        title: "Opening WebSockets, 64 at a time",
        unit: "connections/s",
        better: Better::More,
        measure: Measure::Many {
            load: &["open"],
            key: "connections",
            count: Count {
                full: 10_000,
                quick: 1_000,
            },
        },
        contenders: MANY,
    },
    Case {
        name: "cold-start",
        title: "From the start of the process to the first HTTP answer",
        unit: "ms",
        better: Better::Less,
        measure: Measure::ColdStart,
        contenders: HTTP,
    },
    Case {
        name: "plugins",
        title: "Memory of a loaded plugin, all plugins being different",
        unit: "bytes/plugin",
        better: Better::Less,
        measure: Measure::Plugins(Count {
            full: 1_000,
            quick: 50,
        }),
        contenders: ONLY_HOLDFAST,
    },
    Case {
        name: "tenants",
        title: "Memory of an idle tenant of a thousand, each with a folder and one plugin",
        unit: "bytes/tenant",
        better: Better::Less,
        measure: Measure::Tenants,
        contenders: TENANTS,
    },
    Case {
        name: "routing-http",
        title: "HTTP: a greeting by one tenant, alone and among a thousand",
        unit: "requests/s",
        better: Better::More,
        measure: Measure::Load(&["http", "path=/hello", "host=t0.example"]),
        contenders: ROUTED_HTTP,
    },
    Case {
        name: "routing-echo",
        title: "WebSocket echo by one tenant, alone and among a thousand",
        unit: "messages/s",
        better: Better::More,
        measure: Measure::Load(&["echo", "size=64", "depth=1", "host=t0.example"]),
        contenders: ROUTED_ECHO,
    },
    Case {
        name: "runtime",
        title: "Making an instance of a small component and dropping it again",
        unit: "µs",
        better: Better::Less,
        measure: Measure::Runtime,
        contenders: ONLY_HOLDFAST,
    },
    Case {
        name: "neighbours",
        title: "p99.9 of an echo while one plugin computes for ever and another waits",
        unit: "µs",
        better: Better::Less,
        measure: Measure::Load(&["paced"]),
        contenders: NEIGHBOURS,
    },
    Case {
        name: "shares",
        title: "Throughput of a tenant while another asks for ten times its share",
        unit: "% of half of what it has alone",
        better: Better::More,
        measure: Measure::Load(&["shares"]),
        contenders: SHARED,
    },
    Case {
        name: "reload",
        title: "p99 of an echo while the host gets new code every 100 ms",
        unit: "µs",
        better: Better::Less,
        measure: Measure::Load(&["paced", "quantile=0.99"]),
        contenders: RELOAD,
    },
    Case {
        name: "reload-time",
        title: "From the rename of a component to the first answer by its code",
        unit: "ms",
        better: Better::Less,
        measure: Measure::ReloadTime,
        contenders: ONLY_HOLDFAST,
    },
];

const HTTP: &[Contender] = &[
    contender("hyper, no WebAssembly", Server::Raw("http", &[])),
    contender(
        "Holdfast, wasi:http 0.3",
        Server::Holdfast(Plugins::HTTP_0_3),
    ),
    contender(
        "Holdfast, wasi:http 0.2",
        Server::Holdfast(Plugins::HTTP_0_2),
    ),
    contender("Node", Server::Peer(Peer::Node)),
    contender("Bun", Server::Peer(Peer::Bun)),
    contender("Tornado", Server::Peer(Peer::Tornado)),
    contender("workerd", Server::Peer(Peer::Workerd)),
    contender(
        "wasmtime serve, wasi:http 0.2",
        Server::Peer(Peer::Wasmtime),
    ),
];

const ECHO: &[Contender] = &[
    contender(
        "tokio-tungstenite, no WebAssembly",
        Server::Raw("websocket", &[]),
    ),
    contender("Holdfast", Server::Holdfast(Plugins::ECHO)),
    contender("Node, ws", Server::Peer(Peer::Node)),
    contender("Bun", Server::Peer(Peer::Bun)),
    contender("Tornado", Server::Peer(Peer::Tornado)),
    contender("workerd, hibernation", Server::Peer(Peer::Workerd)),
];

const FAN_OUT: &[Contender] = &[
    contender(
        "tokio-tungstenite, no WebAssembly",
        Server::Raw("websocket", &[]),
    ),
    contender("Holdfast", Server::Holdfast(Plugins::FAN_OUT)),
    contender("Node, ws", Server::Peer(Peer::Node)),
    contender("Bun, its own publish", Server::Peer(Peer::Bun)),
    contender("Tornado", Server::Peer(Peer::Tornado)),
    contender("workerd, hibernation", Server::Peer(Peer::Workerd)),
];

/// For many connections. The library's own read buffer of 128 KiB for each, zeroed
/// when it is made, would be no baseline at all.
const MANY: &[Contender] = &[
    contender(
        "tokio-tungstenite, buffers of 4 KiB",
        Server::Raw("websocket", &["read_buffer=4096"]),
    ),
    contender("Holdfast", Server::Holdfast(Plugins::ECHO)),
    contender("Node, ws", Server::Peer(Peer::Node)),
    contender("Bun", Server::Peer(Peer::Bun)),
    contender("Tornado", Server::Peer(Peer::Tornado)),
    contender("workerd, hibernation", Server::Peer(Peer::Workerd)),
];

const NEIGHBOURS: &[Contender] = &[
    contender("Holdfast, alone", Server::Holdfast(Plugins::ECHO)),
    contender("Holdfast, with both neighbours", Server::HoldfastBusy),
    contender(
        "tokio-tungstenite, alone, no WebAssembly",
        Server::Raw("websocket", &[]),
    ),
];

const RELOAD: &[Contender] = &[
    contender("Holdfast, left alone", Server::Holdfast(Plugins::ECHO)),
    contender("Holdfast, with reloads", Server::HoldfastReloaded),
];

const TENANTS: &[Contender] = &[
    contender(
        "Holdfast, a component for each",
        Server::HoldfastTenants(tenants("echo", THOUSAND, false)),
    ),
    contender(
        "Holdfast, one component for all",
        Server::HoldfastTenants(tenants("echo", THOUSAND, true)),
    ),
];

const ROUTED_HTTP: &[Contender] = &[
    contender(
        "Holdfast, alone",
        Server::HoldfastTenants(tenants("bench-http", ONE, true)),
    ),
    contender(
        "Holdfast, among a thousand",
        Server::HoldfastTenants(tenants("bench-http", THOUSAND, true)),
    ),
];

const ROUTED_ECHO: &[Contender] = &[
    contender(
        "Holdfast, alone",
        Server::HoldfastTenants(tenants("echo", ONE, true)),
    ),
    contender(
        "Holdfast, among a thousand",
        Server::HoldfastTenants(tenants("echo", THOUSAND, true)),
    ),
];

const SHARED: &[Contender] = &[contender("Holdfast", Server::HoldfastShared)];

const ONE: Count = Count { full: 1, quick: 1 };
const THOUSAND: Count = Count {
    full: 1_000,
    quick: 50,
};

const fn tenants(guest: &'static str, count: Count, are_alike: bool) -> Tenants {
    Tenants {
        guest,
        count,
        are_alike,
    }
}

const ONLY_HOLDFAST: &[Contender] = &[contender("Holdfast", Server::Holdfast(Plugins::ECHO))];

const fn contender(label: &'static str, server: Server) -> Contender {
    Contender { label, server }
}

/// The named cases, or all.
pub(crate) fn chosen(names: &[String]) -> Result<Vec<&'static Case>> {
    if names.is_empty() {
        return Ok(ALL.iter().collect());
    }
    let find = |name: &String| {
        let case = ALL.iter().find(|case| case.name == name);
        case.with_context(|| {
            format!("there is no case `{name}`\n  hint: `cargo xtask bench --case list`")
        })
    };
    names.iter().map(find).collect()
}
