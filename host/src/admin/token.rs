//! What an operator has to show.

use crate::problem::Problem;

/// Where a host finds a token that somebody has chosen.
const VARIABLE: &str = "HOLDFAST_ADMIN_TOKEN";
/// The shortest that may be chosen, in bytes.
pub(super) const BYTES_MIN: usize = 16;
/// Random bytes of one that nobody has chosen.
const RANDOM_BYTES: usize = 32;

/// A bearer token (RFC 6750).
#[derive(Clone)]
pub(crate) struct Token(String);

impl Token {
    /// The one that was chosen for this host, or a random one.
    pub(crate) fn find() -> Result<Self, Problem> {
        match std::env::var(VARIABLE) {
            Ok(token) if is_usable(&token) => Ok(Self(token)),
            Ok(_) => Err(Problem::new(
                format!("`{VARIABLE}` can't be a token"),
                format!("take at least {BYTES_MIN} visible ASCII characters"),
            )),
            Err(_) => {
                let mut bytes = [0; RANDOM_BYTES];
                getrandom::fill(&mut bytes).map_err(anyhow::Error::from)?;
                Ok(Self(hex(&bytes)))
            }
        }
    }

    /// The token itself.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    /// One that is known.
    #[cfg(test)]
    pub(super) fn of(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// Lower-case hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether somebody may choose this as a token.
pub(super) fn is_usable(token: &str) -> bool {
    token.len() >= BYTES_MIN && token.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chosen_token_is_long_and_visible() {
        assert!(is_usable("0123456789abcdef"));
        assert!(!is_usable("short"));
        assert!(!is_usable("0123456789 abcdef"));
    }
}
