//! Starts a contender, and ends it.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::case::Server;
use super::kit::Kit;
use super::manifest::{Manifest, Plugins};
use super::{reload, tenants};

/// How often a server that starts is asked whether it listens.
const POLL: Duration = Duration::from_micros(500);
/// Lines of a log that are shown when something fails.
const LINES_SHOWN: usize = 5;

/// A running server; ended when dropped.
pub(crate) struct Running {
    child: Child,
    /// Its helper, if it has one.
    upstream: Option<Box<Running>>,
    /// The folder of its component, if that is to be replaced.
    reload_folder: Option<PathBuf>,
    pub(crate) address: SocketAddr,
    pub(crate) begun: Instant,
    log: PathBuf,
}

impl Running {
    /// Starts a contender. `name` is for its log.
    pub(crate) fn start(kit: &Kit, server: &Server, name: &str) -> Result<Self> {
        let address = free_address()?;
        let log = kit.folder.join("logs").join(name);
        match server {
            Server::Raw(kind, options) => {
                Self::spawn(&mut raw(kit, kind, options, address), address, log)
            }
            Server::Holdfast(plugins) => {
                let manifest = Manifest::new(address).plugins(*plugins, &kit.guests);
                Self::host(kit, &manifest, address, log)
            }
            Server::HoldfastBusy => {
                let slow = free_address()?;
                let mut command = kit.on_client_core();
                command
                    .args(["serve", "upstream"])
                    .arg(format!("address={slow}"));
                let upstream = Self::spawn(&mut command, slow, log.with_extension("upstream"))?;
                let manifest = Manifest::new(address).busy(Plugins::BUSY, &kit.guests, slow);
                let mut host = Self::host(kit, &manifest, address, log)?;
                host.upstream = Some(Box::new(upstream));
                Ok(host)
            }
            Server::HoldfastReloaded => {
                let folder = reload::echoes(kit)?;
                let mut manifest = Manifest::new(address);
                manifest.plugin("echo", "/", &folder.join(reload::SERVED), "");
                let mut host = Self::host(kit, &manifest, address, log)?;
                host.reload_folder = Some(folder);
                Ok(host)
            }
            Server::HoldfastTenants(tenants) => tenants::start(kit, tenants, log),
            Server::HoldfastShared => {
                let manifest = Manifest::new(address).shares(&kit.guests);
                Self::host(kit, &manifest, address, log)
            }
            Server::Peer(peer) => match kit.peers.get(peer) {
                Some(Ok(installed)) => {
                    Self::spawn(&mut peer.command(kit, installed, address)?, address, log)
                }
                Some(Err(why)) => bail!("left out: {why}"),
                None => bail!("left out: `--peers` was not asked for"),
            },
        }
    }

    /// Starts the host with a manifest.
    pub(crate) fn host(
        kit: &Kit,
        manifest: &Manifest,
        address: SocketAddr,
        log: PathBuf,
    ) -> Result<Self> {
        let file = manifest_of(&log);
        std::fs::write(&file, manifest.text())
            .with_context(|| format!("can't write {}", file.display()))?;
        let mut command = kit.on_server_core(&kit.host);
        command
            .arg("serve")
            .arg(file)
            .arg("--cache")
            .arg(kit.cache());
        Self::spawn(&mut command, address, log)
    }

    fn spawn(command: &mut Command, address: SocketAddr, log: PathBuf) -> Result<Self> {
        let output =
            File::create(&log).with_context(|| format!("can't write {}", log.display()))?;
        command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output);
        let begun = Instant::now();
        let child = command.spawn().context("can't start it")?;
        Ok(Self {
            child,
            upstream: None,
            reload_folder: None,
            address,
            begun,
            log,
        })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Where its slow helper listens.
    pub(crate) fn upstream(&self) -> Option<SocketAddr> {
        self.upstream.as_ref().map(|upstream| upstream.address)
    }

    /// Where the load generator finds components to replace its own.
    pub(crate) fn reload_folder(&self) -> Option<&Path> {
        self.reload_folder.as_deref()
    }

    /// The manifest, if it is a host.
    pub(crate) fn manifest(&self) -> PathBuf {
        manifest_of(&self.log)
    }

    /// Waits until it listens, and returns a connection to it.
    pub(crate) fn wait(&mut self, limit: Duration) -> Result<TcpStream> {
        if let Some(upstream) = &mut self.upstream {
            upstream.wait(limit)?;
        }
        loop {
            if let Ok(stream) = TcpStream::connect(self.address) {
                return Ok(stream);
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("it has ended ({status}): {}", self.log_end());
            }
            if self.begun.elapsed() > limit {
                bail!("it does not listen: {}", self.log_end());
            }
            std::thread::sleep(POLL);
        }
    }

    /// The last lines it has written.
    pub(crate) fn log_end(&self) -> String {
        end_of(&self.log)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn manifest_of(log: &Path) -> PathBuf {
    log.with_extension("toml")
}

fn raw(kit: &Kit, kind: &str, options: &[&str], address: SocketAddr) -> Command {
    let mut command = kit.on_server_core(&kit.tool);
    command
        .args(["serve", kind])
        .arg(format!("address={address}"));
    command.args(options);
    command
}

/// An address that nobody uses at the moment.
pub(crate) fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port is free")?;
    listener.local_addr().context("no port is free")
}

fn end_of(log: &Path) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let from = lines.len().saturating_sub(LINES_SHOWN);
    lines.get(from..).unwrap_or_default().join(" | ")
}
