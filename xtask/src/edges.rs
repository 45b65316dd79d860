//! Checks which crate depends on which: the edge and the runtime never see each
//! other, the core does no input or output, and guests know no host crate.

use anyhow::{Result, bail};

use crate::{command, place};

/// What a package may not depend on, and why.
struct Rule {
    package: &'static str,
    /// Direct dependencies only.
    is_direct: bool,
    forbidden: &'static [&'static str],
    reason: &'static str,
}

const HOST_CRATES: &[&str] = &[
    "holdfast",
    "holdfast-core",
    "holdfast-edge",
    "holdfast-runtime",
];

const RULES: &[Rule] = &[
    Rule {
        package: "holdfast-core",
        is_direct: false,
        forbidden: &["tokio", "hyper", "wasmtime"],
        reason: "the core does no input or output",
    },
    Rule {
        package: "holdfast-edge",
        is_direct: false,
        forbidden: &["wasmtime", "holdfast-runtime"],
        reason: "the edge knows nothing of guests",
    },
    Rule {
        package: "holdfast-runtime",
        is_direct: false,
        forbidden: &["holdfast-edge", "tokio-tungstenite", "tungstenite"],
        reason: "the runtime knows nothing of sockets",
    },
    Rule {
        package: "holdfast-runtime",
        is_direct: true,
        forbidden: &["hyper-util"],
        reason: "the runtime serves no connection",
    },
    Rule {
        package: "holdfast-sdk",
        is_direct: false,
        forbidden: HOST_CRATES,
        reason: "guests know the WIT and no host crate",
    },
    Rule {
        package: "holdfast-chat",
        is_direct: false,
        forbidden: HOST_CRATES,
        reason: "plugins are built on the SDK only",
    },
    Rule {
        package: "holdfast-tests",
        is_direct: false,
        forbidden: HOST_CRATES,
        reason: "the tests drive the binary and see nothing of its inside",
    },
];

/// Checks every rule.
pub(crate) fn check() -> Result<()> {
    for rule in RULES {
        let mut cargo = place::cargo()?;
        cargo.args(["tree", "--package", rule.package]);
        cargo.args(["--edges", "normal", "--prefix", "none"]);
        if rule.is_direct {
            cargo.args(["--depth", "1"]);
        }
        let tree = command::read(&mut cargo)?;
        let mut names = tree
            .lines()
            .skip(1)
            .filter_map(|line| line.split(' ').next());
        if let Some(name) = names.find(|name| rule.forbidden.contains(name)) {
            bail!(
                "{} depends on {name}, but {}\n  \
                 hint: `cargo tree --package {} --invert {name}` shows by which way",
                rule.package,
                rule.reason,
                rule.package
            );
        }
    }
    Ok(())
}
