//! Compares Holdfast with what it could be replaced by, on this machine, in one
//! run. The load generator and the baselines are in `xtask/bench`; here is what
//! is compared, how often, and how it is shown.

mod case;
mod cases;
mod chart;
mod document;
mod figure;
mod kit;
mod machine;
mod manifest;
mod measure;
mod options;
mod peers;
mod plugins;
mod reload;
mod report;
mod result;
mod server;
mod tenants;

use anyhow::Result;

use kit::Kit;
use machine::Machine;
use options::Options;
use report::Report;

/// For `cargo xtask bench --help`.
pub(crate) const HELP: &str = "\
Compare Holdfast with baselines, and with other servers, in one run.

Usage: cargo xtask bench [OPTION]...

Options:
  --case NAME    Only this case; may be repeated. `--case list` names them
  --peers        Also Node, Bun, Tornado, workerd and wasmtime serve, which are
                 installed to target/bench/tools; what can't be is left out
  --quick        Short rounds, small numbers: to see that it works
  --write-docs   Write docs/performance.md from this run

Builds the host with the release profile. Prints tables, and writes results.json
and a chart for each case to target/bench. Nothing else should run on this
machine meanwhile.
";

/// Runs what the arguments ask for.
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    let options = Options::parse(arguments)?;
    if options.cases.iter().any(|name| name == "list") {
        for case in cases::ALL {
            println!("{:<16} {}", case.name, case.title);
        }
        return Ok(());
    }
    let cases = cases::chosen(&options.cases)?;
    let kit = Kit::prepare(&options, &cases)?;
    let machine = Machine::look(&kit);
    println!("{}\n", machine.text());
    let mut results = Vec::new();
    for case in cases {
        let result = measure::run(&kit, case);
        println!("{}", report::table(&result));
        results.push(result);
    }
    let report = Report {
        machine,
        pace: kit.pace,
        arguments: arguments.iter().map(|word| (*word).to_owned()).collect(),
        results,
    };
    report.write(&kit.folder)?;
    if options.writes_docs {
        document::write(&report)?;
    }
    Ok(())
}
