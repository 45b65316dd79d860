//! Header fields that concern one connection only (RFC 9110, section 7.6.1).
//! They are the host's: from a guest they could corrupt the framing. And what
//! values of fields are made of.

use http::header::{CONNECTION, HeaderMap, HeaderName, TE, TRANSFER_ENCODING, UPGRADE};

/// Removes them from a guest's response.
pub(crate) fn strip(headers: &mut HeaderMap) {
    if !headers.keys().any(is_hop_by_hop) {
        return;
    }
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    let fixed: Vec<_> = headers
        .keys()
        .filter(|name| is_hop_by_hop(name))
        .cloned()
        .collect();
    for name in named.into_iter().chain(fixed) {
        headers.remove(name);
    }
}

/// Whether a token is in the list (section 5.6.1), in whatever case.
pub(crate) fn has_token(list: &[u8], token: &str) -> bool {
    let mut tokens = list.split(|&byte| byte == b',');
    tokens.any(|it| it.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
}

/// A number in digits and nothing else, if it fits.
pub(crate) fn number(digits: &[u8]) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(digits).ok()?;
    text.parse().ok().filter(|_| is_number)
}

/// Writes a number in digits.
pub(crate) fn write_number(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0; 20];
    let mut begin = digits.len();
    for (at, digit) in digits.iter_mut().enumerate().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
        begin = at;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(begin..).unwrap_or_default());
}

fn is_hop_by_hop(name: &HeaderName) -> bool {
    *name == CONNECTION
        || *name == TRANSFER_ENCODING
        || *name == UPGRADE
        || *name == TE
        || matches!(name.as_str(), "keep-alive" | "proxy-connection")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_one_of_a_list() {
        for list in ["a", "b, A", " a\t,b", ",a"] {
            assert!(has_token(list.as_bytes(), "a"), "{list:?}");
        }
        for list in ["", "b", "a b", "ab", "a;q=1"] {
            assert!(!has_token(list.as_bytes(), "a"), "{list:?}");
        }
    }

    #[test]
    fn a_number_is_written_as_it_is_read() {
        for number in [0, 7, 10, 65_536, u64::MAX] {
            let mut text = b"x".to_vec();
            write_number(&mut text, number);
            assert_eq!(text, format!("x{number}").into_bytes());
        }
    }

    #[test]
    fn a_number_is_digits() {
        assert_eq!(number(b"0"), Some(0));
        assert_eq!(number(b"18446744073709551615"), Some(u64::MAX));
        for text in ["", "+5", " 5", "5,5", "0x5", "18446744073709551616"] {
            assert_eq!(number(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn what_concerns_one_connection_is_removed() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("connection", "close, x-hop"),
            ("x-hop", "1"),
            ("transfer-encoding", "chunked"),
            ("keep-alive", "timeout=5"),
            ("x-end", "2"),
        ] {
            headers.insert(name, value.parse().unwrap());
        }
        strip(&mut headers);
        assert_eq!(headers.len(), 1);
        assert_eq!(headers["x-end"], "2");
    }
}
