//! What `holdfast dev` tells the person who started it.

use std::time::Duration;

use super::ansi;
use crate::cli::Color;
use crate::log;

/// Standard output, with or without colours.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terminal {
    pub(super) has_colors: bool,
}

const BOLD: &str = "\u{1b}[1m";
const PLAIN: &str = "\u{1b}[0m";

impl Terminal {
    /// With colours, if they are wanted.
    pub(super) fn new(color: Color) -> Self {
        Self {
            has_colors: log::has_colors(color, &std::io::stdout()),
        }
    }

    /// Shows what a builder has printed.
    pub(super) fn show(self, text: &str) {
        match self.has_colors {
            true => write(text),
            false => write(&ansi::plain(text)),
        }
    }

    /// A line of our own.
    pub(super) fn say(self, text: &str) {
        match self.has_colors {
            true => write(&format!("{BOLD}{text}{PLAIN}\n")),
            false => write(&format!("{text}\n")),
        }
    }
}

#[cfg(not(test))]
fn write(text: &str) {
    use std::io::Write;

    let mut output = std::io::stdout().lock();
    // A terminal that is gone takes nothing; the log says more.
    let _ = output.write_all(text.as_bytes());
    let _ = output.flush();
}

/// The same, where the test runner keeps it.
#[cfg(test)]
fn write(text: &str) {
    print!("{text}");
}

/// A time as people read it.
pub(super) fn shown(time: Duration) -> String {
    let ms = time.as_millis();
    match ms {
        0..1000 => format!("{ms} ms"),
        _ => format!("{:.1} s", time.as_secs_f32()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        for (ms, text) in [
            (0, "0 ms"),
            (35, "35 ms"),
            (999, "999 ms"),
            (1_930, "1.9 s"),
        ] {
            assert_eq!(shown(Duration::from_millis(ms)), text);
        }
    }
}
