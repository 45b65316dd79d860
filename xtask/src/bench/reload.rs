//! New code for a host that runs.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::kit::Kit;
use super::manifest::Manifest;
use super::measure::Figures;
use super::plugins::custom_section;
use super::server::{Running, free_address};
use crate::command;

/// The component that a host serves, in the folder where it is replaced.
pub(crate) const SERVED: &str = "served.wasm";

/// Measured in one round.
const RELOADS: usize = 30;
/// What a reload may take, the first ones with a compilation.
const RELOAD_MAX: Duration = Duration::from_secs(60);

/// What tells two builds of a fixture apart; see `build.rs` of the fixtures.
const VERSION: &[u8] = b"fixture version: ";
const DIGITS: usize = 8;

/// Makes a folder with `a.wasm` and `b.wasm`, which are the echo and differ in
/// nothing that counts, and with the second of them as what is served.
pub(crate) fn echoes(kit: &Kit) -> Result<PathBuf> {
    let echo = read(&kit.guests.join("echo.wasm"))?;
    let variant = |index| [&echo[..], &custom_section(index)].concat();
    let folder = folder(kit)?;
    write(&folder.join("a.wasm"), &variant(1))?;
    write(&folder.join("b.wasm"), &variant(2))?;
    write(&folder.join(SERVED), &variant(2))?;
    Ok(folder)
}

/// Whether the host has served what the load generator put in place.
pub(crate) fn check(kit: &Kit, server: &Running, figures: &Figures) -> Result<()> {
    let placed = figures.get("reloads").and_then(Value::as_f64);
    let placed = placed.context("no number of reloads")?;
    let mut status = Command::new(&kit.host);
    status.arg("status").arg(server.manifest()).arg("--json");
    let status: Value = serde_json::from_str(&command::read(&mut status)?)?;
    let generation = status.pointer("/plugins/0/generation");
    let generation = generation.and_then(Value::as_f64);
    let served = generation.context("no generation in the status")? - 1.0;
    // The last one may still be on its way.
    if served < placed - 1.0 {
        bail!("of {placed} components put in place, the host has served {served}");
    }
    Ok(())
}

/// The median time from a rename to the first answer, in milliseconds.
pub(crate) fn time(kit: &Kit) -> Result<Figures> {
    let folder = folder(kit)?;
    let fixture = read(&kit.guests.join("plain.wasm"))?;
    let builds = [build(&fixture, 0)?, build(&fixture, 1)?];
    let [first, _] = &builds;
    write(&folder.join(SERVED), first)?;
    let address = free_address()?;
    let mut manifest = Manifest::new(address);
    manifest.plugin("fixture", "/", &folder.join(SERVED), "");
    let log = kit.folder.join("logs/reload-time.log");
    let mut host = Running::host(kit, &manifest, address, log)?;
    let mut client = BufReader::new(host.wait(RELOAD_MAX)?);
    let mut times = Vec::with_capacity(RELOADS);
    // The first two are not counted: they may have to be compiled.
    for reload in 1..=RELOADS + 2 {
        let version = reload % 2;
        let build = builds.get(version).context("two builds")?;
        let time = reload_once(&folder, &mut client, build, version);
        let time = time.with_context(|| format!("the server's log: {}", host.log_end()))?;
        if reload > 2 {
            times.push(time.as_secs_f64() * 1e3);
        }
    }
    times.sort_by(f64::total_cmp);
    let mut figures = Figures::new();
    figures.insert("value".into(), json!(times.get(times.len() / 2)));
    figures.insert("least_ms".into(), json!(times.first()));
    figures.insert("most_ms".into(), json!(times.last()));
    Ok(figures)
}

fn reload_once(
    folder: &Path,
    client: &mut BufReader<TcpStream>,
    build: &[u8],
    version: usize,
) -> Result<Duration> {
    let next = folder.join("next");
    write(&next, build)?;
    let renamed = Instant::now();
    std::fs::rename(&next, folder.join(SERVED))?;
    let expected = version.to_string();
    while ask(client)? != expected {
        if renamed.elapsed() > RELOAD_MAX {
            bail!("the new code does not come");
        }
    }
    Ok(renamed.elapsed())
}

/// Asks which version answers.
fn ask(client: &mut BufReader<TcpStream>) -> Result<String> {
    client
        .get_mut()
        .write_all(b"GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
    let mut line = String::new();
    client.read_line(&mut line)?;
    if !line.starts_with("HTTP/1.1 200") {
        bail!("the answer is {line}");
    }
    let mut length = 0;
    while line.trim() != "" {
        line.clear();
        client.read_line(&mut line)?;
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse()?;
        }
    }
    let mut body = vec![0; length];
    client.read_exact(&mut body)?;
    Ok(String::from_utf8(body)?)
}

/// The fixture with another version in it.
fn build(fixture: &[u8], version: usize) -> Result<Vec<u8>> {
    let mut build = fixture.to_vec();
    let name = build.windows(VERSION.len()).position(|it| it == VERSION);
    let digits = name.context("the fixture has no version")? + VERSION.len();
    let digits = build.get_mut(digits..digits + DIGITS);
    let number = format!("{version:0DIGITS$}");
    digits
        .context("the fixture ends too early")?
        .copy_from_slice(number.as_bytes());
    Ok(build)
}

fn folder(kit: &Kit) -> Result<PathBuf> {
    let folder = kit.folder.join("reload");
    std::fs::create_dir_all(&folder).with_context(|| format!("can't make {}", folder.display()))?;
    Ok(folder)
}

fn read(file: &Path) -> Result<Vec<u8>> {
    std::fs::read(file).with_context(|| format!("can't read {}", file.display()))
}

fn write(file: &Path, bytes: &[u8]) -> Result<()> {
    std::fs::write(file, bytes).with_context(|| format!("can't write {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builds_differ_in_their_version_alone() {
        let fixture = b"some fixture version: 00000000 and more";
        let expected = b"some fixture version: 00000017 and more";
        assert_eq!(build(fixture, 17).unwrap(), expected);
        assert!(build(b"nothing", 1).is_err());
    }
}
