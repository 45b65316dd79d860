//! The field `Accept-Encoding` (RFC 9110, section 12.5.3). Pure.

use http::HeaderMap;
use http::header::ACCEPT_ENCODING;

use super::Coding;
use crate::preference::weighted;

/// Those of our codings in which the client takes a body, from the one it would
/// have most; those which are equal to it stay in our order. Those are left out
/// that it would rather have as they are. What is malformed counts as not said.
pub(crate) fn accepted(headers: &HeaderMap, ours: &[Coding]) -> Vec<Coding> {
    let mut weights = [None; Coding::ALL.len()];
    let (mut any, mut identity) = (None, None);
    let values = headers.get_all(ACCEPT_ENCODING).iter();
    let values = values.filter_map(|value| value.to_str().ok());
    let items = values.flat_map(|value| value.split(','));
    for (name, weight) in items.filter_map(weighted) {
        let place = match name {
            "*" => Some(&mut any),
            name if name.eq_ignore_ascii_case("identity") => Some(&mut identity),
            name => coding(name).and_then(|coding| weights.get_mut(coding as usize)),
        };
        if let Some(place) = place {
            *place = Some(weight.max(place.unwrap_or(0)));
        }
    }
    let weight = |&coding: &Coding| {
        let own = weights.get(coding as usize).copied().flatten();
        (coding, own.or(any).unwrap_or(0))
    };
    let codings = ours.iter().map(weight);
    let codings = codings.filter(|&(_, weight)| weight > 0 && weight >= identity.unwrap_or(0));
    let mut codings: Vec<_> = codings.collect();
    codings.sort_by_key(|&(_, weight)| std::cmp::Reverse(weight));
    codings.into_iter().map(|(coding, _)| coding).collect()
}

fn coding(name: &str) -> Option<Coding> {
    if name.eq_ignore_ascii_case("x-gzip") {
        return Some(Coding::Gzip);
    }
    let mut all = Coding::ALL.into_iter();
    all.find(|coding| name.eq_ignore_ascii_case(coding.name()))
}

#[cfg(test)]
mod tests {
    use Coding::{Brotli, Gzip, Zstd};

    use super::*;

    #[test]
    fn a_client_says_what_it_takes() {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, "gzip, br, zstd".parse().unwrap());
        assert_eq!(accepted(&headers, &[Zstd, Brotli]), [Zstd, Brotli]);
        for (values, expected) in [
            (&[][..], &[][..]),
            (&[""], &[]),
            (&["gzip, deflate, br, zstd"], &[Brotli, Zstd, Gzip]),
            (&["gzip, deflate, br"], &[Brotli, Gzip]),
            (&["gzip;q=1.0, br;q=0.5"], &[Gzip, Brotli]),
            (&["GZIP", "zstd;q=0.9"], &[Gzip, Zstd]),
            (&["x-gzip"], &[Gzip]),
            (&["*"], &[Brotli, Zstd, Gzip]),
            (&["*;q=0.5, gzip"], &[Gzip, Brotli, Zstd]),
            (&["br;q=0, *"], &[Zstd, Gzip]),
            (&["identity"], &[]),
            (&["identity, *;q=0"], &[]),
            (&["identity;q=0.5, gzip;q=0.4, br;q=0.5"], &[Brotli]),
            (&["identity;q=0, gzip;q=0.001"], &[Gzip]),
            (&["gzip;q=0"], &[]),
            (&["gzip;q=2, br;q=x, zstd;q=0.1234"], &[]),
            (&["gzip;q=0.1, gzip;q=0.3, br;q=0.2"], &[Gzip, Brotli]),
            (&["deflate, compress, brotli"], &[]),
            (&[",, ;q=1, br ;x=y; q = 1"], &[Brotli]),
        ] {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(ACCEPT_ENCODING, value.parse().unwrap());
            }
            let accepted = accepted(&headers, &Coding::ALL);
            assert_eq!(accepted, expected, "{values:?}");
        }
    }
}
