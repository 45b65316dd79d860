//! Who shows a token: what he may do, and for which tenant.

use holdfast_core::manifest::{AdminToken, Role, TokenSource};
use holdfast_runtime::Digest;

use super::token::{BYTES_MIN, Token, is_usable};
use crate::fleet::read_text;
use crate::problem::Problem;

/// Bytes of the largest file with a token.
const FILE_BYTES_MAX: u64 = 4096;

/// Somebody who has shown a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Caller {
    pub(super) role: Role,
    /// The only tenant of which he may know; none for all.
    pub(super) tenant: Option<String>,
}

impl Caller {
    /// Somebody who has shown no token, for what anybody may ask.
    pub(super) fn nobody() -> Self {
        Self {
            role: Role::ReadOnly,
            // No tenant is named so.
            tenant: Some(String::new()),
        }
    }

    /// Whether he may know of this tenant's things.
    pub(super) fn knows(&self, tenant: &str) -> bool {
        self.tenant.as_ref().is_none_or(|own| own == tenant)
    }
}

/// All tokens of a host, by their digests.
pub(super) struct Keys(Vec<Key>);

struct Key {
    digest: String,
    caller: Caller,
}

impl Keys {
    /// The host's own token, which is an operator's, and those of the manifest.
    pub(super) fn find(own: &Token, tokens: &[AdminToken]) -> Result<Self, Problem> {
        let own = Key {
            digest: digest(own.reveal()),
            caller: Caller {
                role: Role::Operator,
                tenant: None,
            },
        };
        let mut keys = vec![own];
        for token in tokens {
            let key = Key {
                digest: find(token)?,
                caller: Caller {
                    role: token.role,
                    tenant: token.tenant.clone(),
                },
            };
            if keys.iter().any(|other| other.digest == key.digest) {
                return Err(Problem::new(
                    format!(
                        "the admin token `{}` is the same as another one",
                        token.name
                    ),
                    "give each its own",
                ));
            }
            keys.push(key);
        }
        Ok(Self(keys))
    }

    /// Who shows the token in the value of an `Authorization` field. Takes as long
    /// for any token of the same length.
    pub(super) fn caller(&self, authorization: &str) -> Option<&Caller> {
        let (scheme, shown) = authorization.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        // Digests, so that nothing depends on where two tokens differ.
        let shown = digest(shown.trim());
        let mut found = None;
        for key in &self.0 {
            let mut pairs = key.digest.bytes().zip(shown.bytes());
            let difference = pairs.try_fold(0, |all, (one, other)| Some(all | (one ^ other)));
            if difference == Some(0) {
                found = Some(&key.caller);
            }
        }
        found
    }
}

fn digest(token: &str) -> String {
    Digest::of(token.as_bytes()).to_string()
}

/// The digest of a token.
fn find(token: &AdminToken) -> Result<String, Problem> {
    let name = &token.name;
    let text = match &token.source {
        TokenSource::Sha256(digest) => return Ok(digest.clone()),
        TokenSource::Env(variable) => std::env::var(variable).map_err(|error| {
            Problem::new(
                format!("the admin token `{name}` can't be had from `{variable}`: {error}"),
                "set that variable in the host's environment",
            )
        })?,
        TokenSource::File(path) => read_text(None, path, FILE_BYTES_MAX).map_err(|error| {
            let file = path.display();
            Problem::new(
                format!("the admin token `{name}` can't be read from {file}: {error}"),
                "check the path, and that this user may read the file",
            )
        })?,
    };
    let text = text.trim();
    match is_usable(text) {
        true => Ok(digest(text)),
        false => Err(Problem::new(
            format!("what is given as the admin token `{name}` can't be one"),
            format!("take at least {BYTES_MIN} visible ASCII characters"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_says_who_its_bearer_is() {
        let reader = AdminToken {
            name: "reader".into(),
            role: Role::ReadOnly,
            tenant: Some("acme".into()),
            source: TokenSource::Sha256(digest("the-token-of-a-reader")),
        };
        let own = Token::of("0123456789abcdef");
        let keys = Keys::find(&own, std::slice::from_ref(&reader)).unwrap();
        let role = |authorization: &str| keys.caller(authorization).map(|it| it.role);
        for (authorization, expected) in [
            ("Bearer 0123456789abcdef", Some(Role::Operator)),
            ("bearer  0123456789abcdef ", Some(Role::Operator)),
            ("Bearer the-token-of-a-reader", Some(Role::ReadOnly)),
            ("Bearer 0123456789abcdee", None),
            ("Bearer 0123456789abcdef0", None),
            ("Bearer", None),
            ("Bearer ", None),
            ("Basic 0123456789abcdef", None),
            ("", None),
        ] {
            assert_eq!(role(authorization), expected, "{authorization}");
        }
        let caller = keys.caller("Bearer the-token-of-a-reader").unwrap();
        assert!(caller.knows("acme") && !caller.knows("other"));
        assert!(Keys::find(&own, &[reader.clone(), reader]).is_err());
    }
}
