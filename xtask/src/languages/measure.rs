//! What a language costs: measured with the echo of `examples/LANG/echo`.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::programs::{self, BENCH, HOST, Profile};
use crate::{command, place};

/// What a host may take to start, for it may have to compile.
const START_MAX: Duration = Duration::from_secs(300);
const POLL: Duration = Duration::from_millis(10);

/// The programs that measure, of one profile.
pub(super) struct Kit {
    host: PathBuf,
    tool: PathBuf,
    cache: PathBuf,
    /// How long each figure is measured.
    pub(super) seconds: f64,
}

/// What was measured of a language.
#[derive(Debug)]
pub(super) struct Figures {
    pub(super) component_bytes: u64,
    /// In the words of `holdfast inspect`.
    pub(super) compile_time: String,
    pub(super) instantiate_us: f64,
    pub(super) memory_bytes: f64,
    pub(super) echoes_per_second: f64,
}

impl Kit {
    /// Builds the host and the load generator.
    pub(super) fn build(profile: Profile, seconds: f64) -> Result<Self> {
        let host = programs::build(HOST, profile)?;
        let tool = programs::build(BENCH, profile)?;
        let cache = place::target()?.join("languages/cache");
        std::fs::create_dir_all(&cache)
            .with_context(|| format!("can't make {}", cache.display()))?;
        Ok(Self {
            host,
            tool,
            cache,
            seconds,
        })
    }

    /// Measures a component that echoes.
    pub(super) fn measure(&self, component: &Path) -> Result<Figures> {
        let compile_time = self.compile_time(component)?;
        let inside = self.figures(&mut self.inside(component))?;
        let echoes_per_second = self.echoes(component)?;
        Ok(Figures {
            component_bytes: std::fs::metadata(component)?.len(),
            compile_time,
            instantiate_us: number(&inside, "value")?,
            memory_bytes: number(&inside, "memory_bytes")?,
            echoes_per_second,
        })
    }

    fn compile_time(&self, component: &Path) -> Result<String> {
        let mut inspect = Command::new(&self.host);
        inspect.arg("inspect").arg(component).arg("--no-cache");
        let text = command::read(&mut inspect)?;
        let mut lines = text.lines();
        let line = lines.find_map(|line| line.trim().strip_prefix("compile time"));
        let time = line.context("`holdfast inspect` names no compile time")?;
        Ok(time.trim().to_owned())
    }

    /// Measurements inside the runtime, without sockets.
    fn inside(&self, component: &Path) -> Command {
        let mut micro = Command::new(&self.tool);
        micro
            .arg("micro")
            .arg(format!("component={}", component.display()))
            .arg(format!("cache={}", self.cache.display()))
            .arg(format!("seconds={}", self.seconds));
        micro
    }

    /// Echoes through sockets: 64 connections, one message of 64 bytes at a time.
    fn echoes(&self, component: &Path) -> Result<f64> {
        let host = Host::start(self, component)?;
        let mut load = Command::new(&self.tool);
        load.args(["load", "echo", "size=64", "depth=1"])
            .arg(format!("server={}", host.address))
            .arg(format!("pid={}", host.child.id()))
            .arg(format!("warm={}", self.seconds / 2.0))
            .arg(format!("seconds={}", self.seconds));
        number(&self.figures(&mut load)?, "value")
    }

    fn figures(&self, command: &mut Command) -> Result<Value> {
        let text = command::read(command)?;
        serde_json::from_str(&text).context("the load generator prints no figures")
    }
}

fn number(figures: &Value, key: &str) -> Result<f64> {
    let figure = figures.get(key).and_then(Value::as_f64);
    figure.with_context(|| format!("the load generator measures no `{key}`"))
}

/// A host that serves one component; ended when dropped.
struct Host {
    child: Child,
    address: SocketAddr,
}

impl Host {
    fn start(kit: &Kit, component: &Path) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port is free")?;
        let address = listener.local_addr()?;
        drop(listener);
        let child = Command::new(&kit.host)
            .arg("run")
            .arg(component)
            .args(["--no-admin", "--no-watch", "--log", "error", "--listen"])
            .arg(address.to_string())
            .arg("--cache")
            .arg(&kit.cache)
            .stdin(Stdio::null())
            .spawn()
            .context("can't start the host")?;
        let mut host = Self { child, address };
        host.wait()?;
        Ok(host)
    }

    /// Waits until it listens.
    fn wait(&mut self) -> Result<()> {
        let begun = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            if let Some(status) = self.child.try_wait()? {
                bail!("the host has ended ({status})");
            }
            if begun.elapsed() > START_MAX {
                bail!("the host does not listen");
            }
            std::thread::sleep(POLL);
        }
        Ok(())
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
