//! What `holdfast dev` tells the person who started it.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use super::ansi;
use crate::cli::Color;
use crate::log;

/// Standard output, with or without colours.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terminal {
    pub(super) has_colors: bool,
    /// Whether a line can be written over.
    pub(super) is_live: bool,
}

const BOLD: &str = "\u{1b}[1m";
const PLAIN: &str = "\u{1b}[0m";

impl Terminal {
    /// With colours, if they are wanted.
    pub(super) fn new(color: Color) -> Self {
        Self {
            has_colors: log::has_colors(color, &std::io::stdout()),
            is_live: std::io::stdout().is_terminal(),
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

/// How soon people are told that something takes its time.
const SOON: Duration = Duration::from_secs(1);
/// Back to the beginning of the line, and away with what is in it.
const CLEAR: &str = "\r\u{1b}[K";

/// A line that says for how long something has been going on. Only on a terminal,
/// where it goes away again.
#[derive(Debug)]
pub(super) struct Progress<'a> {
    terminal: Terminal,
    name: &'a str,
    start: Instant,
    /// The seconds that are shown.
    shown: Option<u64>,
}

impl<'a> Progress<'a> {
    /// Begins to count.
    pub(super) fn start(terminal: Terminal, name: &'a str) -> Self {
        Self {
            terminal,
            name,
            start: Instant::now(),
            shown: None,
        }
    }

    /// Shows the time, when another second has passed.
    pub(super) fn show(&mut self) {
        let elapsed = self.start.elapsed();
        let seconds = elapsed.as_secs();
        if self.terminal.is_live && elapsed >= SOON && self.shown != Some(seconds) {
            write(&format!("{CLEAR}building {}: {seconds} s", self.name));
            self.shown = Some(seconds);
        }
    }

    /// Makes room for something else.
    pub(super) fn clear(&mut self) {
        if self.shown.take().is_some() {
            write(CLEAR);
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
