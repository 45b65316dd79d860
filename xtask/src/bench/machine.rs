//! What the figures were taken on.

use std::process::Command;

use serde_json::{Value, json};

use super::kit::Kit;
use super::measure::version_of;
use crate::{command, place};

/// The machine and the programs.
pub(crate) struct Machine {
    /// What is known, each with its name.
    facts: Vec<(&'static str, String)>,
}

impl Machine {
    pub(crate) fn look(kit: &Kit) -> Self {
        let pinning = match kit.cores {
            Some(cores) => format!(
                "servers on core {}, load on core {}",
                cores.server, cores.client
            ),
            None => "none: there is a single core".to_owned(),
        };
        let mut facts = vec![
            ("Processor", processor()),
            ("Memory", memory()),
            (
                "Kernel",
                read("/proc/sys/kernel/osrelease").trim().to_owned(),
            ),
            ("Pinning", pinning),
            ("Compiler", version_of("rustc")),
            ("Commit", commit()),
            ("Date", date()),
        ];
        for installed in kit.peers.values().flatten() {
            facts.push(("Peer", installed.version.clone()));
        }
        Self { facts }
    }

    /// A line for each fact.
    pub(crate) fn text(&self) -> String {
        let line = |(name, fact): &(&str, String)| format!("{name:<10} {fact}");
        self.facts.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    /// A list in Markdown.
    pub(crate) fn markdown(&self) -> String {
        let line = |(name, fact): &(&str, String)| format!("- {name}: {fact}");
        self.facts.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    pub(crate) fn to_json(&self) -> Value {
        let facts = self.facts.iter();
        facts
            .map(|(name, fact)| json!({ "name": name, "fact": fact }))
            .collect()
    }
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| format!("unknown ({error})"))
}

fn processor() -> String {
    let text = read("/proc/cpuinfo");
    let models: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("model name"))
        .filter_map(|line| line.split_once(':'))
        .map(|(_, model)| model.trim())
        .collect();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{}, {cores} cores", models.first().unwrap_or(&"unknown"))
}

fn memory() -> String {
    let text = read("/proc/meminfo");
    let kilobytes = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))
        .and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    match kilobytes {
        Some(kilobytes) => format!("{:.0} GiB", kilobytes as f64 / f64::from(1 << 20)),
        None => "unknown".to_owned(),
    }
}

fn commit() -> String {
    let git = |arguments: &[&str]| {
        let root = place::root()?;
        command::read(Command::new("git").current_dir(root).args(arguments))
    };
    let Ok(hash) = git(&["rev-parse", "--short", "HEAD"]) else {
        return "unknown".to_owned();
    };
    let is_clean = git(&["status", "--porcelain", "--untracked-files=no"])
        .is_ok_and(|changes| changes.is_empty());
    let changes = if is_clean { "" } else { ", with changes" };
    format!("{}{changes}", hash.trim())
}

fn date() -> String {
    let date = command::read(Command::new("date").args(["-u", "+%Y-%m-%d"]));
    date.map_or_else(|_| "unknown".to_owned(), |date| date.trim().to_owned())
}
