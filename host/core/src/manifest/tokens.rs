//! Who may ask the admin listener, and for what. A token itself is never in the
//! manifest: there is its digest, or where it is.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::resolve::{Wrong, is_name};

/// One of `[admin] tokens` as written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawToken {
    /// For people; unique.
    pub name: String,
    /// What its bearer may do.
    pub role: Role,
    /// The only tenant with which he has to do.
    pub tenant: Option<String>,
    /// Its SHA-256, in 64 hexadecimal digits.
    pub token_sha256: Option<String>,
    /// The environment variable that has it.
    pub env: Option<String>,
    /// The file that has it, relative to the manifest.
    pub file: Option<String>,
}

/// What somebody may do. Each role may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Look.
    ReadOnly,
    /// Change what one tenant's plugins run.
    Deploy,
    /// Everything.
    Operator,
}

impl Role {
    /// How the manifest writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::ReadOnly => "read-only",
            Self::Deploy => "deploy",
            Self::Operator => "operator",
        }
    }
}

/// Somebody who may ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminToken {
    /// For people.
    pub name: String,
    /// What its bearer may do.
    pub role: Role,
    /// The only tenant with which he has to do; none for all.
    pub tenant: Option<String>,
    /// How it is known.
    pub source: TokenSource,
}

/// How a token is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenSource {
    /// By its SHA-256, in lower-case hexadecimal digits.
    Sha256(String),
    /// It is in this environment variable.
    Env(String),
    /// It is in this file.
    File(PathBuf),
}

/// Checks the tokens. `folder` is what paths are relative to.
pub(super) fn resolve(raw: &[RawToken], folder: &Path) -> Result<Vec<AdminToken>, Wrong> {
    let mut tokens: Vec<AdminToken> = Vec::with_capacity(raw.len());
    for raw in raw {
        let token = token(raw, folder)?;
        if tokens.iter().any(|other| other.name == token.name) {
            return Err((
                format!("two admin tokens are named `{}`", token.name),
                "give one of them another name".into(),
            ));
        }
        tokens.push(token);
    }
    Ok(tokens)
}

fn token(raw: &RawToken, folder: &Path) -> Result<AdminToken, Wrong> {
    let RawToken {
        name, role, tenant, ..
    } = raw;
    for (key, text) in [("name", Some(name)), ("tenant", tenant.as_ref())] {
        if let Some(text) = text.filter(|text| !is_name(text)) {
            return Err((
                format!("the `{key}` \"{text}\" of an admin token is not a name"),
                "take 1 to 64 letters, digits, hyphens and underscores".into(),
            ));
        }
    }
    match (role, tenant) {
        (Role::Deploy, None) => Err((
            format!("the admin token `{name}` has the role `deploy`, but no `tenant`"),
            "name the tenant whose plugins it may deploy".into(),
        )),
        (Role::Operator, Some(_)) => Err((
            format!("the admin token `{name}` is an operator's, but has a `tenant`"),
            "leave the tenant out, or give it the role `deploy`".into(),
        )),
        _ => Ok(AdminToken {
            name: name.clone(),
            role: *role,
            tenant: tenant.clone(),
            source: source(raw, folder)?,
        }),
    }
}

fn source(raw: &RawToken, folder: &Path) -> Result<TokenSource, Wrong> {
    let name = &raw.name;
    match (&raw.token_sha256, &raw.env, &raw.file) {
        (Some(digest), None, None) => {
            let is_digest = digest.len() == 64 && digest.bytes().all(|it| it.is_ascii_hexdigit());
            match is_digest {
                true => Ok(TokenSource::Sha256(digest.to_ascii_lowercase())),
                false => Err((
                    format!("the `token_sha256` of the admin token `{name}` is no SHA-256"),
                    "write the 64 digits which `printf %s TOKEN | sha256sum` prints".into(),
                )),
            }
        }
        (None, Some(variable), None) => Ok(TokenSource::Env(variable.clone())),
        (None, None, Some(file)) => Ok(TokenSource::File(folder.join(file))),
        _ => Err((
            format!("it is not clear what the admin token `{name}` is"),
            "give it one of `token_sha256`, `env` and `file`".into(),
        )),
    }
}
