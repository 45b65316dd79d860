//! What came out of a case, and what can be derived from it.

use serde_json::{Value, json};

use super::case::{Case, Contender};
use super::figure::percent;
use super::measure::Figures;

/// The share of a core from which on a process is taken for busy, and the one
/// up to which it is not.
const BUSY: f64 = 0.95;
const NOT_BUSY: f64 = 0.90;

/// The share of a core that others may use without being mentioned.
const UNDISTURBED: f64 = 0.10;

/// All contenders of a case.
pub(crate) struct CaseResult {
    pub(crate) case: &'static Case,
    pub(crate) entries: Vec<Entry>,
}

/// All rounds of a contender.
pub(crate) struct Entry {
    pub(crate) contender: &'static Contender,
    pub(crate) rounds: Vec<Figures>,
    pub(crate) failure: Option<String>,
}

impl Entry {
    pub(crate) fn new(contender: &'static Contender) -> Self {
        Self {
            contender,
            rounds: Vec::new(),
            failure: None,
        }
    }

    /// The median of one figure; none for one who has failed.
    pub(crate) fn median(&self, key: &str) -> Option<f64> {
        let sorted = self.sorted(key)?;
        let middle = sorted.len() / 2;
        let upper = sorted.get(middle)?;
        if sorted.len() % 2 == 1 {
            return Some(*upper);
        }
        let lower = sorted.get(middle.checked_sub(1)?)?;
        Some((lower + upper) / 2.0)
    }

    /// From the least to the most, as a share of the median.
    pub(crate) fn spread(&self) -> Option<f64> {
        let sorted = self.sorted("value")?;
        let median = self.median("value")?;
        let width = sorted.last()? - sorted.first()?;
        (median != 0.0).then(|| width / median.abs())
    }

    fn sorted(&self, key: &str) -> Option<Vec<f64>> {
        if self.failure.is_some() {
            return None;
        }
        let figures = self.rounds.iter();
        let mut values: Vec<f64> = figures
            .map(|round| round.get(key)?.as_f64())
            .collect::<Option<_>>()?;
        values.sort_by(f64::total_cmp);
        (!values.is_empty()).then_some(values)
    }

    /// The names of all figures beside those that have columns of their own.
    pub(crate) fn details(&self) -> Vec<&str> {
        let columns = ["value", "server_cpu", "client_cpu", "others_cpu"];
        let first = self.rounds.first().into_iter();
        first
            .flat_map(|round| round.keys().map(String::as_str))
            .filter(|key| !columns.contains(key))
            .collect()
    }

    /// What is to be said about the figures, if anything.
    pub(crate) fn remarks(&self) -> Vec<String> {
        if let Some(failure) = &self.failure {
            return vec![format!("failed: {failure}")];
        }
        let share = |key| self.median(key).unwrap_or(0.0);
        let mut remarks = Vec::new();
        if share("client_cpu") > BUSY && share("server_cpu") < NOT_BUSY {
            remarks.push("the load generator was the limit, not the server".to_owned());
        }
        let others = share("others_cpu");
        if others > UNDISTURBED {
            let others = percent(others);
            remarks.push(format!(
                "disturbed: other processes used {others} of a core"
            ));
        }
        remarks
    }
}

impl CaseResult {
    /// How many times the baseline's figure an entry's is.
    pub(crate) fn ratio(&self, entry: &Entry) -> Option<f64> {
        let baseline = self.entries.first()?.median("value")?;
        let is_alone = self.case.contenders.len() < 2;
        (baseline != 0.0 && !is_alone).then_some(entry.median("value")? / baseline)
    }

    pub(crate) fn to_json(&self) -> Value {
        let entries = self.entries.iter().map(|entry| {
            json!({
                "label": entry.contender.label,
                "median": entry.median("value"),
                "spread": entry.spread(),
                "ratio": self.ratio(entry),
                "remarks": entry.remarks(),
                "rounds": entry.rounds,
            })
        });
        json!({
            "case": self.case.name,
            "title": self.case.title,
            "unit": self.case.unit,
            "better": self.case.better.text(),
            "contenders": entries.collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::case::{Case, Contender};
    use super::super::cases;
    use super::*;

    fn entry(case: &'static Case, index: usize, values: &[f64]) -> Entry {
        let contender: &'static Contender = &case.contenders[index];
        let round = |value: &f64| json!({ "value": value }).as_object().unwrap().clone();
        Entry {
            rounds: values.iter().map(round).collect(),
            ..Entry::new(contender)
        }
    }

    #[test]
    fn ratios_are_those_of_medians_to_the_first() {
        let case = &cases::ALL[0];
        let result = CaseResult {
            case,
            entries: vec![
                entry(case, 0, &[90.0, 100.0, 130.0]),
                entry(case, 1, &[40.0, 60.0]),
            ],
        };
        assert_eq!(result.ratio(&result.entries[1]), Some(0.5));
        assert_eq!(result.entries[0].spread(), Some(0.4));
    }

    #[test]
    fn a_busy_load_generator_and_other_processes_are_mentioned() {
        let round = json!({ "server_cpu": 0.5, "client_cpu": 0.99, "others_cpu": 0.2 });
        let mut entry = entry(&cases::ALL[0], 0, &[]);
        entry.rounds.push(round.as_object().unwrap().clone());
        assert_eq!(entry.remarks().len(), 2);
    }

    #[test]
    fn nothing_is_said_of_one_who_failed() {
        let mut failed = entry(&cases::ALL[0], 0, &[1.0]);
        failed.failure = Some("gone".into());
        assert_eq!(failed.median("value"), None);
        assert_eq!(failed.remarks(), ["failed: gone"]);
    }
}
