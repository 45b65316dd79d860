//! Other people's WebSocket clients, for the tests: Python's and Node's. What is
//! installed is named in `tests/clients`, and goes to the target folder.

use anyhow::Result;

use crate::{packages, place};

const PURPOSE: &str = "WebSocket clients for the tests";

/// Installs them, unless they are there.
pub(crate) fn install() -> Result<()> {
    let named = place::root()?.join("tests/clients");
    let clients = place::target()?.join("clients");
    let (python, node) = (clients.join("python"), clients.join("node"));
    packages::python(&named.join("requirements.txt"), &python, PURPOSE)?;
    packages::node(&named.join("package.json"), &node, PURPOSE)
}
