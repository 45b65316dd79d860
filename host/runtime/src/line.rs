//! What guests write, as it may stand in the log: one line of limited length, so
//! that no guest can write a line in another's name.

use std::borrow::Cow;

use holdfast_core::event::Failure;

/// The longest line that is kept whole, in bytes.
pub(crate) const LINE_BYTES_MAX: usize = 8 << 10;

/// Between the lines of an error that have become one.
pub(crate) const PARTS_JOINED: &str = "; ";

/// The text up to the limit, at the end of a character, and without the control
/// characters that would end the line or change the one before it.
pub(crate) fn line(text: &str) -> Cow<'_, str> {
    let end = text.floor_char_boundary(LINE_BYTES_MAX);
    let text = text.get(..end).unwrap_or(text).trim_end();
    let is_plain = |letter: char| !letter.is_control() || letter == '\t';
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut line = String::with_capacity(text.len() + text.len() / 8);
    for letter in text.chars() {
        match is_plain(letter) {
            true => line.push(letter),
            false => line.extend(letter.escape_default()),
        }
    }
    Cow::Owned(line)
}

/// The failure of a guest that has trapped. The names of its functions are in the
/// error, and they are the guest's words.
pub(crate) fn trap(error: &wasmtime::Error) -> Failure {
    let text = format!("{error:?}");
    let parts = text.lines().map(str::trim).filter(|part| !part.is_empty());
    Failure::Trap(line(&parts.collect::<Vec<_>>().join(PARTS_JOINED)).into_owned())
}

/// The failure of a handler that gives this reason. The only way to make one
/// of a guest's words, since failures are logged.
pub(crate) fn handler_failure(reason: &str) -> Failure {
    Failure::Handler(line(reason).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_a_trap_is_one_line() {
        let error = wasmtime::Error::msg("at evil\n\rfunction").context("a\nb");
        let text = trap(&error).to_string();
        assert!(
            text.ends_with("a; b; Caused by:; at evil; function"),
            "{text}"
        );
    }

    #[test]
    fn a_text_is_one_line_of_limited_length() {
        assert_eq!(line("a\tä \n"), "a\tä");
        assert_eq!(line("a\r\nINFO b\u{1b}[2K"), "a\\r\\nINFO b\\u{1b}[2K");
        assert_eq!(line(&"ä".repeat(LINE_BYTES_MAX)).len(), LINE_BYTES_MAX);
        assert_eq!(line(&"…".repeat(LINE_BYTES_MAX)).len(), LINE_BYTES_MAX - 2);
    }
}
