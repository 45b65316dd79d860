//! Shows results: as a table for people, as JSON, and as charts.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::json;

use super::chart;
use super::figure::{named, number, percent};
use super::kit::Pace;
use super::machine::Machine;
use super::result::{CaseResult, Entry};

/// A whole run.
pub(crate) struct Report {
    pub(crate) machine: Machine,
    pub(crate) pace: Pace,
    pub(crate) arguments: Vec<String>,
    pub(crate) results: Vec<CaseResult>,
}

impl Report {
    /// Writes `results.json` and a chart for each case.
    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        let cases: Vec<_> = self.results.iter().map(CaseResult::to_json).collect();
        let all = json!({
            "machine": self.machine.to_json(),
            "arguments": self.arguments,
            "rounds": self.pace.rounds,
            "warm_seconds": self.pace.warm_seconds,
            "measure_seconds": self.pace.measure_seconds,
            "cases": cases,
        });
        let file = folder.join("results.json");
        write(&file, &serde_json::to_string_pretty(&all)?)?;
        eprintln!("{}", file.display());
        for result in &self.results {
            let file = folder.join(result.case.name).with_extension("svg");
            write(&file, &chart::svg(result))?;
            eprintln!("{}", file.display());
        }
        Ok(())
    }
}

/// Writes a file.
pub(crate) fn write(file: &Path, text: &str) -> Result<()> {
    std::fs::write(file, text).with_context(|| format!("can't write {}", file.display()))
}

const COLUMNS: [&str; 6] = ["", "median", "spread", "ratio", "server CPU", "client CPU"];

/// The cells of a contender.
fn cells(result: &CaseResult, entry: &Entry) -> [String; 6] {
    let show = |value: Option<f64>, show: fn(f64) -> String| value.map_or("–".into(), show);
    [
        entry.contender.label.to_owned(),
        show(entry.median("value"), number),
        show(entry.spread(), percent),
        show(result.ratio(entry), |ratio| format!("{ratio:.2}")),
        show(entry.median("server_cpu"), percent),
        show(entry.median("client_cpu"), percent),
    ]
}

/// What does not fit into columns, a line for each contender that has some.
fn notes(result: &CaseResult) -> Vec<String> {
    let note = |entry: &Entry| {
        let details = entry.details().into_iter();
        let mut parts: Vec<String> = details
            .filter_map(|key| Some(named(key, entry.median(key)?)))
            .collect();
        parts.extend(entry.remarks());
        (!parts.is_empty()).then(|| format!("{}: {}", entry.contender.label, parts.join(", ")))
    };
    result.entries.iter().filter_map(note).collect()
}

/// A table for a terminal.
pub(crate) fn table(result: &CaseResult) -> String {
    let case = result.case;
    let mut rows = vec![COLUMNS.map(str::to_owned)];
    rows.extend(result.entries.iter().map(|entry| cells(result, entry)));
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..COLUMNS.len()).map(width).collect();
    let mut text = format!("{} ({}, {})\n", case.title, case.unit, case.better.text());
    for row in &rows {
        for (index, (cell, width)) in row.iter().zip(&widths).enumerate() {
            text.push_str("  ");
            text.push_str(&match index {
                0 => format!("{cell:<width$}"),
                _ => format!("{cell:>width$}"),
            });
        }
        text.push('\n');
    }
    for note in notes(result) {
        text.push_str(&format!("  {note}\n"));
    }
    text
}

/// A table in Markdown.
pub(crate) fn markdown(result: &CaseResult) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let mut text = format!("{}, {}.\n\n", result.case.unit, result.case.better.text());
    text.push_str(&line(&COLUMNS.map(str::to_owned)));
    text.push_str("|---|---:|---:|---:|---:|---:|\n");
    for entry in &result.entries {
        text.push_str(&line(&cells(result, entry)));
    }
    let notes = notes(result);
    if !notes.is_empty() {
        text.push('\n');
        for note in notes {
            text.push_str(&format!("- {}\n", note.replace('|', "/")));
        }
    }
    text
}
