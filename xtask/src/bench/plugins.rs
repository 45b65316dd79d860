//! Many plugins in one host, every one a different component: the echo with a
//! number at its end.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::json;

use super::kit::Kit;
use super::manifest::Manifest;
use super::measure::{self, Figures};
use super::server::{Running, free_address};

/// Compiling all of them, the first time.
pub(super) const COMPILE_MAX: Duration = Duration::from_secs(1800);

/// Writes the components.
pub(crate) fn make(kit: &Kit, count: usize) -> Result<()> {
    let folder = folder(kit);
    std::fs::create_dir_all(&folder).with_context(|| format!("can't make {}", folder.display()))?;
    let echo = kit.guests.join("echo.wasm");
    let echo = std::fs::read(&echo).with_context(|| format!("can't read {}", echo.display()))?;
    for index in 0..count {
        let mut component = echo.clone();
        component.extend(custom_section(index));
        let file = folder.join(format!("{index}.wasm"));
        std::fs::write(&file, component)
            .with_context(|| format!("can't write {}", file.display()))?;
    }
    eprintln!("Compiling {count} plugins, unless the cache has them.");
    let mut host = start(kit, count)?;
    host.wait(COMPILE_MAX).map(drop)
}

fn folder(kit: &Kit) -> PathBuf {
    kit.folder.join("plugins")
}

/// A custom section of a component: its id, its size, the length of its name,
/// its name, and its content. All sizes are below 128, where LEB128 is a byte.
pub(super) fn custom_section(index: usize) -> Vec<u8> {
    let content = format!("bench{index:08}");
    let mut section = vec![0, content.len() as u8 + 1, b"bench".len() as u8];
    section.extend(content.into_bytes());
    section
}

fn start(kit: &Kit, count: usize) -> Result<Running> {
    let address = free_address()?;
    let mut manifest = Manifest::new(address);
    for index in 0..count {
        let component = folder(kit).join(format!("{index}.wasm"));
        let (name, path) = (format!("p{index}"), format!("/p{index}"));
        manifest.plugin(&name, &path, &component, "");
    }
    let log = kit.folder.join(format!("logs/plugins-{count}.log"));
    Running::host(kit, &manifest, address, log)
}

/// The memory of each plugin, from hosts with one and with many.
pub(crate) fn measure(kit: &Kit, count: usize) -> Result<Figures> {
    let (one, _) = load(kit, 1)?;
    let (many, start_time) = load(kit, count)?;
    let each = |key: &str| {
        let read = |figures: &Figures| figures.get(key).and_then(serde_json::Value::as_f64);
        let difference = read(&many)? - read(&one)?;
        Some(difference / (count.saturating_sub(1).max(1)) as f64)
    };
    let each = |key: &str| each(key).with_context(|| format!("no figure `{key}`"));
    let mut figures = Figures::new();
    figures.insert("value".into(), json!(each("loaded_bytes")?));
    figures.insert("private_bytes".into(), json!(each("private_bytes")?));
    figures.insert("with_instance_bytes".into(), json!(each("used_bytes")?));
    let start_us = start_time.as_secs_f64() * 1e6 / count as f64;
    figures.insert("start_us".into(), json!(start_us));
    Ok(figures)
}

fn load(kit: &Kit, count: usize) -> Result<(Figures, Duration)> {
    let mut host = start(kit, count)?;
    drop(host.wait(COMPILE_MAX)?);
    let start_time = host.begun.elapsed();
    let mut command = kit.on_client_core();
    command
        .args(["load", "plugins"])
        .arg(format!("count={count}"));
    Ok((measure::figures(kit, command, &host)?, start_time))
}

#[cfg(test)]
mod tests {
    use super::custom_section;

    #[test]
    fn the_section_says_its_own_size() {
        let section = custom_section(17);
        assert_eq!(usize::from(section[1]), section.len() - 2);
        assert_eq!(section[3..], *b"bench00000017");
    }
}
