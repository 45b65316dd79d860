//! `cargo xtask languages`: what a language can do and what it costs, as tables
//! in docs/languages.md and README.md.

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::measure::{Figures, Kit};
use super::{Builder, LANGUAGES, Language};
use crate::place;
use crate::programs::Profile;

/// For `cargo xtask languages --help`.
pub(crate) const HELP: &str = "\
Measure what plugins cost in each language, and show what passes.

Usage: cargo xtask languages [OPTION]...

Options:
  --debug        With a host of the debug profile
  --quick        Short rounds: to see that it works
  --write-docs   Write docs/languages.md anew, and the table in README.md

Measures the examples named echo, which `cargo xtask guests` builds. What passes
is what the last run of the conformance suite has found (`cargo xtask test
conformance`). Nothing else should run on this machine meanwhile.
";

/// Where the README has the table.
const BEGIN: &str = "<!-- languages: written by `cargo xtask languages --write-docs` -->\n";
const END: &str = "<!-- end of languages -->\n";

/// How long each figure is measured.
const SECONDS: f64 = 4.0;
const SECONDS_QUICK: f64 = 0.5;

/// What is known of a language, by one of its builders.
struct Row {
    name: &'static str,
    shown: String,
    figures: Figures,
    /// Cases of the conformance suite: those that pass, those that fail, and why
    /// others can't pass.
    passed: usize,
    failed: usize,
    unsupported: BTreeMap<String, String>,
}

/// Measures, prints, and writes if that is wanted.
pub(crate) fn run(options: &[&str]) -> Result<()> {
    let (mut profile, mut seconds, mut writes) = (Profile::Release, SECONDS, false);
    for option in options {
        match *option {
            "--debug" => profile = Profile::Debug,
            "--quick" => seconds = SECONDS_QUICK,
            "--write-docs" => writes = true,
            other => bail!("`{other}` is not understood; see `cargo xtask languages --help`"),
        }
    }
    super::build(|_, name| name.ends_with("-echo"))?;
    let kit = Kit::build(profile, seconds)?;
    let mut rows = Vec::new();
    for language in LANGUAGES {
        for builder in language.builders {
            rows.extend(row(&kit, language, builder)?);
        }
    }
    let table = table(&rows);
    print!("{table}");
    if writes {
        let arguments = options.join(" ");
        write_document(&rows, &table, profile.word(), arguments.trim())?;
        write_readme(&table)?;
    }
    Ok(())
}

/// None for a language that is not there.
fn row(kit: &Kit, language: &'static Language, builder: &Builder) -> Result<Option<Row>> {
    let name = builder.name;
    let component = place::guests()?.join(format!("{name}-echo.wasm"));
    if !component.exists() {
        return Ok(None);
    }
    eprintln!("Measuring {name}.");
    let figures = kit.measure(&component);
    let figures = figures.with_context(|| format!("`{name}-echo` can't be measured"))?;
    let (passed, failed) = results(name)?;
    Ok(Some(Row {
        name,
        shown: shown(language, builder),
        figures,
        passed,
        failed,
        unsupported: unsupported(language, builder)?,
    }))
}

/// The language's name, with that of the builder if it has several.
fn shown(language: &Language, builder: &Builder) -> String {
    let name = match language.name {
        "rust" => "Rust",
        "js" => "JavaScript",
        "python" => "Python",
        "c" => "C",
        "go" => "Go",
        other => other,
    };
    match (language.builders.len(), builder.name.split_once('-')) {
        (1, _) => name.to_owned(),
        (_, Some((_, other))) => format!("{name} ({other})"),
        (_, None) => format!("{name} (quickjs)"),
    }
}

/// How many cases have passed and failed in the last run.
fn results(name: &str) -> Result<(usize, usize)> {
    let folder = place::target()?.join("conformance").join(name);
    let (mut passed, mut failed) = (0, 0);
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry?.path();
        let text = std::fs::read_to_string(&path)?;
        let result: Value =
            serde_json::from_str(&text).with_context(|| format!("{}", path.display()))?;
        let count = |key| {
            result
                .get(key)
                .and_then(Value::as_array)
                .map_or(0, Vec::len)
        };
        passed += count("passed");
        failed += count("failed");
    }
    Ok((passed, failed))
}

/// What can't pass, and why.
fn unsupported(language: &Language, builder: &Builder) -> Result<BTreeMap<String, String>> {
    let suite = place::root()?.join("tests/conformance").join(language.name);
    let file = suite.join("unsupported.toml");
    let text = std::fs::read_to_string(&file).unwrap_or_default();
    let table: toml::Table = text
        .parse()
        .with_context(|| format!("{}", file.display()))?;
    let own = table.get(builder.name).and_then(toml::Value::as_table);
    let pairs = table.iter().chain(own.into_iter().flatten());
    Ok(pairs
        .filter_map(|(name, reason)| Some((name.clone(), reason.as_str()?.to_owned())))
        .collect())
}

fn table(rows: &[Row]) -> String {
    let mut text = String::from(
        "| language | component | compiled in | instance made in | its memory | echoes/s | cases passed |\n\
         |---|---:|---:|---:|---:|---:|---:|\n",
    );
    for row in rows {
        let it = &row.figures;
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} |",
            row.shown,
            bytes(it.component_bytes as f64),
            it.compile_time,
            time(it.instantiate_us),
            bytes(it.memory_bytes),
            thousands(it.echoes_per_second),
            cases(row),
        );
    }
    text
}

fn cases(row: &Row) -> String {
    let all = row.passed + row.failed + row.unsupported.len();
    match (row.passed + row.failed, row.failed) {
        (0, _) => "not tried".to_owned(),
        (_, 0) => format!("{} of {all}", row.passed),
        (_, failed) => format!("{} of {all}, {failed} fail", row.passed),
    }
}

fn bytes(count: f64) -> String {
    match count {
        0.0..1_048_576.0 => format!("{:.0} KiB", count / 1024.0),
        _ => format!("{:.1} MiB", count / 1_048_576.0),
    }
}

fn time(us: f64) -> String {
    match us {
        0.0..1000.0 => format!("{us:.0} µs"),
        _ => format!("{:.1} ms", us / 1000.0),
    }
}

/// A number with a comma between thousands.
fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn write_document(rows: &[Row], table: &str, profile: &str, arguments: &str) -> Result<()> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut text = format!(
        "# Languages\n\n\
         Written by `cargo xtask languages {arguments}`, on a machine with {cores} cores, with a host of the {profile} \
         profile.\n\n{table}\n\
         - The component is that of `examples/LANG/echo`: a WebSocket echo and a page of five letters. It is compiled \
         once, on all cores, when it is deployed; what comes of that is kept.\n\
         - An instance is what runs handlers. How long it takes to make one is the difference between an event that \
         gets an instance of its own and one that finds a warm one, inside the runtime and without sockets. Its memory \
         is its linear memory after one event.\n\
         - Echoes are messages of 64 bytes, one at a time on each of 64 connections, through sockets, with the load \
         generator on the same machine.\n\
         - The cases are those of the conformance suite ([tests/conformance](../tests/conformance/README.md)), which \
         every language is put through.\n\n\
         ## What can't be done\n\n"
    );
    let mut is_any = false;
    for row in rows {
        for (case, reason) in &row.unsupported {
            if !is_any {
                text.push_str("| language | case | why |\n|---|---|---|\n");
            }
            is_any = true;
            let _ = writeln!(text, "| {} | `{case}` | {reason} |", row.shown);
        }
    }
    if !is_any {
        text.push_str("Every language passes every case.\n");
    }
    text.push_str("\n## Where to begin\n\n");
    for language in LANGUAGES {
        let name = language.name;
        let first = rows.iter().find(|row| row.name == name);
        if let Some(row) = first {
            let shown = row.shown.split(" (").next().unwrap_or_default();
            let _ = writeln!(
                text,
                "- {shown}: `holdfast new my-plugin --lang {name}`, [sdk/{name}](../sdk/{name}), \
                 [examples/{name}](../examples/{name})"
            );
        }
    }
    let file = place::root()?.join("docs/languages.md");
    std::fs::write(&file, text).with_context(|| format!("can't write {}", file.display()))
}

/// Puts the table between the marks in the README.
fn write_readme(table: &str) -> Result<()> {
    let file = place::root()?.join("README.md");
    let text = std::fs::read_to_string(&file)?;
    let (before, rest) = text
        .split_once(BEGIN)
        .context("README.md has no mark where the table of languages begins")?;
    let (_, after) = rest
        .split_once(END)
        .context("README.md has no mark where the table of languages ends")?;
    std::fs::write(&file, format!("{before}{BEGIN}\n{table}\n{END}{after}"))
        .with_context(|| format!("can't write {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short() {
        assert_eq!(bytes(204.0 * 1024.0), "204 KiB");
        assert_eq!(bytes(19.54 * 1_048_576.0), "19.5 MiB");
        assert_eq!(time(18.3), "18 µs");
        assert_eq!(time(5_430.0), "5.4 ms");
        assert_eq!(thousands(1_234_567.4), "1,234,567");
        assert_eq!(thousands(999.0), "999");
    }
}
