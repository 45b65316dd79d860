//! Other people's servers: how they are installed and started. Their scripts are
//! in `xtask/bench/peers`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::kit::Kit;
use crate::{command, packages, place};

/// Who.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Peer {
    Node,
    Bun,
    Tornado,
    Workerd,
    Wasmtime,
}

/// A program that is there.
pub(crate) struct Installed {
    program: PathBuf,
    /// As the program says it.
    pub(crate) version: String,
}

impl Peer {
    /// Finds or installs it below `folder`.
    pub(crate) fn install(self, folder: &Path) -> Result<Installed> {
        let tools = folder.join("tools");
        let node = tools.join("node");
        let program = match self {
            Self::Node => {
                npm_install(&node)?;
                PathBuf::from("node")
            }
            Self::Bun => {
                npm_install(&node)?;
                program_below(&node.join("node_modules/@oven"), "bin/bun")?
            }
            Self::Workerd => {
                npm_install(&node)?;
                program_below(&node.join("node_modules/@cloudflare"), "bin/workerd")?
            }
            Self::Tornado => tornado(&tools.join("python"))?,
            Self::Wasmtime => wasmtime(&tools.join("wasmtime"))?,
        };
        let version = self.version(&program, &node)?;
        Ok(Installed { program, version })
    }

    fn version(self, program: &Path, node: &Path) -> Result<String> {
        let mut ask = Command::new(program);
        match self {
            Self::Tornado => {
                ask.args([
                    "-c",
                    "import tornado, platform as p; \
                    print('Tornado', tornado.version, 'on Python', p.python_version())",
                ]);
            }
            _ => {
                ask.arg("--version");
            }
        }
        let version = command::read(&mut ask)?.trim().to_owned();
        Ok(match self {
            Self::Node => format!(
                "Node {version} with ws {}",
                package_version(&node.join("node_modules/ws"))?
            ),
            Self::Bun => format!("Bun {version}"),
            _ => version,
        })
    }

    /// The command line that serves at an address.
    pub(crate) fn command(
        self,
        kit: &Kit,
        installed: &Installed,
        address: SocketAddr,
    ) -> Result<Command> {
        let scripts = scripts()?;
        let mut command = kit.on_server_core(&installed.program);
        let port = address.port().to_string();
        match self {
            Self::Node => {
                // A module's imports are looked up from where it lies.
                let script = kit.folder.join("tools/node/node.mjs");
                std::fs::copy(scripts.join("node.mjs"), &script).context("can't copy node.mjs")?;
                command.arg(script).arg(port).env("NODE_ENV", "production");
            }
            Self::Bun => {
                command.arg(scripts.join("bun.js")).arg(port);
            }
            Self::Tornado => {
                command.arg(scripts.join("tornado_server.py")).arg(port);
            }
            Self::Workerd => {
                command.arg("serve").arg(scripts.join("workerd.capnp"));
                command.arg(format!("--socket-addr=http={address}"));
            }
            Self::Wasmtime => {
                // Rust's standard library imports `wasi:cli`, which is not
                // among what it gives by default.
                command.args(["serve", "-Scli", "--addr", &address.to_string()]);
                command.arg(kit.guests.join("wstd.wasm"));
            }
        }
        Ok(command)
    }
}

/// The packages named in `peers/package.json`, once.
fn npm_install(folder: &Path) -> Result<()> {
    packages::node_if_there(&scripts()?.join("package.json"), folder)
}

/// The first program of that name, below one of the packages in a folder, that
/// runs on this machine.
fn program_below(folder: &Path, name: &str) -> Result<PathBuf> {
    let packages =
        std::fs::read_dir(folder).with_context(|| format!("npm made no {}", folder.display()))?;
    let mut programs: Vec<PathBuf> = packages
        .filter_map(|package| Some(package.ok()?.path().join(name)))
        .filter(|program| program.is_file())
        .collect();
    programs.sort();
    let runs = |program: &PathBuf| {
        let answer = Command::new(program).arg("--version").output();
        answer.is_ok_and(|output| output.status.success())
    };
    let found = programs.into_iter().find(runs);
    found.with_context(|| format!("no {name} runs on this machine"))
}

fn package_version(folder: &Path) -> Result<String> {
    let file = folder.join("package.json");
    let text = std::fs::read(&file).with_context(|| format!("can't read {}", file.display()))?;
    let package: serde_json::Value = serde_json::from_slice(&text)?;
    let version = package.get("version").and_then(|version| version.as_str());
    Ok(version.context("a package without a version")?.to_owned())
}

/// A virtual environment with what `peers/requirements.txt` names.
fn tornado(folder: &Path) -> Result<PathBuf> {
    packages::python_if_there(&scripts()?.join("requirements.txt"), folder)?;
    Ok(folder.join("bin/python"))
}

/// Where their scripts are, and the names of their packages.
fn scripts() -> Result<PathBuf> {
    Ok(place::root()?.join("xtask/bench/peers"))
}

/// `wasmtime` of the version which the host is built on.
fn wasmtime(folder: &Path) -> Result<PathBuf> {
    let program = folder.join("bin/wasmtime");
    let version = locked_version("wasmtime")?;
    let present = Command::new(&program).arg("--version").output();
    if present.is_ok_and(|it| String::from_utf8_lossy(&it.stdout).contains(&version)) {
        return Ok(program);
    }
    eprintln!("Installing wasmtime-cli {version} with cargo; this takes some minutes.");
    let build = folder.join("build");
    let mut install = place::cargo()?;
    install.args(["install", "wasmtime-cli", "--locked", "--version", &version]);
    install
        .arg("--root")
        .arg(folder)
        .arg("--target-dir")
        .arg(&build);
    command::run(&mut install, "see the compiler's messages above")?;
    std::fs::remove_dir_all(&build).with_context(|| format!("can't remove {}", build.display()))?;
    Ok(program)
}

/// A package's version in our lock file.
fn locked_version(name: &str) -> Result<String> {
    let lock = std::fs::read_to_string(place::root()?.join("Cargo.lock"))?;
    let mut lines = lock.lines();
    let wanted = format!("name = \"{name}\"");
    lines.find(|line| *line == wanted);
    let version = lines
        .next()
        .and_then(|line| line.strip_prefix("version = \""));
    let version = version.and_then(|rest| rest.strip_suffix('"'));
    Ok(version
        .with_context(|| format!("{name} is not locked"))?
        .to_owned())
}
