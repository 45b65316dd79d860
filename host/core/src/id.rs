//! Ids. Tenants and plugins are numbered by the host for as long as it runs, so
//! that a reload finds the same plugin again; a connection's id is random.

use std::fmt;
use std::str::FromStr;

/// A tenant, numbered by the host. Never reused while the host runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TenantId(pub u32);

/// A plugin of some tenant, numbered by the host. It outlives the plugin's
/// generations and is never reused while the host runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PluginId(pub u32);

/// A connection: 128 random bits, so that a guest can't guess one. Guests see
/// it as 32 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConnectionId(pub u128);

/// Length of the text form of a [`ConnectionId`], in bytes.
pub const CONNECTION_ID_LEN: usize = 32;

/// What a byte is worth that is no hexadecimal digit: more than four bits.
const NO_DIGIT: u8 = 0xff;

fn digit(value: u8) -> u8 {
    match value {
        0..10 => b'0' + value,
        _ => b'a' - 10 + value,
    }
}

fn value(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => NO_DIGIT,
    }
}

impl ConnectionId {
    /// The text form, without an allocation.
    pub fn to_hex(self) -> HexId {
        let mut text = [0; CONNECTION_ID_LEN];
        let (pairs, _) = text.as_chunks_mut::<2>();
        for (pair, byte) in pairs.iter_mut().zip(self.0.to_be_bytes()) {
            *pair = [byte >> 4, byte & 0xf].map(digit);
        }
        HexId(text)
    }
}

/// The text form of a [`ConnectionId`].
#[derive(Clone, Copy)]
pub struct HexId([u8; CONNECTION_ID_LEN]);

impl HexId {
    /// The digits.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.to_hex().as_str())
    }
}

impl fmt::Debug for ConnectionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// The text is not a connection id.
#[derive(Debug, thiserror::Error)]
#[error("a connection id is 32 lower-case hexadecimal digits")]
pub struct NotAnId;

impl FromStr for ConnectionId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let text: &[u8; CONNECTION_ID_LEN] = text.as_bytes().try_into().map_err(|_| NotAnId)?;
        let (pairs, _) = text.as_chunks::<2>();
        let mut id = [0; CONNECTION_ID_LEN / 2];
        let mut seen = 0;
        for (byte, pair) in id.iter_mut().zip(pairs) {
            let [high, low] = pair.map(value);
            seen |= high | low;
            *byte = high << 4 | low;
        }
        match seen {
            0..16 => Ok(Self(u128::from_be_bytes(id))),
            _ => Err(NotAnId),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_its_text_form() {
        for id in [0, 1, u128::MAX, 0x0123_4567_89ab_cdef_0011_2233_4455_6677] {
            let text = ConnectionId(id).to_string();
            assert_eq!(text.len(), CONNECTION_ID_LEN);
            assert_eq!(text.parse::<ConnectionId>().unwrap().0, id);
        }
    }

    #[test]
    fn other_text_is_no_id() {
        for text in [
            "",
            "0",
            "+123456789abcdef0011223344556677",
            "G0112233445566778899aabbccddeeff",
        ] {
            assert!(text.parse::<ConnectionId>().is_err(), "{text}");
        }
        assert!(
            "ABCDEF00000000000000000000000000"
                .parse::<ConnectionId>()
                .is_err()
        );
    }
}
