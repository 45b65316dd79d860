//! What an HTTP request is called: in the log, by the guest, and by the client.

use http::{HeaderMap, HeaderName, HeaderValue};

/// The field which has it, of requests and of responses.
pub const FIELD: HeaderName = HeaderName::from_static("x-request-id");

/// The name of one request. It is in the header fields of the request only where
/// somebody may look at those.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(Form);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Form {
    /// Hexadecimal digits.
    Made([u8; 32]),
    Given(HeaderValue),
}

impl RequestId {
    /// One that a client has given. None if it is no text.
    pub fn given(value: HeaderValue) -> Option<Self> {
        value.to_str().is_ok().then_some(Self(Form::Given(value)))
    }

    /// One that was made of two numbers: 32 lower-case hexadecimal digits.
    pub fn made(first: u64, second: u64) -> Self {
        let mut digits = [0; 32];
        let quarters = [first >> 32, first, second >> 32, second];
        for (digits, quarter) in digits.chunks_exact_mut(8).zip(quarters) {
            digits.copy_from_slice(&hex(quarter as u32));
        }
        Self(Form::Made(digits))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        // It is nothing but ASCII.
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    /// The same as bytes.
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Form::Made(digits) => digits,
            Form::Given(value) => value.as_bytes(),
        }
    }

    /// Has the header fields say it, and nothing else.
    pub fn put(&self, headers: &mut HeaderMap) {
        let value = match &self.0 {
            Form::Made(digits) => HeaderValue::from_bytes(digits).ok(),
            Form::Given(value) => Some(value.clone()),
        };
        if let Some(value) = value {
            headers.insert(FIELD, value);
        }
    }

    /// The same, without being a part of something larger.
    #[must_use]
    pub fn detached(&self) -> Self {
        match &self.0 {
            Form::Given(value) => HeaderValue::from_bytes(value.as_bytes())
                .map_or_else(|_| self.clone(), |copy| Self(Form::Given(copy))),
            Form::Made(_) => self.clone(),
        }
    }
}

/// Eight lower-case digits, all at once: each half byte gets a byte of its own.
fn hex(number: u32) -> [u8; 8] {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let mut halves = u64::from(number);
    halves = (halves | halves << 16) & 0x0000_ffff_0000_ffff;
    halves = (halves | halves << 8) & 0x00ff_00ff_00ff_00ff;
    halves = (halves | halves << 4) & 0x0f0f_0f0f_0f0f_0f0f;
    let letters = ((halves + EACH * 6) >> 4) & EACH;
    let letter = u64::from(b'a' - b'0' - 10);
    (halves + EACH * u64::from(b'0') + letters * letter).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_what_was_given_or_digits() {
        let made = RequestId::made(0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210);
        assert_eq!(made.as_str(), "0123456789abcdeffedcba9876543210");
        let given = RequestId::given(HeaderValue::from_static("a-1")).unwrap();
        assert_eq!(given.detached().as_str(), "a-1");
        let no_text = HeaderValue::from_bytes("é".as_bytes()).unwrap();
        assert!(RequestId::given(no_text).is_none());
        let mut headers = HeaderMap::new();
        for (id, text) in [(made.clone(), made.as_str()), (given, "a-1")] {
            headers.append(FIELD, HeaderValue::from_static("other"));
            id.put(&mut headers);
            assert_eq!(headers.get_all(FIELD).iter().collect::<Vec<_>>(), [text]);
        }
    }
}
