//! Figures as people read them.

/// Three digits that count, or all before the point, with thin groups.
pub(crate) fn number(value: f64) -> String {
    let size = value.abs();
    if size >= 100.0 {
        grouped(value.round())
    } else if size >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

fn grouped(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    if value < 0.0 {
        format!("-{text}")
    } else {
        text
    }
}

/// A share of one, in percent.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

/// A figure with its name, whose unit is at the end of the key.
pub(crate) fn named(key: &str, value: f64) -> String {
    let (name, unit) = match key.rsplit_once('_') {
        Some((name, "us")) => (name, " µs"),
        Some((name, "ms")) => (name, " ms"),
        Some((name, "bytes")) => (name, " B"),
        _ => (key, ""),
    };
    format!("{} {}{unit}", name.replace('_', " "), number(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short_and_grouped() {
        assert_eq!(number(1_234_567.8), "1,234,568");
        assert_eq!(number(999.6), "1,000");
        assert_eq!(number(-1234.0), "-1,234");
        assert_eq!(number(12.345), "12.3");
        assert_eq!(number(0.123), "0.12");
        assert_eq!(named("p99_us", 250.0), "p99 250 µs");
        assert_eq!(named("first_event_us", 25.0), "first event 25.0 µs");
        assert_eq!(named("echoes", 4.0), "echoes 4.00");
    }
}
