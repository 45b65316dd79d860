//! The text format of Prometheus: families of samples, each with its labels.

use std::fmt::{Display, Write};

/// What a family is.
#[derive(Clone, Copy)]
pub(super) enum Type {
    Counter,
    Gauge,
    Histogram,
}

/// A page that is being written.
#[derive(Default)]
pub(super) struct Page {
    text: String,
    /// The family's name.
    name: &'static str,
}

/// The labels of a sample.
#[derive(Clone, Default)]
pub(super) struct Labels(String);

impl Labels {
    /// With one more.
    pub(super) fn and(mut self, name: &str, value: &str) -> Self {
        if !self.0.is_empty() {
            self.0.push(',');
        }
        self.0.push_str(name);
        self.0.push_str("=\"");
        for character in value.chars() {
            match character {
                '\\' => self.0.push_str("\\\\"),
                '"' => self.0.push_str("\\\""),
                '\n' => self.0.push_str("\\n"),
                _ => self.0.push(character),
            }
        }
        self.0.push('"');
        self
    }
}

impl Page {
    /// Begins a family. All its samples follow.
    pub(super) fn family(&mut self, kind: Type, name: &'static str, help: &str) {
        let kind = match kind {
            Type::Counter => "counter",
            Type::Gauge => "gauge",
            Type::Histogram => "histogram",
        };
        self.name = name;
        self.line(format_args!("# HELP {name} {help}"));
        self.line(format_args!("# TYPE {name} {kind}"));
    }

    /// A sample of a counter or a gauge.
    pub(super) fn sample(&mut self, labels: &Labels, value: u64) {
        self.write("", labels, value);
    }

    /// A sample that is given in nanoseconds, and shown in seconds.
    pub(super) fn seconds(&mut self, labels: &Labels, ns: u64) {
        self.write("", labels, ns as f64 / 1e9);
    }

    /// How much of a histogram is at most `bound_us`; without, all of it.
    pub(super) fn bucket(&mut self, labels: &Labels, bound_us: Option<u64>, count: u64) {
        let bound = match bound_us {
            Some(us) => (us as f64 / 1e6).to_string(),
            None => "+Inf".to_owned(),
        };
        self.write("_bucket", &labels.clone().and("le", &bound), count);
    }

    /// The sum of a histogram.
    pub(super) fn sum(&mut self, labels: &Labels, ns: u64) {
        self.write("_sum", labels, ns as f64 / 1e9);
    }

    /// The count of a histogram.
    pub(super) fn count(&mut self, labels: &Labels, count: u64) {
        self.write("_count", labels, count);
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }

    fn write(&mut self, suffix: &str, Labels(labels): &Labels, value: impl Display) {
        let name = self.name;
        match labels.is_empty() {
            true => self.line(format_args!("{name}{suffix} {value}")),
            false => self.line(format_args!("{name}{suffix}{{{labels}}} {value}")),
        }
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // A string takes whatever is written.
        let _ = self.text.write_fmt(line);
        self.text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_can_hold_anything() {
        let Labels(text) = Labels::default().and("a", "\\\"\n").and("b", "");
        assert_eq!(text, "a=\"\\\\\\\"\\n\",b=\"\"");
    }
}
