//! What a process uses, as the kernel counts it (proc(5)).

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::param::clock_ticks_per_second;
use serde_json::{Map, Value};

/// Two readings this far apart that are equal mean that memory has settled.
const SETTLE_STEP: Duration = Duration::from_millis(250);
const SETTLE_MAX: Duration = Duration::from_secs(10);
/// Differences below this are noise of the allocator.
const SETTLE_BYTES: u64 = 64 << 10;

/// Processor time of all threads of a process, user and system, in seconds.
fn cpu_seconds(pid: u32) -> Result<f64> {
    let path = format!("/proc/{pid}/stat");
    let text = std::fs::read_to_string(&path).with_context(|| format!("can't read {path}"))?;
    // The name of the program, in brackets, may contain spaces.
    let (_, rest) = text.rsplit_once(')').context("no program name")?;
    let fields = rest.split_whitespace().skip(11).take(2);
    let ticks: u64 = fields.filter_map(|field| field.parse::<u64>().ok()).sum();
    Ok(ticks as f64 / clock_ticks_per_second() as f64)
}

/// Processor time of everybody on this machine, in seconds. Time taken by other
/// virtual machines counts too.
fn all_cpu_seconds() -> Result<f64> {
    let text = std::fs::read_to_string("/proc/stat").context("can't read /proc/stat")?;
    let line = text.lines().next().unwrap_or_default();
    // user, nice, system, (idle, iowait,) irq, softirq, steal.
    let fields: Vec<u64> = line
        .split_whitespace()
        .skip(1)
        .filter_map(|field| field.parse().ok())
        .collect();
    let busy = [0, 1, 2, 5, 6, 7]
        .iter()
        .filter_map(|index| fields.get(*index));
    Ok(busy.sum::<u64>() as f64 / clock_ticks_per_second() as f64)
}

/// Resident memory in bytes.
fn resident_bytes(pid: u32) -> Result<u64> {
    status_bytes(pid, "VmRSS:")
}

/// Resident memory in bytes, without mapped files.
pub(crate) fn private_bytes(pid: u32) -> Result<u64> {
    status_bytes(pid, "RssAnon:")
}

fn status_bytes(pid: u32, key: &str) -> Result<u64> {
    let path = format!("/proc/{pid}/status");
    let text = std::fs::read_to_string(&path).with_context(|| format!("can't read {path}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(key));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    Ok(kilobytes.with_context(|| format!("no {key} in {path}"))? << 10)
}

/// Resident memory once it no longer changes.
pub(crate) fn settled_bytes(pid: u32) -> Result<u64> {
    let deadline = Instant::now() + SETTLE_MAX;
    let mut before = resident_bytes(pid)?;
    loop {
        sleep(SETTLE_STEP);
        let now = resident_bytes(pid)?;
        if now.abs_diff(before) < SETTLE_BYTES || Instant::now() > deadline {
            return Ok(now);
        }
        before = now;
    }
}

/// Processor time of the server, of this process and of all others, from one
/// moment to another.
pub(crate) struct Meter {
    server: u32,
    begin: Instant,
    server_seconds: f64,
    client_seconds: f64,
    all_seconds: f64,
}

impl Meter {
    pub(crate) fn start(server: u32) -> Result<Self> {
        Ok(Self {
            server,
            begin: Instant::now(),
            server_seconds: cpu_seconds(server)?,
            client_seconds: cpu_seconds(std::process::id())?,
            all_seconds: all_cpu_seconds()?,
        })
    }

    /// The time since the start, in seconds, and which part of it each of them
    /// has computed: 1 is one core.
    pub(crate) fn stop(&self) -> Result<(f64, Map<String, Value>)> {
        let elapsed = self.begin.elapsed().as_secs_f64();
        let server = cpu_seconds(self.server)? - self.server_seconds;
        let client = cpu_seconds(std::process::id())? - self.client_seconds;
        let all = all_cpu_seconds()? - self.all_seconds;
        let others = (all - server - client).max(0.0);
        let mut usage = Map::new();
        usage.insert("others_cpu".into(), (others / elapsed).into());
        usage.insert("server_cpu".into(), (server / elapsed).into());
        usage.insert("client_cpu".into(), (client / elapsed).into());
        Ok((elapsed, usage))
    }
}
