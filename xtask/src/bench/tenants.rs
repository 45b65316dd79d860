//! Many tenants in one host, each with a folder of its own and one plugin.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::json;

use super::case::Count;
use super::kit::Kit;
use super::manifest::Manifest;
use super::measure::{self, Figures};
use super::plugins::{COMPILE_MAX, custom_section};
use super::server::{Running, free_address};

/// Changes of one tenant that are measured.
const CHANGES: usize = 21;
/// What one of them may take.
const CHANGE_MAX: Duration = Duration::from_secs(30);

/// Which tenants.
#[derive(Clone, Copy)]
pub(crate) struct Tenants {
    /// Of what their plugins are made.
    pub(crate) guest: &'static str,
    pub(crate) count: Count,
    /// They have the same component, not each another one.
    pub(crate) are_alike: bool,
}

/// Starts a host with all of them: `t0.example` and so on.
pub(crate) fn start(kit: &Kit, tenants: &Tenants, log: PathBuf) -> Result<Running> {
    start_some(kit, tenants, kit.pace.count(tenants.count), log)
}

fn start_some(kit: &Kit, tenants: &Tenants, count: usize, log: PathBuf) -> Result<Running> {
    let folder = folder(kit, tenants, count);
    fill(kit, tenants, count, &folder)?;
    let address = free_address()?;
    Running::host(kit, &Manifest::new(address).tenants(&folder), address, log)
}

fn folder(kit: &Kit, tenants: &Tenants, count: usize) -> PathBuf {
    let kind = if tenants.are_alike { "same" } else { "own" };
    kit.folder
        .join(format!("tenants-{}-{kind}-{count}", tenants.guest))
}

fn fill(kit: &Kit, tenants: &Tenants, count: usize, folder: &Path) -> Result<()> {
    let guest = kit.guests.join(tenants.guest).with_extension("wasm");
    let guest = std::fs::read(&guest).with_context(|| format!("can't read {}", guest.display()))?;
    for index in 0..count {
        let tenant = folder.join(format!("t{index}"));
        std::fs::create_dir_all(&tenant)
            .with_context(|| format!("can't make {}", tenant.display()))?;
        let mut component = guest.clone();
        if !tenants.are_alike {
            component.extend(custom_section(index));
        }
        write(&tenant.join("one.wasm"), &component)?;
        write(&tenant.join(FILE), own("/").as_bytes())?;
    }
    Ok(())
}

/// The file in which a tenant says what it has.
const FILE: &str = "tenant.toml";

fn own(path: &str) -> String {
    format!(
        "[[plugin]]\nname = \"one\"\ncomponent = \"one.wasm\"\n\
         [[route]]\npath = \"{path}\"\nplugin = \"one\"\n"
    )
}

/// What each tenant costs, from hosts with one and with many.
pub(crate) fn measure(kit: &Kit, tenants: &Tenants) -> Result<Figures> {
    let count = kit.pace.count(tenants.count);
    let log = |name: &str| kit.folder.join(format!("logs/tenants-{name}.log"));
    // The first start compiles what the cache has not.
    start_some(kit, tenants, count, log("first"))?.wait(COMPILE_MAX)?;
    let mut one = start_some(kit, tenants, 1, log("one"))?;
    drop(one.wait(COMPILE_MAX)?);
    let one = use_all(kit, &one, 1)?;
    let mut host = start_some(kit, tenants, count, log("many"))?;
    drop(host.wait(COMPILE_MAX)?);
    let start_time = host.begun.elapsed();
    let idle_cpu = idle_cpu(kit, &host)?;
    let change_ms = change(&host, &folder(kit, tenants, count).join("t0"))?;
    let many = use_all(kit, &host, count)?;
    let each = |key: &str| {
        let read = |figures: &Figures| figures.get(key).and_then(serde_json::Value::as_f64);
        let each = (read(&many)? - read(&one)?) / count.saturating_sub(1).max(1) as f64;
        Some(each)
    };
    let each = |key: &str| each(key).with_context(|| format!("no figure `{key}`"));
    let mut figures = Figures::new();
    figures.insert("value".into(), json!(each("loaded_bytes")?));
    figures.insert("private_bytes".into(), json!(each("private_bytes")?));
    figures.insert("with_instance_bytes".into(), json!(each("used_bytes")?));
    figures.insert("start_ms".into(), json!(start_time.as_secs_f64() * 1e3));
    figures.insert("idle_cpu_permille".into(), json!(idle_cpu * 1e3));
    figures.insert("change_ms".into(), json!(change_ms));
    Ok(figures)
}

fn use_all(kit: &Kit, host: &Running, count: usize) -> Result<Figures> {
    let mut command = kit.on_client_core();
    command.args(["load", "plugins", "is_tenants=true"]);
    command.arg(format!("count={count}"));
    measure::figures(kit, command, host)
}

/// The share of a core that the host takes while nobody wants anything.
fn idle_cpu(kit: &Kit, host: &Running) -> Result<f64> {
    let mut command = kit.on_client_core();
    command.args(["load", "nothing"]);
    let figures = measure::figures(kit, command, host)?;
    let share = figures
        .get("server_cpu")
        .and_then(serde_json::Value::as_f64);
    share.context("no figure `server_cpu`")
}

/// The median time from the rename of a tenant's file to the first answer by what
/// it says, in milliseconds.
fn change(host: &Running, tenant: &Path) -> Result<f64> {
    let mut times = Vec::with_capacity(CHANGES);
    for change in 1..=CHANGES {
        let path = if change == CHANGES {
            "/".to_owned()
        } else {
            format!("/change{change}")
        };
        let next = tenant.join("next");
        write(&next, own(&path).as_bytes())?;
        let renamed = Instant::now();
        std::fs::rename(&next, tenant.join(FILE))?;
        while !is_served(host.address, &path)? {
            if renamed.elapsed() > CHANGE_MAX {
                bail!("the change is not in force: {}", host.log_end());
            }
        }
        times.push(renamed.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().context("no changes")
}

/// Whether the first tenant takes WebSockets at this path.
fn is_served(server: SocketAddr, path: &str) -> Result<bool> {
    let mut stream = TcpStream::connect(server)?;
    stream.set_read_timeout(Some(CHANGE_MAX))?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: t0.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes())?;
    let mut status = [0; 12];
    stream.read_exact(&mut status)?;
    Ok(status == *b"HTTP/1.1 101")
}

fn write(file: &Path, bytes: &[u8]) -> Result<()> {
    std::fs::write(file, bytes).with_context(|| format!("can't write {}", file.display()))
}
