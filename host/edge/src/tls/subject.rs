//! Who a client is by its certificate: the subject as text (RFC 4514).

use std::fmt::Write;

use http::HeaderValue;
use tokio_rustls::rustls::pki_types::CertificateDer;

/// Bytes of the longest subject that is passed on.
const BYTES_MAX: usize = 4096;

/// The kinds of names that have a short one (RFC 4514, section 3), by their
/// object identifiers in DER.
const SHORT: [(&[u8], &str); 9] = [
    (&[0x55, 4, 3], "CN"),
    (&[0x55, 4, 7], "L"),
    (&[0x55, 4, 8], "ST"),
    (&[0x55, 4, 10], "O"),
    (&[0x55, 4, 11], "OU"),
    (&[0x55, 4, 6], "C"),
    (&[0x55, 4, 9], "STREET"),
    (
        &[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25],
        "DC",
    ),
    (
        &[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1],
        "UID",
    ),
];

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OBJECT_IDENTIFIER: u8 = 0x06;
const UTF8_STRING: u8 = 0x0c;
const PRINTABLE_STRING: u8 = 0x13;
const IA5_STRING: u8 = 0x16;

/// The subject of a certificate for a header field. None if it can't be read:
/// nobody is better than somebody wrong.
pub(super) fn field(certificate: &CertificateDer<'_>) -> Option<HeaderValue> {
    let parsed = webpki::EndEntityCert::try_from(certificate).ok()?;
    let text = text(parsed.subject())?;
    HeaderValue::try_from(text).ok()
}

/// The names of an RDNSequence without its own head, the last one first
/// (RFC 4514, section 2.1).
pub(super) fn text(mut sequence: &[u8]) -> Option<String> {
    let mut names = Vec::new();
    while !sequence.is_empty() {
        let (set, rest) = value(sequence, SET)?;
        names.push(relative(set)?);
        sequence = rest;
    }
    names.reverse();
    let text = names.join(",");
    (text.len() <= BYTES_MAX).then_some(text)
}

/// A set of names.
fn relative(mut set: &[u8]) -> Option<String> {
    let mut names = Vec::new();
    while !set.is_empty() {
        let (name, rest) = value(set, SEQUENCE)?;
        let (kind, text) = value(name, OBJECT_IDENTIFIER)?;
        names.push(attribute(kind, text)?);
        set = rest;
    }
    Some(names.join("+"))
}

fn attribute(kind: &[u8], encoded: &[u8]) -> Option<String> {
    let short = SHORT.iter().find(|(known, _)| *known == kind);
    let tag = *encoded.first()?;
    let is_text = matches!(tag, UTF8_STRING | PRINTABLE_STRING | IA5_STRING);
    if let Some((_, short)) = short
        && is_text
    {
        let (text, _) = value(encoded, tag)?;
        return Some(format!(
            "{short}={}",
            escaped(std::str::from_utf8(text).ok()?)
        ));
    }
    // Section 2.4: what has no text is written in hexadecimal digits.
    let mut name = short.map_or_else(|| dotted(kind), |(_, short)| (*short).to_owned());
    name.push_str("=#");
    for byte in encoded {
        let _ = write!(name, "{byte:02x}");
    }
    Some(name)
}

/// Section 2.4, and everything that is not ASCII escaped, too.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let last = text.len().saturating_sub(1);
    for (index, byte) in text.bytes().enumerate() {
        let is_at_end =
            (index == 0 && matches!(byte, b' ' | b'#')) || (index == last && byte == b' ');
        match byte {
            b'"' | b'+' | b',' | b';' | b'<' | b'>' | b'\\' | b'=' => {
                escaped.push('\\');
                escaped.push(char::from(byte));
            }
            _ if is_at_end => {
                escaped.push('\\');
                escaped.push(char::from(byte));
            }
            b' '..=b'~' => escaped.push(char::from(byte)),
            _ => {
                let _ = write!(escaped, "\\{byte:02X}");
            }
        }
    }
    escaped
}

/// An object identifier in decimal numbers (X.690, section 8.19).
fn dotted(identifier: &[u8]) -> String {
    let mut text = String::new();
    let mut number = 0u64;
    for byte in identifier {
        number = number << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 != 0 {
            continue;
        }
        match text.is_empty() {
            true => {
                let first = (number / 40).min(2);
                let _ = write!(text, "{first}.{}", number - first * 40);
            }
            false => {
                let _ = write!(text, ".{number}");
            }
        }
        number = 0;
    }
    text
}

/// The value of this tag at the beginning, and what follows it (X.690, section
/// 8.1.3).
fn value(input: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = input.split_first()?;
    let (&first, mut rest) = rest.split_first()?;
    let mut len = usize::from(first);
    if first & 0x80 != 0 {
        let bytes;
        (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        // Longer ones don't fit into a handshake.
        if bytes.is_empty() || bytes.len() > 3 {
            return None;
        }
        len = bytes
            .iter()
            .fold(0, |len, byte| len << 8 | usize::from(*byte));
    }
    (found == tag).then_some(())?;
    rest.split_at_checked(len)
}

#[cfg(test)]
mod tests {
    use tokio_rustls::rustls::pki_types::pem::PemObject;

    use super::*;

    #[test]
    fn a_subject_is_written_from_its_end() {
        let pem = include_bytes!("../../../../tests/certificates/client.pem");
        let certificate = CertificateDer::from_pem_slice(pem).unwrap();
        let expected = "CN=Ada \\C3\\BC\\, Countess,OU=Engines,O=Holdfast Tests";
        assert_eq!(field(&certificate).unwrap(), expected);
    }

    #[test]
    fn names_are_escaped() {
        assert_eq!(escaped(" #a b+ "), "\\ #a b\\+\\ ");
        assert_eq!(escaped("#x=\n"), "\\#x\\=\\0A");
        assert_eq!(escaped(""), "");
    }

    #[test]
    fn what_is_not_known_is_in_digits() {
        let email = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1];
        let name = attribute(&email, &[IA5_STRING, 1, b'a']).unwrap();
        assert_eq!(name, "1.2.840.113549.1.9.1=#160161");
        assert_eq!(
            attribute(&[0x55, 4, 3], &[0x1e, 2, 0, 65]).unwrap(),
            "CN=#1e020041"
        );
    }

    #[test]
    fn what_is_cut_off_is_nobody() {
        let whole = [SET, 8, SEQUENCE, 6, 6, 1, 0x55, UTF8_STRING, 1, b'a'];
        assert!(text(&whole).is_some());
        for len in 1..whole.len() {
            assert_eq!(text(&whole[..len]), None, "{len}");
        }
        assert_eq!(text(&[SET, 0x84, 0, 0, 0, 1, 0]), None);
    }
}
