//! What a registry wants to know: `WWW-Authenticate` (RFC 9110, section 11.6.1;
//! the bearer form is Docker's token authentication).

/// How a registry lets somebody in.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// By name and password.
    Basic,
    /// By a token that somebody else gives out.
    Bearer {
        realm: String,
        service: Option<String>,
        scope: Option<String>,
    },
}

impl Challenge {
    /// Reads a field; none if it asks for something that nobody here has.
    pub(super) fn parse(field: &str) -> Option<Self> {
        let (scheme, rest) = field.trim().split_once(' ').unwrap_or((field.trim(), ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Self::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let parameters = parameters(rest);
        let value = |name: &str| {
            let mut found = parameters.iter();
            let found = found.find(|(key, _)| key.eq_ignore_ascii_case(name))?;
            Some(found.1.clone())
        };
        Some(Self::Bearer {
            realm: value("realm")?,
            service: value("service"),
            scope: value("scope"),
        })
    }
}

/// `name="value", name=value`: names and values, up to what is none.
fn parameters(mut rest: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    while let Some((name, behind)) = rest.split_once('=') {
        let name = name.trim_start_matches([' ', ',']).trim_end();
        let (value, behind) = match behind.strip_prefix('"') {
            Some(quoted) => {
                let Some(value) = unquoted(quoted) else {
                    break;
                };
                value
            }
            None => {
                let end = behind.find(',').unwrap_or(behind.len());
                let (value, behind) = behind.split_at(end);
                (value.trim().to_owned(), behind)
            }
        };
        found.push((name.to_owned(), value));
        rest = behind;
    }
    found
}

/// The text up to a closing quotation mark, and what is behind it.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, text.get(at + 1..).unwrap_or_default())),
            '\\' => value.push(letters.next()?.1),
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_read() {
        let field = "Bearer realm=\"https://auth.example/token\",service=\"r.example\", \
                     scope=\"repository:a/b:pull,push\"";
        let expected = Challenge::Bearer {
            realm: "https://auth.example/token".into(),
            service: Some("r.example".into()),
            scope: Some("repository:a/b:pull,push".into()),
        };
        assert_eq!(Challenge::parse(field), Some(expected));
        let expected = Challenge::Bearer {
            realm: "a\"b".into(),
            service: Some("c".into()),
            scope: None,
        };
        let field = "bearer realm=\"a\\\"b\", service=c";
        assert_eq!(Challenge::parse(field), Some(expected));
        assert_eq!(
            Challenge::parse("Basic realm=\"x\""),
            Some(Challenge::Basic)
        );
        for other in ["Negotiate", "Bearer", "Bearer realm=\"x", ""] {
            assert_eq!(Challenge::parse(other), None, "{other}");
        }
    }
}
