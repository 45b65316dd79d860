//! What clients say, so that it can neither end a text nor a line.

use std::fmt::Write;

/// Between the quotes of the combined format, as nginx writes it: quotes,
/// backslashes and what is not visible ASCII become `\xHH`.
pub(super) fn quoted(out: &mut String, bytes: &[u8]) {
    for byte in bytes {
        match byte {
            b'"' | b'\\' | 0..=0x1f | 0x7f..=0xff => {
                // A string takes whatever is written.
                let _ = write!(out, "\\x{byte:02X}");
            }
            byte => out.push(char::from(*byte)),
        }
    }
}

/// A string of JSON with its quotes. What is no UTF-8 becomes U+FFFD, and what
/// could do something to a terminal is escaped.
pub(super) fn json(out: &mut String, bytes: &[u8]) {
    out.push('"');
    for letter in String::from_utf8_lossy(bytes).chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            letter if letter.is_control() => {
                // All of them are below U+00A0.
                let _ = write!(out, "\\u{:04x}", u32::from(letter));
            }
            letter => out.push(letter),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_gets_out_of_its_quotes() {
        let text = b"a\" \\ \r\n\x00\x1b[2J\x7f \xc3\xa9 \xff";
        let mut out = String::new();
        quoted(&mut out, text);
        let expected = r"a\x22 \x5C \x0D\x0A\x00\x1B[2J\x7F \xC3\xA9 \xFF";
        assert_eq!(out, expected);
        let mut out = String::new();
        json(&mut out, text);
        let expected = r#""a\" \\ \u000d\u000a\u0000\u001b[2J\u007f é"#;
        assert_eq!(out, format!("{expected} \u{fffd}\""));
    }
}
