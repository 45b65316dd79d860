//! Limits, and the rules for names and texts.

use crate::protocol::Problem;

/// Length of a room's name, in bytes.
pub(crate) const ROOM_LEN_MAX: usize = 64;
/// Length of a nickname, in characters.
pub(crate) const NICK_LEN_MAX: usize = 24;
/// Length of the key that gives a nickname back, in bytes.
pub(crate) const KEY_LEN_MAX: usize = 64;
/// Length of a text, in characters.
pub(crate) const TEXT_LEN_MAX: usize = 1000;
/// Members of a room.
pub(crate) const MEMBERS_MAX: u32 = 500;
/// Messages which a room keeps for newcomers.
pub(crate) const HISTORY_LEN_MAX: usize = 50;
/// Body of a POST, in bytes. A character of JSON has at most 12.
pub(crate) const BODY_BYTES_MAX: usize = 16 << 10;

/// Says what [`is_room`] wants.
pub(crate) const ROOM_RULE: &str =
    "the name of a room has 1 to 64 letters (a to z, A to Z), digits, `-` and `_`";

/// Whether a room can have this name.
pub(crate) fn is_room(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=ROOM_LEN_MAX).contains(&name.len()) && name.bytes().all(allowed)
}

/// A nickname without the spaces around it, if it is one.
pub(crate) fn nick(nick: &str) -> Result<&str, Problem> {
    let nick = nick.trim();
    if nick.is_empty() {
        return Err(Problem::BadNick("is empty"));
    }
    if nick.chars().count() > NICK_LEN_MAX {
        return Err(Problem::BadNick("has more than 24 characters"));
    }
    if nick
        .chars()
        .any(|char| char.is_control() || is_invisible(char))
    {
        return Err(Problem::BadNick("has control characters"));
    }
    Ok(nick)
}

/// A key, or an empty text for none.
pub(crate) fn key(key: &str) -> Result<&str, Problem> {
    let fits = key.len() <= KEY_LEN_MAX && key.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { Ok(key) } else { Err(Problem::BadKey) }
}

/// A text without the white space around it, if it is one.
pub(crate) fn text(text: &str) -> Result<&str, Problem> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Problem::BadText("is empty"));
    }
    if text.chars().count() > TEXT_LEN_MAX {
        return Err(Problem::BadText("has more than 1000 characters"));
    }
    let forbidden = |char: char| char.is_control() && char != '\n' && char != '\t';
    if text.chars().any(forbidden) {
        return Err(Problem::BadText("has control characters"));
    }
    Ok(text)
}

/// Whether two nicknames are too much alike to be in one room.
pub(crate) fn same_nick(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// Characters that can't be seen but change how others are: two nicknames that
/// differ in them alone look the same.
fn is_invisible(char: char) -> bool {
    matches!(char,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rooms_have_plain_names() {
        for name in ["a", "Lobby", "room_1-2", &"x".repeat(64)] {
            assert!(is_room(name), "{name}");
        }
        for name in ["", ".", "a b", "a/b", "a%20b", "ä", &"x".repeat(65)] {
            assert!(!is_room(name), "{name}");
        }
    }

    #[test]
    fn nicknames_are_trimmed_and_checked() {
        assert_eq!(nick("  Ada L. \n"), Ok("Ada L."));
        assert_eq!(nick(&"ä".repeat(24)).unwrap().chars().count(), 24);
        for bad in ["", "  ", "a\nb", "a\u{202e}b", "a\u{200b}", &"x".repeat(25)] {
            assert!(matches!(nick(bad), Err(Problem::BadNick(_))), "{bad:?}");
        }
        assert_eq!(key(""), Ok(""));
        for bad in ["a b", "a\n", "ä", &"x".repeat(65)] {
            assert_eq!(key(bad), Err(Problem::BadKey));
        }
        assert!(same_nick("Ada", "aDA"));
        assert!(!same_nick("Ada", "Bea"));
    }

    #[test]
    fn texts_may_have_lines_but_no_other_controls() {
        assert_eq!(text(" one\n\ttwo "), Ok("one\n\ttwo"));
        for bad in ["", " \n ", "a\u{0}", "a\u{1b}[2J", &"x".repeat(1001)] {
            assert!(matches!(text(bad), Err(Problem::BadText(_))), "{bad:?}");
        }
    }
}
