//! Texts with holes. `{name}` stands for what is known by that name; in a text
//! that is expected it takes whatever is there if nothing is known yet, and
//! `{name:digits}` or `{name:hex}` only such characters. `{x*3}` is `xxx`.

use std::collections::BTreeMap;

/// What is known by which name.
pub(super) type Known = BTreeMap<String, String>;

enum Part<'a> {
    Text(&'a str),
    Hole(&'a str),
}

fn parts(pattern: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = pattern;
    while let Some((text, tail)) = rest.split_once('{') {
        parts.push(Part::Text(text));
        // JSON has braces, too: a hole begins with a letter.
        match tail.split_once('}') {
            Some((hole, tail)) => {
                parts.push(Part::Hole(hole));
                rest = tail;
            }
            None => panic!("{pattern}: a hole has no end"),
        }
    }
    parts.push(Part::Text(rest));
    parts
}

/// Fills the holes.
pub(super) fn filled(pattern: &str, known: &Known) -> String {
    let mut text = String::new();
    for part in parts(pattern) {
        match part {
            Part::Text(part) => text.push_str(part),
            Part::Hole(hole) => text.push_str(&value(hole, known).expect("a known name")),
        }
    }
    text
}

/// Whether `text` is what is expected; learns what was not known.
pub(super) fn matches(pattern: &str, text: &str, known: &mut Known) -> bool {
    let parts = parts(pattern);
    let mut rest = text;
    for (index, part) in parts.iter().enumerate() {
        match part {
            Part::Text(part) => match rest.strip_prefix(part) {
                Some(tail) => rest = tail,
                None => return false,
            },
            Part::Hole(hole) => {
                if let Some(value) = value(hole, known) {
                    match rest.strip_prefix(&*value) {
                        Some(tail) => rest = tail,
                        None => return false,
                    }
                    continue;
                }
                let end = match parts.get(index + 1) {
                    Some(Part::Text(next)) if !next.is_empty() => rest.find(next),
                    _ => Some(rest.len()),
                };
                let Some(end) = end else { return false };
                let (found, tail) = rest.split_at(end);
                if !learn(hole, found, known) {
                    return false;
                }
                rest = tail;
            }
        }
    }
    rest.is_empty()
}

/// What stands for a hole, if that is known.
fn value(hole: &str, known: &Known) -> Option<String> {
    if let Some((text, count)) = hole.split_once('*') {
        return Some(text.repeat(count.parse().expect("a number")));
    }
    known.get(hole).cloned()
}

fn learn(hole: &str, found: &str, known: &mut Known) -> bool {
    let (name, kind) = hole.split_once(':').unwrap_or((hole, ""));
    let is_good = match kind {
        "" => true,
        "digits" => !found.is_empty() && found.bytes().all(|byte| byte.is_ascii_digit()),
        "hex" => !found.is_empty() && found.bytes().all(|byte| byte.is_ascii_hexdigit()),
        _ => panic!("{hole}: no such kind"),
    };
    known.insert(name.to_owned(), found.to_owned());
    is_good
}

#[test]
fn holes_are_filled_and_learnt() {
    let mut known = Known::new();
    assert!(matches("id {id:hex}, {n:digits}", "id 0af, 12", &mut known));
    assert_eq!(filled("send {id} {x*3}", &known), "send 0af xxx");
    assert!(matches("{id}!", "0af!", &mut known));
    assert!(!matches("{id}!", "0ae!", &mut known));
    assert!(!matches("{m:digits}", "1a", &mut known));
    assert!(!matches("one", "one more", &mut known));
}
