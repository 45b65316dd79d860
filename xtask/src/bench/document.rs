//! Writes docs/performance.md from a run and a template.

use anyhow::{Context, Result};

use super::cases;
use super::report::{self, Report};
use crate::place;

const TEMPLATE: &str = "xtask/bench/performance.md";
const DOCUMENT: &str = "docs/performance.md";

/// Fills the template in.
pub(crate) fn write(report: &Report) -> Result<()> {
    let root = place::root()?;
    let template = root.join(TEMPLATE);
    let template = std::fs::read_to_string(&template)
        .with_context(|| format!("can't read {}", template.display()))?;
    let file = root.join(DOCUMENT);
    report::write(&file, &filled(&template, report))?;
    eprintln!("{}", file.display());
    Ok(())
}

fn filled(template: &str, report: &Report) -> String {
    let pace = report.pace;
    let command = std::iter::once("cargo xtask bench".to_owned()).chain(report.arguments.clone());
    let mut text = template
        .replace("{{machine}}", &report.machine.markdown())
        .replace("{{command}}", &command.collect::<Vec<_>>().join(" "))
        .replace("{{rounds}}", &pace.rounds.to_string())
        .replace("{{warm_seconds}}", &pace.warm_seconds.to_string())
        .replace("{{measure_seconds}}", &pace.measure_seconds.to_string());
    for case in cases::ALL {
        let result = report.results.iter().find(|it| it.case.name == case.name);
        let table = match result {
            Some(result) => report::markdown(result),
            None => "Not measured in this run.\n".to_owned(),
        };
        let section = format!("### {}\n\n{table}", case.title);
        text = text.replace(&mark(case.name), section.trim_end());
    }
    text
}

/// Where a case's table goes.
fn mark(case: &str) -> String {
    format!("{{{{case:{case}}}}}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_has_its_place_in_the_template() {
        let template = std::fs::read_to_string(place::root().unwrap().join(TEMPLATE)).unwrap();
        for case in cases::ALL {
            assert_eq!(
                template.matches(&mark(case.name)).count(),
                1,
                "{}",
                case.name
            );
        }
        assert_eq!(template.matches("{{case:").count(), cases::ALL.len());
    }
}
