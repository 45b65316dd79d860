//! The field `Range` (RFC 9110, section 14). Pure.

use std::ops::Range;

/// What is asked for of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it: nothing less is said, or nothing that is understood.
    Whole,
    /// At least one range. None is empty, and no two have a byte in common.
    Ranges(Vec<Range<u64>>),
    /// Only what is not there: 416.
    Nothing,
}

/// Reads the field's value for a file of so many bytes. More than `ranges_max`
/// ranges count as not said, and so does what is malformed. Ranges that overlap
/// or touch are joined, so that nobody can ask for a byte twice.
pub(super) fn part(value: &str, len: u64, ranges_max: usize) -> Part {
    // Of an empty file there is no range, so that its whole is as good.
    if len == 0 {
        return Part::Whole;
    }
    let Some(set) = set(value) else {
        return Part::Whole;
    };
    let mut count = 0;
    let mut ranges = Vec::new();
    for item in set.split(',').map(str::trim) {
        if item.is_empty() {
            continue;
        }
        count += 1;
        let Some(spec) = spec(item).filter(|_| count <= ranges_max) else {
            return Part::Whole;
        };
        ranges.extend(spec.within(len));
    }
    match (count, ranges.is_empty()) {
        (0, _) => Part::Whole,
        (_, true) => Part::Nothing,
        _ => Part::Ranges(joined(ranges)),
    }
}

/// What follows the unit, if that is bytes.
fn set(value: &str) -> Option<&str> {
    let (unit, set) = value.split_once('=')?;
    unit.trim().eq_ignore_ascii_case("bytes").then_some(set)
}

/// A range as it is written.
enum Spec {
    From(u64, Option<u64>),
    Last(u64),
}

impl Spec {
    fn within(self, len: u64) -> Option<Range<u64>> {
        let range = match self {
            Self::From(first, None) => first..len,
            Self::From(first, Some(last)) => first..last.saturating_add(1).min(len),
            Self::Last(count) => len.saturating_sub(count)..len,
        };
        (range.start < range.end).then_some(range)
    }
}

fn spec(item: &str) -> Option<Spec> {
    match item.split_once('-')? {
        ("", count) => Some(Spec::Last(number(count)?)),
        (first, "") => Some(Spec::From(number(first)?, None)),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then_some(Spec::From(first, Some(last)))
        }
    }
}

/// A number of any length; what is too large is as large as can be.
fn number(digits: &str) -> Option<u64> {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(digits.parse().unwrap_or(u64::MAX))
}

/// The same bytes without any of them twice; in their order as long as there is
/// none.
fn joined(ranges: Vec<Range<u64>>) -> Vec<Range<u64>> {
    let mut sorted = ranges.clone();
    sorted.sort_unstable_by_key(|range| range.start);
    let mut joined: Vec<Range<u64>> = Vec::with_capacity(sorted.len());
    for range in sorted {
        match joined.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    if joined.len() == ranges.len() {
        ranges
    } else {
        joined
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(value: &str) -> Option<Vec<(u64, u64)>> {
        match part(value, 100, 4) {
            Part::Whole => None,
            Part::Nothing => Some(Vec::new()),
            Part::Ranges(ranges) => Some(ranges.iter().map(|it| (it.start, it.end)).collect()),
        }
    }

    #[test]
    fn ranges_are_within_the_file() {
        for (value, expected) in [
            ("bytes=0-0", &[(0, 1)][..]),
            ("bytes=0-99", &[(0, 100)]),
            ("bytes=10-", &[(10, 100)]),
            ("bytes=-10", &[(90, 100)]),
            ("bytes=-1000", &[(0, 100)]),
            ("bytes=50-18446744073709551615", &[(50, 100)]),
            ("bytes=50-99999999999999999999999", &[(50, 100)]),
            ("Bytes = 1-2", &[(1, 3)]),
            ("bytes=,1-2 ,, 5-6,", &[(1, 3), (5, 7)]),
            ("bytes=5-6,1-2", &[(5, 7), (1, 3)]),
            ("bytes=100-,5-6", &[(5, 7)]),
            ("bytes=0-10,5-20,90-", &[(0, 21), (90, 100)]),
            ("bytes=5-6,0-4", &[(0, 7)]),
            ("bytes=0-,0-,0-,0-", &[(0, 100)]),
            ("bytes=100-", &[]),
            ("bytes=100-200,-0", &[]),
            ("bytes=99999999999999999999999-", &[]),
        ] {
            assert_eq!(ranges(value).as_deref(), Some(expected), "{value}");
        }
    }

    #[test]
    fn what_is_malformed_or_too_much_is_not_said() {
        for value in [
            "",
            "bytes",
            "bytes=",
            "bytes=,",
            "bytes=-",
            "bytes=a-b",
            "bytes=2-1",
            "bytes=1-2-3",
            "bytes=+1-2",
            "bytes=1--2",
            "bytes=--1",
            "bytes=1-2;3-4",
            "bytes=0x1-0x2",
            "bytes=1 - 2",
            "items=0-1",
            "bytes=1-2,x",
            "bytes=1-1,3-3,5-5,7-7,9-9",
            "bytes=1-1,200-,200-,200-,200-",
        ] {
            assert_eq!(ranges(value), None, "{value}");
        }
        assert_eq!(part("bytes=0-", 0, 4), Part::Whole);
    }
}
