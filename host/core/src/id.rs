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

const HEX: &[u8; 16] = b"0123456789abcdef";

impl ConnectionId {
    /// The text form, without an allocation.
    pub fn to_hex(self) -> HexId {
        let mut text = [0; CONNECTION_ID_LEN];
        for (index, digit) in text.iter_mut().enumerate() {
            let nibble = (self.0 >> (124 - index * 4)) & 0xf;
            *digit = *HEX.get(nibble as usize).unwrap_or(&b'0');
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
        if text.len() != CONNECTION_ID_LEN {
            return Err(NotAnId);
        }
        let mut id = 0;
        for byte in text.bytes() {
            let digit = match byte {
                b'0'..=b'9' => byte - b'0',
                b'a'..=b'f' => byte - b'a' + 10,
                _ => return Err(NotAnId),
            };
            id = id << 4 | u128::from(digit);
        }
        Ok(Self(id))
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
