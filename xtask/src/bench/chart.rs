//! A chart of one case: a bar for each contender. Readable on light and on dark.

use std::fmt::Write;

use super::figure::number;
use super::result::CaseResult;

const WIDTH: f64 = 760.0;
const LABELS_WIDTH: f64 = 330.0;
/// Left for the figure behind the longest bar.
const FIGURES_WIDTH: f64 = 130.0;
const BAR_HEIGHT: f64 = 20.0;
const ROW_HEIGHT: f64 = 30.0;
const HEAD_HEIGHT: f64 = 56.0;
const MARGIN: f64 = 12.0;

const STYLE: &str = "\
text { font: 13px system-ui, sans-serif; fill: #1f2328; }
.title { font-size: 15px; font-weight: 600; }
.unit { fill: #59636e; }
.back { fill: #ffffff; }
.ours { fill: #2f6fdb; }
.other { fill: #9aa4af; }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3; }
.unit { fill: #9198a1; }
.back { fill: #0d1117; }
.ours { fill: #5b9bff; }
.other { fill: #6b7681; }
}";

/// The chart as an SVG file.
pub(crate) fn svg(result: &CaseResult) -> String {
    let values = result.entries.iter().map(|entry| entry.median("value"));
    let values: Vec<Option<f64>> = values.collect();
    let largest = values.iter().flatten().copied().fold(0.0, f64::max);
    let height = HEAD_HEIGHT + ROW_HEIGHT * values.len() as f64 + MARGIN;
    let case = result.case;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         width=\"{WIDTH}\" height=\"{height}\" role=\"img\" aria-label=\"{title}\">\n\
         <style>\n{STYLE}\n</style>\n\
         <rect class=\"back\" width=\"{WIDTH}\" height=\"{height}\"/>\n\
         <text class=\"title\" x=\"{MARGIN}\" y=\"24\">{title}</text>\n\
         <text class=\"unit\" x=\"{MARGIN}\" y=\"42\">{unit}, {better}</text>\n",
        title = escaped(case.title),
        unit = escaped(case.unit),
        better = case.better.text(),
    );
    for (index, (entry, value)) in result.entries.iter().zip(values).enumerate() {
        let top = HEAD_HEIGHT + ROW_HEIGHT * index as f64;
        bar(&mut svg, top, entry.contender.label, value, largest);
    }
    svg.push_str("</svg>\n");
    svg
}

fn bar(svg: &mut String, top: f64, label: &str, value: Option<f64>, largest: f64) {
    let baseline = top + BAR_HEIGHT * 0.72;
    let room = WIDTH - LABELS_WIDTH - FIGURES_WIDTH;
    let length = match value {
        Some(value) if largest > 0.0 => (value.max(0.0) / largest * room).max(1.0),
        _ => 0.0,
    };
    let class = if label.starts_with("Holdfast") {
        "ours"
    } else {
        "other"
    };
    let figure = value.map_or_else(|| "failed".to_owned(), number);
    // Writing to a string can't fail.
    let _ = write!(
        svg,
        "<text x=\"{MARGIN}\" y=\"{baseline:.1}\">{label}</text>\n\
         <rect class=\"{class}\" x=\"{LABELS_WIDTH}\" y=\"{top:.1}\" width=\"{length:.1}\" \
         height=\"{BAR_HEIGHT}\" rx=\"2\"/>\n\
         <text x=\"{end:.1}\" y=\"{baseline:.1}\">{figure}</text>\n",
        label = escaped(label),
        end = LABELS_WIDTH + length + 6.0,
    );
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
}
