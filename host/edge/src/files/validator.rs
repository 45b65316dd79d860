//! By what a client knows whether what it has is still so (RFC 9110, sections
//! 8.8 and 13).

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime};

use http::header::{
    HeaderMap, HeaderName, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE,
    IF_UNMODIFIED_SINCE,
};
use sha1::{Digest, Sha1};

/// A file that was changed so shortly ago may change again without a sign of it:
/// the kernel's clock for files has a grain of 10 ms at most, but file systems
/// without fractions one of a second or two.
const YOUNG: Duration = Duration::from_millis(50);
const YOUNG_WITHOUT_FRACTIONS: Duration = Duration::from_secs(3);

/// Which content a file has. Everything that replaces or overwrites a file
/// changes its number, its size, or the time of its last change, which unlike
/// the other time nobody can set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct State {
    device: u64,
    number: u64,
    len: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl State {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            number: metadata.ino(),
            len: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Whether it was changed in an earlier second than another one.
    pub(super) fn is_older_than(&self, other: &Self) -> bool {
        self.modified.0 < other.modified.0
    }

    /// Whether nobody has written to the file since. Its last change may be
    /// another: that of a file is also when it is replaced by another one.
    pub(super) fn is_content_of(&self, other: &Self) -> bool {
        self.len == other.len && self.modified == other.modified
    }

    fn is_young(&self, now: SystemTime) -> bool {
        let (seconds, nanos) = self.changed;
        let grain = match nanos {
            0 => YOUNG_WITHOUT_FRACTIONS,
            _ => YOUNG,
        };
        let Some(changed) = time(seconds, nanos) else {
            return false;
        };
        // One that is to come is no sign of anything.
        now.duration_since(changed).map_or(true, |age| age < grain)
    }
}

/// What a response says of the state of its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Validator {
    /// The entity tag without the sign of a weak one, in quotes.
    tag: String,
    is_weak: bool,
    /// In whole seconds; none if that is in the future.
    modified: Option<SystemTime>,
    now: SystemTime,
}

/// What conditions of a request say of its response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is sent.
    Send,
    /// 304.
    NotModified,
    /// 412.
    Failed,
}

impl Validator {
    pub(super) fn new(state: &State, now: SystemTime) -> Self {
        let mut digest = Sha1::new();
        digest.update(state.device.to_be_bytes());
        digest.update(state.number.to_be_bytes());
        digest.update(state.len.to_be_bytes());
        for (seconds, nanos) in [state.modified, state.changed] {
            digest.update(seconds.to_be_bytes());
            digest.update(nanos.to_be_bytes());
        }
        let digits = digest.finalize();
        let digits = digits.iter().take(10).map(|byte| format!("{byte:02x}"));
        Self {
            tag: format!("\"{}\"", digits.collect::<String>()),
            is_weak: state.is_young(now),
            modified: time(state.modified.0, 0).filter(|it| *it <= now),
            now,
        }
    }

    /// The field `etag`.
    pub(super) fn etag(&self) -> String {
        match self.is_weak {
            true => format!("W/{}", self.tag),
            false => self.tag.clone(),
        }
    }

    /// The field `last-modified`.
    pub(super) fn last_modified(&self) -> Option<String> {
        self.modified.map(httpdate::fmt_http_date)
    }

    /// Weighs all conditions but those of ranges, in the order of section 13.2.2.
    pub(super) fn judge(&self, headers: &HeaderMap) -> Verdict {
        let fails = if headers.contains_key(IF_MATCH) {
            !self.is_among(headers, &IF_MATCH, |is_weak| !is_weak && !self.is_weak)
        } else {
            let since = date(headers, &IF_UNMODIFIED_SINCE).zip(self.modified);
            since.is_some_and(|(since, modified)| modified > since)
        };
        if fails {
            return Verdict::Failed;
        }
        let is_same = if headers.contains_key(IF_NONE_MATCH) {
            self.is_among(headers, &IF_NONE_MATCH, |_| true)
        } else {
            let since = date(headers, &IF_MODIFIED_SINCE).zip(self.modified);
            since.is_some_and(|(since, modified)| modified <= since)
        };
        match is_same {
            true => Verdict::NotModified,
            false => Verdict::Send,
        }
    }

    /// Whether a range is of what the client has the rest of (section 13.1.5).
    pub(super) fn may_send_range(&self, headers: &HeaderMap) -> bool {
        let Some(value) = headers.get(IF_RANGE) else {
            return true;
        };
        let text = value.to_str().unwrap_or_default().trim();
        if text.starts_with('"') {
            return !self.is_weak && text == self.tag;
        }
        // A date is good enough if nothing can have changed in that second.
        let is_old = |modified: SystemTime| {
            let age = self.now.duration_since(modified);
            age.is_ok_and(|age| age >= Duration::from_secs(2))
        };
        let date = httpdate::parse_http_date(text).ok();
        date.is_some() && date == self.modified && self.modified.is_some_and(is_old)
    }

    /// Whether one of the tags in a field is this one. `counts` says whether one
    /// does that is weak or is not.
    fn is_among(
        &self,
        headers: &HeaderMap,
        name: &HeaderName,
        counts: impl Fn(bool) -> bool,
    ) -> bool {
        let values = headers.get_all(name).iter();
        let values = values.filter_map(|value| value.to_str().ok());
        values.into_iter().any(|value| {
            value.trim() == "*"
                || tags(value).any(|(is_weak, tag)| tag == self.tag && counts(is_weak))
        })
    }
}

/// The entity tags of a list, and whether they are weak, up to what is none.
fn tags(list: &str) -> impl Iterator<Item = (bool, &str)> {
    let mut rest = list;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let (is_weak, quoted) = match rest.strip_prefix("W/") {
            Some(quoted) => (true, quoted),
            None => (false, rest),
        };
        let end = quoted.strip_prefix('"')?.find('"')? + 2;
        let (tag, after) = quoted.split_at_checked(end)?;
        rest = after;
        Some((is_weak, tag))
    })
}

/// The date in a field that is there once; what is malformed counts as not said.
fn date(headers: &HeaderMap, name: &HeaderName) -> Option<SystemTime> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    if values.next().is_some() {
        return None;
    }
    httpdate::parse_http_date(value.trim()).ok()
}

fn time(seconds: i64, nanos: i64) -> Option<SystemTime> {
    let (seconds, nanos) = (seconds.try_into().ok()?, nanos.try_into().ok()?);
    SystemTime::UNIX_EPOCH.checked_add(Duration::new(seconds, nanos))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODIFIED: i64 = 784_111_777;
    const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const BEFORE: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
    const AFTER: &str = "Sunday, 06-Nov-94 08:49:38 GMT";

    fn state() -> State {
        State {
            device: 1,
            number: 2,
            len: 3,
            modified: (MODIFIED, 4),
            changed: (MODIFIED, 4),
        }
    }

    fn at(after: Duration) -> Validator {
        Validator::new(&state(), time(MODIFIED, 4).unwrap() + after)
    }

    fn fields(fields: &[(&HeaderName, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn every_change_is_another_tag() {
        let tag = at(YOUNG).etag();
        assert!(
            tag.starts_with('"') && tag.ends_with('"') && tag.len() == 22,
            "{tag}"
        );
        let change = |change: &dyn Fn(&mut State)| {
            let mut state = state();
            change(&mut state);
            Validator::new(&state, SystemTime::now()).etag()
        };
        assert_eq!(change(&|_| ()), tag);
        for other in [
            change(&|it| it.number += 1),
            change(&|it| it.len += 1),
            change(&|it| it.modified.1 += 1),
            change(&|it| it.changed.1 += 1),
        ] {
            assert_ne!(other, tag);
        }
    }

    #[test]
    fn what_has_just_changed_has_a_weak_tag() {
        assert!(at(Duration::ZERO).etag().starts_with("W/"));
        assert!(!at(YOUNG).etag().starts_with("W/"));
        assert_eq!(at(YOUNG).last_modified().as_deref(), Some(DATE));
        let early = time(MODIFIED - 1, 0).unwrap();
        assert_eq!(Validator::new(&state(), early).last_modified(), None);
        let coarse = State {
            changed: (MODIFIED, 0),
            ..state()
        };
        let later = time(MODIFIED, 0).unwrap() + Duration::from_secs(2);
        assert!(Validator::new(&coarse, later).etag().starts_with("W/"));
    }

    #[test]
    fn conditions_are_weighed_in_their_order() {
        use Verdict::{Failed, NotModified, Send};
        let strong = at(YOUNG);
        let tag = strong.tag.as_str();
        let weak = format!("W/{tag}");
        let list = format!("\"a,b\" ,W/\"c\", {tag}");
        let broken = format!("\"a, {tag}");
        for (headers, expected) in [
            (&[][..], Send),
            (&[(&IF_NONE_MATCH, tag)], NotModified),
            (&[(&IF_NONE_MATCH, &weak)], NotModified),
            (&[(&IF_NONE_MATCH, &list)], NotModified),
            (
                &[(&IF_NONE_MATCH, "\"x\""), (&IF_NONE_MATCH, tag)],
                NotModified,
            ),
            (&[(&IF_NONE_MATCH, "*")], NotModified),
            (&[(&IF_NONE_MATCH, "\"x\"")], Send),
            (&[(&IF_NONE_MATCH, "x")], Send),
            (&[(&IF_NONE_MATCH, &broken)], Send),
            (
                &[(&IF_NONE_MATCH, "\"x\""), (&IF_MODIFIED_SINCE, DATE)],
                Send,
            ),
            (&[(&IF_MODIFIED_SINCE, DATE)], NotModified),
            (&[(&IF_MODIFIED_SINCE, AFTER)], NotModified),
            (&[(&IF_MODIFIED_SINCE, BEFORE)], Send),
            (&[(&IF_MODIFIED_SINCE, "yesterday")], Send),
            (
                &[(&IF_MODIFIED_SINCE, DATE), (&IF_MODIFIED_SINCE, DATE)],
                Send,
            ),
            (&[(&IF_MATCH, tag)], Send),
            (&[(&IF_MATCH, "*")], Send),
            (&[(&IF_MATCH, &weak)], Failed),
            (&[(&IF_MATCH, "\"x\"")], Failed),
            (&[(&IF_MATCH, ""), (&IF_UNMODIFIED_SINCE, DATE)], Failed),
            (&[(&IF_UNMODIFIED_SINCE, DATE)], Send),
            (&[(&IF_UNMODIFIED_SINCE, BEFORE)], Failed),
            (&[(&IF_MATCH, tag), (&IF_NONE_MATCH, tag)], NotModified),
        ] {
            assert_eq!(strong.judge(&fields(headers)), expected, "{headers:?}");
        }
        assert_eq!(
            at(Duration::ZERO).judge(&fields(&[(&IF_MATCH, tag)])),
            Failed
        );
        let same = at(Duration::ZERO).judge(&fields(&[(&IF_NONE_MATCH, tag)]));
        assert_eq!(same, NotModified);
    }

    #[test]
    fn a_range_is_of_what_the_client_has() {
        let old = at(Duration::from_secs(9));
        let tag = old.tag.as_str();
        let weak = format!("W/{tag}");
        for (value, expected) in [
            (tag, true),
            (&weak, false),
            ("\"x\"", false),
            (DATE, true),
            (BEFORE, false),
            (AFTER, false),
            ("", false),
            ("*", false),
        ] {
            let headers = fields(&[(&IF_RANGE, value)]);
            assert_eq!(old.may_send_range(&headers), expected, "{value}");
        }
        assert!(old.may_send_range(&HeaderMap::new()));
        let young = at(Duration::ZERO);
        assert!(!young.may_send_range(&fields(&[(&IF_RANGE, tag)])));
        assert!(!young.may_send_range(&fields(&[(&IF_RANGE, DATE)])));
    }
}
