//! Paths and queries: splitting and percent-decoding (RFC 3986, section 2.1).

use std::borrow::Cow;

/// Decodes the percent-encoded bytes of a text. What is no valid encoding stays
/// as it is; bytes that are not UTF-8 become U+FFFD.
pub fn decode(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let encoded = (byte == b'%').then(|| hex_byte(tail)).flatten();
        bytes.push(encoded.unwrap_or(byte));
        rest = match encoded {
            Some(_) => tail.get(2..).unwrap_or_default(),
            None => tail,
        };
    }
    Cow::Owned(match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    })
}

/// The decoded segments of a path, without the slashes. A slash that was
/// encoded is part of its segment.
///
/// ```
/// let segments: Vec<_> = holdfast::uri::segments("/rooms/a%20b").collect();
/// assert_eq!(segments, ["rooms", "a b"]);
/// ```
pub fn segments(path: &str) -> impl Iterator<Item = Cow<'_, str>> {
    path.strip_prefix('/')
        .unwrap_or(path)
        .split('/')
        .map(decode)
}

/// The decoded keys and values of a query, in order, with `+` for a space
/// (`application/x-www-form-urlencoded`). It reads such a body too.
pub fn query_pairs(query: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode_form(key), decode_form(value))
    })
}

/// The first value of a key in a query, decoded.
pub fn query_value<'a>(query: &'a str, key: &str) -> Option<Cow<'a, str>> {
    query_pairs(query)
        .find(|pair| pair.0 == key)
        .map(|pair| pair.1)
}

/// Path and query of a request target.
pub(crate) fn split(path_with_query: &str) -> (&str, Option<&str>) {
    match path_with_query.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (path_with_query, None),
    }
}

fn decode_form(text: &str) -> Cow<'_, str> {
    if !text.contains('+') {
        return decode(text);
    }
    Cow::Owned(decode(&text.replace('+', " ")).into_owned())
}

fn hex_byte(digits: &[u8]) -> Option<u8> {
    let digit = |index: usize| char::from(*digits.get(index)?).to_digit(16);
    u8::try_from(digit(0)? * 16 + digit(1)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_encoding_is_decoded_where_it_is_valid() {
        for (text, decoded) in [
            ("", ""),
            ("plain", "plain"),
            ("a%20b%2Fc", "a b/c"),
            ("%C3%A4%c3%a4", "ää"),
            ("100%", "100%"),
            ("%2", "%2"),
            ("%zz%41", "%zzA"),
            ("%+1", "%+1"),
            ("%ff", "\u{fffd}"),
            ("ä%2", "ä%2"),
        ] {
            assert_eq!(decode(text), decoded, "{text}");
        }
    }

    #[test]
    fn a_query_is_read_as_a_form() {
        let pairs: Vec<_> = query_pairs("a=1&b&&c=x+y%2B&a=2=3").collect();
        let expected = [("a", "1"), ("b", ""), ("c", "x y+"), ("a", "2=3")];
        assert_eq!(
            pairs,
            expected.map(|(key, value)| (key.into(), value.into()))
        );
        assert_eq!(query_value("a=1&a=2", "a").as_deref(), Some("1"));
        assert_eq!(query_value("a=1", "b"), None);
    }

    #[test]
    fn an_encoded_slash_does_not_split() {
        assert_eq!(segments("/a%2Fb/c").collect::<Vec<_>>(), ["a/b", "c"]);
        assert_eq!(segments("/").collect::<Vec<_>>(), [""]);
        assert_eq!(split("/a?b?c"), ("/a", Some("b?c")));
    }
}
