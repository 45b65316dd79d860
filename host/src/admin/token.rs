//! What an operator has to show.

use sha2::{Digest, Sha256};

use crate::fleet::hex;
use crate::problem::Problem;

/// Where a host finds a token that somebody has chosen.
const VARIABLE: &str = "HOLDFAST_ADMIN_TOKEN";
/// The shortest that may be chosen, in bytes.
const BYTES_MIN: usize = 16;
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

    /// Whether the value of an `Authorization` field shows this token. Takes as
    /// long for any token of the same length.
    pub(crate) fn is_shown_by(&self, authorization: &str) -> bool {
        let Some((scheme, shown)) = authorization.split_once(' ') else {
            return false;
        };
        // Digests, so that nothing depends on where two tokens differ.
        let (own, shown) = (Sha256::digest(&self.0), Sha256::digest(shown.trim()));
        let mut pairs = own.iter().zip(&shown);
        let difference = pairs.try_fold(0, |all, (one, other)| Some(all | (one ^ other)));
        scheme.eq_ignore_ascii_case("bearer") && difference == Some(0)
    }
}

fn is_usable(token: &str) -> bool {
    token.len() >= BYTES_MIN && token.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_token_itself_will_do() {
        let token = Token("0123456789abcdef".into());
        for (authorization, is_shown) in [
            ("Bearer 0123456789abcdef", true),
            ("bearer  0123456789abcdef ", true),
            ("Bearer 0123456789abcdee", false),
            ("Bearer 0123456789abcdef0", false),
            ("Bearer", false),
            ("Bearer ", false),
            ("Basic 0123456789abcdef", false),
            ("", false),
        ] {
            assert_eq!(
                token.is_shown_by(authorization),
                is_shown,
                "{authorization}"
            );
        }
    }

    #[test]
    fn a_chosen_token_is_long_and_visible() {
        assert!(is_usable("0123456789abcdef"));
        assert!(!is_usable("short"));
        assert!(!is_usable("0123456789 abcdef"));
    }
}
