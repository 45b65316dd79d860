//! What a client would rather have than anything else. Pure.

use http::HeaderMap;
use http::header::ACCEPT;

/// Weights are counted in thousandths (RFC 9110, section 12.4.2).
const WEIGHT_MAX: u16 = 1000;

/// Whether the client names `text/html` and nothing that it would rather have
/// (RFC 9110, section 12.5.1). Browsers name it when a person opens a page;
/// scripts and command-line tools say `*/*` or nothing. What is malformed counts
/// as not said.
pub(crate) fn is_for_html(headers: &HeaderMap) -> bool {
    let ranges = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(weighted);
    let (mut html, mut other) = (0, 0);
    for (name, weight) in ranges {
        let most = if name.eq_ignore_ascii_case("text/html") {
            &mut html
        } else {
            &mut other
        };
        *most = weight.max(*most);
    }
    html > 0 && html >= other
}

/// One of a list's items and its weight in thousandths; none if it is malformed.
pub(crate) fn weighted(item: &str) -> Option<(&str, u16)> {
    let mut parts = item.split(';').map(str::trim);
    let name = parts.next()?;
    let mut weights = parts.filter_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim_end().eq_ignore_ascii_case("q").then_some(value)
    });
    match weights.next() {
        Some(value) => Some((name, weight(value.trim_start())?)),
        None => Some((name, WEIGHT_MAX)),
    }
}

/// From `0` to `1`, with three digits behind the point at most.
fn weight(text: &str) -> Option<u16> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    if rest.len() > 3 || !rest.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths = format!("{rest:0<3}").parse().ok()?;
    match (whole, thousandths) {
        ("0", thousandths) => Some(thousandths),
        ("1", 0) => Some(WEIGHT_MAX),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_want_html_and_tools_do_not() {
        for (accept, expected) in [
            (
                &["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"][..],
                true,
            ),
            (&["text/html"], true),
            (&["Text/HTML ; Q = 0.001"], true),
            (&["text/html;level=1;q=0.5, text/plain;q=0.5"], true),
            (&["application/json;q=0.9", "text/html"], true),
            (&[], false),
            (&["*/*"], false),
            (&["text/*"], false),
            (&["text/html;q=0"], false),
            (&["application/json, text/html;q=0.999"], false),
            (&["text/html;q=0.5, */*"], false),
            (&["text/html;q=2"], false),
            (&["text/html;q=0.1234"], false),
            (&["text/html;q=high"], false),
            (&["text/html;q="], false),
            (&["text/htmlx", ",,", ";q=1"], false),
        ] {
            let mut headers = HeaderMap::new();
            for value in accept {
                headers.append(ACCEPT, value.parse().unwrap());
            }
            assert_eq!(is_for_html(&headers), expected, "{accept:?}");
        }
    }

    #[test]
    fn weights_are_thousandths() {
        for (text, expected) in [
            ("0", Some(0)),
            ("0.", Some(0)),
            ("0.5", Some(500)),
            ("0.05", Some(50)),
            ("0.999", Some(999)),
            ("1", Some(1000)),
            ("1.000", Some(1000)),
            ("1.001", None),
            ("0.+1", None),
            ("00", None),
            ("", None),
        ] {
            assert_eq!(weight(text), expected, "{text}");
        }
    }
}
