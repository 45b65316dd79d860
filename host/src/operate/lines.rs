//! Lines of a host's log, for people.

use std::io::{self, Write};

use serde_json::{Map, Value};

/// The longest line that is waited for.
const LINE_BYTES_MAX: usize = 1 << 20;

/// Takes bytes as they come, and writes whole lines.
pub(super) struct Lines {
    is_json: bool,
    /// The beginning of a line.
    begun: Vec<u8>,
}

impl Lines {
    /// As they come, or for people.
    pub(super) fn new(is_json: bool) -> Self {
        Self {
            is_json,
            begun: Vec::new(),
        }
    }

    pub(super) fn write(&mut self, bytes: &[u8], output: &mut impl Write) -> io::Result<()> {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.begun.extend_from_slice(piece);
            if piece.ends_with(b"\n") || self.begun.len() > LINE_BYTES_MAX {
                let line = std::mem::take(&mut self.begun);
                match self.is_json {
                    true => output.write_all(&line)?,
                    false => output.write_all(plain(&line).as_bytes())?,
                }
            }
        }
        Ok(())
    }
}

/// A line for people; what is no JSON is left as it is.
fn plain(line: &[u8]) -> String {
    let Ok(fields) = serde_json::from_slice::<Map<String, Value>>(line) else {
        return String::from_utf8_lossy(line).into_owned();
    };
    let text = |key: &str| fields.get(key).and_then(Value::as_str).unwrap_or("");
    let level = text("level").to_uppercase();
    let (time, target, message) = (text("time"), text("target"), text("message"));
    let mut line = format!("{time} {level:>5} {target}: {message}");
    for (key, value) in &fields {
        if !["time", "level", "target", "message"].contains(&key.as_str()) {
            line += &format!(" {key}={value}");
        }
    }
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_written_when_they_are_whole() {
        let line = b"{\"time\":\"T\",\"level\":\"warn\",\"target\":\"guest\",\"message\":\"hot\",\
            \"tenant\":\"acme\",\"generation\":3}\n";
        let expected = "T  WARN guest: hot generation=3 tenant=\"acme\"\n";
        let (mut lines, mut output) = (Lines::new(false), Vec::new());
        lines.write(&line[..20], &mut output).unwrap();
        assert!(output.is_empty());
        lines.write(&line[20..], &mut output).unwrap();
        lines.write(b"no JSON\n", &mut output).unwrap();
        let text = String::from_utf8(output).unwrap();
        assert_eq!(text, format!("{expected}no JSON\n"));
        let (mut lines, mut output) = (Lines::new(true), Vec::new());
        lines.write(line, &mut output).unwrap();
        assert_eq!(output, line);
    }
}
