//! What clients offer in Sec-WebSocket-Extensions (RFC 6455, section 9.1), and
//! what we agree to.

use holdfast_core::limits::{ConnectionLimits, SlowConsumer};
use holdfast_core::websocket::Compression;
use http::header::SEC_WEBSOCKET_EXTENSIONS;
use http::{HeaderMap, HeaderValue};

use super::{Agreed, BITS_MAX, BITS_MIN};

const NAME: &str = "permessage-deflate";

/// One offer of permessage-deflate that we understand (section 7.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Offer {
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_max_window_bits: Option<u8>,
    /// Whether it is there, and whether it says a number.
    client_max_window_bits: Option<Option<u8>>,
}

/// The field does not follow its grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// The offers of permessage-deflate, best first, without those that have
/// parameters which nobody knows. Other extensions are passed over.
pub(crate) fn offers(headers: &HeaderMap) -> Result<Vec<Offer>, Malformed> {
    let mut offers = Vec::new();
    for value in headers.get_all(SEC_WEBSOCKET_EXTENSIONS) {
        let mut rest = Rest(value.to_str().map_err(|_| Malformed)?);
        loop {
            if rest.skip(',') {
                continue;
            }
            if rest.is_empty() {
                break;
            }
            let name = rest.token()?;
            let mut offer = (name == NAME).then(Offer::default);
            while rest.skip(';') {
                let key = rest.token()?;
                let value = match rest.skip('=') {
                    true => Some(rest.value()?),
                    false => None,
                };
                offer = offer.and_then(|offer| offer.with(key, value));
            }
            offers.extend(offer);
            if !rest.is_empty() && !rest.skip(',') {
                return Err(Malformed);
            }
        }
    }
    Ok(offers)
}

/// What we agree to of these, with the field that says so.
pub(crate) fn negotiate(
    offers: &[Offer],
    limits: &ConnectionLimits,
) -> Option<(Agreed, HeaderValue)> {
    offers.iter().find_map(|offer| offer.accept(limits))
}

impl Offer {
    /// With one more parameter; none if that makes it an offer to decline.
    fn with(mut self, key: &str, value: Option<&str>) -> Option<Self> {
        match (key, value) {
            ("server_no_context_takeover", None) if !self.server_no_context_takeover => {
                self.server_no_context_takeover = true;
            }
            ("client_no_context_takeover", None) if !self.client_no_context_takeover => {
                self.client_no_context_takeover = true;
            }
            ("server_max_window_bits", Some(value)) if self.server_max_window_bits.is_none() => {
                self.server_max_window_bits = Some(bits(value)?);
            }
            ("client_max_window_bits", value) if self.client_max_window_bits.is_none() => {
                self.client_max_window_bits = Some(match value {
                    Some(value) => Some(bits(value)?),
                    None => None,
                });
            }
            _ => return None,
        }
        Some(self)
    }

    fn accept(&self, limits: &ConnectionLimits) -> Option<(Agreed, HeaderValue)> {
        let may_keep = match limits.policies.compression {
            Compression::Off => return None,
            Compression::Shared => false,
            Compression::Context => true,
        };
        let most = match may_keep {
            true => limits.compress.window_bits,
            false => BITS_MAX,
        };
        let server_bits = self.server_max_window_bits.unwrap_or(BITS_MAX).min(most);
        if server_bits < BITS_MIN {
            return None;
        }
        // A message that is dropped from the queue can't be referred to.
        let server_context = may_keep
            && !self.server_no_context_takeover
            && limits.slow_consumer != SlowConsumer::DropOldest;
        let client_context = self
            .client_bits(most)
            .filter(|_| may_keep && !self.client_no_context_takeover);
        let mut field = NAME.to_owned();
        if !server_context {
            field.push_str("; server_no_context_takeover");
        }
        if self.server_max_window_bits.is_some() || server_bits < BITS_MAX {
            field.push_str(&format!("; server_max_window_bits={server_bits}"));
        }
        match client_context {
            None => field.push_str("; client_no_context_takeover"),
            Some(bits) if self.client_max_window_bits.is_some() => {
                field.push_str(&format!("; client_max_window_bits={bits}"));
            }
            Some(_) => {}
        }
        let agreed = Agreed {
            server_bits,
            server_context,
            client_context,
        };
        Some((agreed, HeaderValue::try_from(field).ok()?))
    }

    /// The client's window, if it can be held to `most` bits.
    fn client_bits(&self, most: u8) -> Option<u8> {
        match self.client_max_window_bits {
            Some(bits) => Some(bits.unwrap_or(BITS_MAX).min(most)),
            None => (most == BITS_MAX).then_some(BITS_MAX),
        }
    }
}

/// A number of bits from 8 to 15, without leading zeros (section 7.1.2.1).
fn bits(value: &str) -> Option<u8> {
    let bits = value.parse().ok()?;
    let is_plain = value.bytes().all(|byte| byte.is_ascii_digit()) && !value.starts_with('0');
    (is_plain && (8..=BITS_MAX).contains(&bits)).then_some(bits)
}

/// What is left of a field.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    fn trim(&mut self) {
        self.0 = self.0.trim_start_matches([' ', '\t']);
    }

    fn is_empty(&mut self) -> bool {
        self.trim();
        self.0.is_empty()
    }

    /// Takes a separator, if it comes next.
    fn skip(&mut self, separator: char) -> bool {
        self.trim();
        let rest = self.0.strip_prefix(separator);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn token(&mut self) -> Result<&'a str, Malformed> {
        self.trim();
        let is_token = |byte: u8| crate::handshake::is_token_byte(byte);
        let len = self.0.bytes().take_while(|&byte| is_token(byte)).count();
        let (token, rest) = self.0.split_at_checked(len).ok_or(Malformed)?;
        self.0 = rest;
        match token.is_empty() {
            true => Err(Malformed),
            false => Ok(token),
        }
    }

    /// A token, in quotes or not. In quotes it has to be one as well.
    fn value(&mut self) -> Result<&'a str, Malformed> {
        if !self.skip('"') {
            return self.token();
        }
        let token = self.token()?;
        self.0 = self.0.strip_prefix('"').ok_or(Malformed)?;
        Ok(token)
    }
}
